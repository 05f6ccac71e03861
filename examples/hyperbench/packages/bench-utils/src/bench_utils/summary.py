"""Statistics of repeated runs."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from print_utils import format_seconds, format_table


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of a series of durations, in seconds."""

    runs: int
    mean: float
    stdev: float
    """The sample standard deviation; 0 for a single run."""
    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Summary":
        """Summarise a series, which must have at least one run."""
        series = sorted(seconds)
        if not series:
            raise ValueError("a summary needs at least one run")
        return cls(
            runs=len(series),
            mean=statistics.fmean(series),
            stdev=statistics.stdev(series) if len(series) > 1 else 0.0,
            minimum=series[0],
            median=statistics.median(series),
            maximum=series[-1],
        )


def format_summaries(summaries: Mapping[str, Summary]) -> str:
    """A table of named summaries, one a row."""
    header = ["benchmark", "runs", "mean", "stdev", "min", "median", "max"]
    return format_table(
        header,
        [
            [
                name,
                summary.runs,
                *map(
                    format_seconds,
                    (
                        summary.mean,
                        summary.stdev,
                        summary.minimum,
                        summary.median,
                        summary.maximum,
                    ),
                ),
            ]
            for name, summary in summaries.items()
        ],
        right=header[1:],
    )
