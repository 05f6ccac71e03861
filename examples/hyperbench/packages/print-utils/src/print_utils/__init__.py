"""Plain-text tables and human-readable quantities for benchmark reports."""

from print_utils.quantities import format_seconds
from print_utils.table import format_table

__all__ = ["format_seconds", "format_table"]
