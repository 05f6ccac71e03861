"""Tables of plain text."""

import unicodedata
from collections.abc import Collection, Iterable, Sequence

_GAP = "  "


def format_table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Collection[str] = (),
) -> str:
    """Lay `rows` out in columns under `header`; the columns named in `right` are flush right.

    >>> print(format_table(["run", "ms"], [["first", 12], ["second", 7]], right=["ms"]))
    run     ms
    ------  --
    first   12
    second   7
    """
    cells = [[str(cell) for cell in row] for row in rows]
    for number, row in enumerate(cells, start=1):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} cells for {len(header)} columns")
    if unknown := set(right).difference(header):
        raise ValueError(f"no such column: {', '.join(sorted(unknown))}")

    widths = [max(map(_width, column)) for column in zip(header, *cells)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        _GAP.join(
            _pad(cell, width, flush_right=name in right)
            for name, cell, width in zip(header, line, widths)
        ).rstrip()
        for line in [header, rule, *cells]
    )


def _pad(cell: str, width: int, *, flush_right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if flush_right else cell + space


def _width(text: str) -> int:
    """The terminal columns that `text` takes: two for a wide character, none for a combining one."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
