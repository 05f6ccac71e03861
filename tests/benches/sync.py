"""Compares `uvenv.sync()` with `uv sync` where there is nothing to do, in the monorepo of the working directory."""

import subprocess
import time
from collections.abc import Callable
from statistics import median

import uvenv

RUNS = 101


def milliseconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def sync() -> uvenv.SyncReport:
    return uvenv.sync("dev", backend="cu124", progress=False)


def uv_sync() -> None:
    subprocess.run(["uv", "sync", "--quiet", "--extra", "cu124"], check=True)


uvenv.lock("dev", progress=False)
sync()
uv_sync()
# What has just been written is trusted after two seconds.
sync()
time.sleep(2.5)
sync()
first = milliseconds(sync)
assert sync().uv_invoked is False
ours, theirs = zip(*((milliseconds(sync), milliseconds(uv_sync)) for _ in range(RUNS)), strict=True)
assert sync().uv_invoked is False
ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
print(
    f"uvenv.sync() {median(ours):5.2f} ms (first {first:5.2f} ms)   "
    f"subprocess {median(theirs):6.2f} ms   ratio {median(ratios):.3f}"
)
