"""How much memory a process took."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """The largest resident size of this process so far, in MB.

    Not `ru_maxrss`, in which a new process begins with the size of the one that started it.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("/proc/self/status has no VmHWM; these benchmarks need Linux.")
