"""`python -m print_utils.rust FILE`: the units of durations as Rust source, for the build script of a crate.

The Rust half of the monorepo writes durations as the Python half does because both read the same table.
"""

import json
import sys
from pathlib import Path

from print_utils.quantities import UNITS


def source() -> str:
    """A constant of pairs, each the seconds in a unit and the unit's name, the largest first."""
    # A string of JSON without escapes of its own is a string of Rust.
    rows = [f"    ({scale!r}_f64, {json.dumps(name, ensure_ascii=False)}),\n" for scale, name in UNITS]
    return "\n".join(
        [
            "/// The seconds in each unit and the unit's name, the largest first.",
            f"pub const UNITS: [(f64, &str); {len(UNITS)}] = [",
            f"{''.join(rows)}];",
            "",
        ]
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(source(), encoding="utf-8")
