"""Timing of repeated runs and their statistics.

`hyperbench-report` (`bench_utils.report`) says which internal packages and which CUDA runtime the environment has.
"""

from bench_utils.summary import Summary, format_summaries
from bench_utils.timing import measure

__all__ = ["Summary", "format_summaries", "measure"]
