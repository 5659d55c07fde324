"""Many damaged answers: nothing but a Reading comes out, and every value is valid.

`python benchmarks/fuzz.py 200000` is the long run. An accepted value is judged again by jsonschema
as it comes, beside the reader's own judgement. Bound: CPU seconds of one answer.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import jsonschema
from damage import ORDER, damaged

import extractify

BOUND = 0.5


def main(runs: int) -> int:
    independent = jsonschema.Draft202012Validator(ORDER)
    counts: Counter[str] = Counter()
    slowest, failed = 0.0, 0
    for seed in range(runs):
        text = damaged(seed)
        started = time.process_time()
        try:
            reading = extractify.read(text, ORDER)
        except Exception as error:  # noqa: BLE001  (this is what is looked for)
            failed += 1
            print(f"  seed {seed}: {type(error).__name__}")
            continue
        slowest = max(slowest, time.process_time() - started)
        if reading.ok:
            counts["read"] += 1
            if not independent.is_valid(reading.value):
                failed += 1
                print(f"  seed {seed}: a value that isn't valid")
        else:
            counts[reading.problems[0].kind] += 1
    print(f"  {runs} answers, {failed} failed, slowest {slowest:.3f} s CPU")
    for kind, count in counts.most_common():
        print(f"    {kind:<20} {count:8}")
    return int(failed > 0 or slowest > BOUND)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
