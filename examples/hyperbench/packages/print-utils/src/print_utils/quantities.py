"""Numbers as people read them."""

import math

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def format_seconds(seconds: float) -> str:
    """A duration to three significant digits, in the largest unit that keeps it at 1 or more.

    >>> format_seconds(0.0123456)
    '12.3 ms'
    """
    if not math.isfinite(seconds):
        return f"{seconds} s"
    # Rounded before the unit is chosen, so that 0.9999 s is a second and not a thousand milliseconds.
    rounded = float(f"{seconds:.3g}")
    scale, unit = next(
        ((scale, unit) for scale, unit in UNITS if abs(rounded) >= scale),
        (1.0, "s") if rounded == 0 else UNITS[-1],
    )
    return f"{_three_digits(rounded / scale)} {unit}"


def _three_digits(number: float) -> str:
    """Three significant digits, never as a power of ten: `{:.3g}` writes 1000 as 1e+03."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"
