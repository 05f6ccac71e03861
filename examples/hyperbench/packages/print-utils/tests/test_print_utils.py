import unittest

from print_utils import format_seconds, format_table, rust


class FormatTable(unittest.TestCase):
    def test_columns_are_as_wide_as_their_widest_cell(self) -> None:
        table = format_table(["run", "ms"], [["first", 12], ["second", 7]], right=["ms"])
        self.assertEqual(
            table.splitlines(),
            ["run     ms", "------  --", "first   12", "second   7"],
        )

    def test_width_is_counted_in_terminal_columns(self) -> None:
        table = format_table(["a", "b"], [["図", 1], ["e\u0301", 2]])
        self.assertEqual(table.splitlines()[2:], ["図  1", "e\u0301   2"])

    def test_a_table_without_rows_is_its_header(self) -> None:
        self.assertEqual(format_table(["run"], []), "run\n---")

    def test_rows_must_fit_the_header(self) -> None:
        with self.assertRaisesRegex(ValueError, "row 2 has 1 cells for 2 columns"):
            format_table(["a", "b"], [[1, 2], [3]])

    def test_only_columns_of_the_table_can_be_aligned(self) -> None:
        with self.assertRaisesRegex(ValueError, "no such column: c"):
            format_table(["a", "b"], [], right=["c"])


class FormatSeconds(unittest.TestCase):
    def test_the_unit_follows_the_magnitude(self) -> None:
        expected = {
            0.0: "0 s",
            1.5: "1.5 s",
            -0.25: "-250 ms",
            0.0123456: "12.3 ms",
            4.2e-5: "42 µs",
            3e-9: "3 ns",
            3e-10: "0.3 ns",
        }
        for seconds, text in expected.items():
            with self.subTest(seconds=seconds):
                self.assertEqual(format_seconds(seconds), text)

    def test_rounding_may_reach_the_next_unit(self) -> None:
        self.assertEqual(format_seconds(0.9999), "1 s")
        self.assertEqual(format_seconds(9.996e-4), "1 ms")

    def test_a_long_run_is_written_out(self) -> None:
        self.assertEqual(format_seconds(5400), "5400 s")

    def test_what_is_not_a_number_passes_through(self) -> None:
        self.assertEqual(format_seconds(float("inf")), "inf s")


class RustSource(unittest.TestCase):
    def test_the_units_are_a_constant(self) -> None:
        lines = rust.source().splitlines()
        self.assertEqual(lines[1], "pub const UNITS: [(f64, &str); 4] = [")
        self.assertEqual(lines[2], '    (1.0_f64, "s"),')
        self.assertEqual(lines[4], '    (1e-06_f64, "µs"),')
        self.assertEqual(lines[-1], "];")


if __name__ == "__main__":
    unittest.main()
