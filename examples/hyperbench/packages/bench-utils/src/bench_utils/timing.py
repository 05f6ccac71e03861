"""Timing of repeated runs."""

import time
from collections.abc import Callable

from bench_utils.summary import Summary


def measure(
    function: Callable[[], object],
    *,
    runs: int = 20,
    warmup: int = 2,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Summary:
    """Call `function` `warmup` times untimed, then time `runs` calls with `clock`, which counts nanoseconds."""
    if runs < 1 or warmup < 0:
        raise ValueError(f"cannot time {runs} runs after {warmup} to warm up")
    for _ in range(warmup):
        function()

    seconds = []
    for _ in range(runs):
        start = clock()
        function()
        seconds.append((clock() - start) / 1e9)
    return Summary.of(seconds)
