"""Whether xgrammar's own compiler takes what is sent to it, and lets the right answers through.

xgrammar brings torch, so it has an environment of its own and is no part of `make test`:

    python -m venv /tmp/xgrammar
    /tmp/xgrammar/bin/pip install torch==2.13.0 apache-tvm-ffi transformers
    /tmp/xgrammar/bin/pip install --no-deps xgrammar==0.2.8
    /tmp/xgrammar/bin/pip install . 'pydantic[email]'
    PYTHONPATH=. /tmp/xgrammar/bin/python benchmarks/xgrammar_accepts.py

Where the index has several builds of torch, the one for the CPU is enough. Without `--no-deps`
xgrammar brings triton as well, which only its kernels for GPUs use.

Every target of `tests/corpus.py` is lowered for each profile. The payload has to compile, with the
options that vLLM has, and the corpus's answer, as it travels, has to be accepted to its end. An
answer that can't be said is printed with its payload. The profiles `xgrammar`, `vllm` and `sglang`
have to have none; the others' endpoints run other engines, or nobody says which.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import xgrammar

from extractify.lowering import lower
from extractify.profiles import PROFILES
from extractify.schema import compile_schema
from extractify.shapes import lowered
from extractify.validation import without_idle_nulls
from tests.corpus import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.messages import JsonValue
    from extractify.profiles import Profile

NAMES = ("xgrammar", "vllm", "sglang", "m2.7", "full", "llama.cpp", "llguidance", "openai-strict")
BYTES = [bytes([number]) for number in range(256)]
END = len(BYTES)


class Judge:
    """xgrammar's compiler for a vocabulary of bytes."""

    def __init__(self) -> None:
        vocabulary = xgrammar.TokenizerInfo(
            [*BYTES, b"</s>"],
            vocab_type=xgrammar.VocabType.RAW,
            stop_token_ids=[END],
        )
        self._compiler = xgrammar.GrammarCompiler(vocabulary, max_threads=1, cache_enabled=False)

    def compiled(self, payload: str) -> xgrammar.CompiledGrammar:
        return self._compiler.compile_json_schema(payload)

    def accepts(self, grammar: xgrammar.CompiledGrammar, text: str) -> bool:
        matcher = xgrammar.GrammarMatcher(grammar)
        return bool(matcher.accept_string(text) and matcher.accept_token(END))


def in_order(data: JsonValue, names: list[list[str]]) -> JsonValue:
    """The same data, its keys in the order of the properties that have them all."""
    if isinstance(data, list):
        return [in_order(item, names) for item in data]
    if not isinstance(data, dict):
        return data
    order = next((each for each in names if data.keys() <= set(each)), list(data))
    return {key: in_order(data[key], names) for key in sorted(data, key=order.index)}


def declared(node: object) -> Iterator[list[str]]:
    """Yield the names of all `properties` at any depth."""
    if isinstance(node, dict) and isinstance(node.get("properties"), dict):
        yield list(node["properties"])
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from declared(inner)


def judged(judge: Judge, profile: Profile) -> Counter[str]:
    """What became of the corpus."""
    found: Counter[str] = Counter()
    for target, answer, _ in CASES:
        schema = compile_schema(target)
        wire = lower(schema, profile)
        if wire.format is None:
            continue
        found["payloads"] += 1
        payload = wire.format.encoded
        try:
            grammar = judge.compiled(payload)
        except RuntimeError as error:
            found["refused"] += 1
            print("  refused:", repr(target), str(error).strip(), payload, sep="\n    ")
            continue
        sent = lowered(schema, profile, without_idle_nulls(schema, answer))
        told = in_order(
            {"result": sent} if wire.enveloped else sent, [*declared(wire.format.schema)]
        )
        # Constants are compared with their text: compact, as the compiler writes it.
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        accepted = judge.accepts(grammar, text)
        found["answers accepted"] += accepted
        if not accepted:
            print("  can't be said:", repr(target), text, payload, sep="\n    ")
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    judge = Judge()
    for name in sys.argv[1:] or NAMES:
        found = judged(judge, PROFILES[name])
        print(f"{name}:", ", ".join(f"{count} {what}" for what, count in found.items()))


if __name__ == "__main__":
    main()
