import math
import unittest

from bench_utils import Summary, format_summaries, measure


class Measure(unittest.TestCase):
    def test_warm_up_runs_are_not_timed(self) -> None:
        calls: list[int] = []
        ticks = iter(range(0, 1_000_000_000, 1_000_000))
        summary = measure(lambda: calls.append(1), runs=3, warmup=2, clock=lambda: next(ticks))
        self.assertEqual(len(calls), 5)
        self.assertEqual(summary, Summary.of([0.001, 0.001, 0.001]))

    def test_the_default_clock_sees_work(self) -> None:
        self.assertGreater(measure(lambda: sum(range(10_000)), runs=3).minimum, 0)

    def test_there_is_at_least_one_run(self) -> None:
        with self.assertRaisesRegex(ValueError, "cannot time 0 runs"):
            measure(lambda: None, runs=0)


class SummaryOf(unittest.TestCase):
    def test_statistics_of_a_series(self) -> None:
        summary = Summary.of([4.0, 1.0, 2.0, 5.0])
        self.assertEqual((summary.minimum, summary.median, summary.maximum), (1.0, 3.0, 5.0))
        self.assertEqual((summary.runs, summary.mean), (4, 3.0))
        self.assertTrue(math.isclose(summary.stdev, math.sqrt(10 / 3)))

    def test_one_run_has_no_spread(self) -> None:
        self.assertEqual(Summary.of([2.0]).stdev, 0.0)

    def test_no_run_is_an_error(self) -> None:
        with self.assertRaisesRegex(ValueError, "at least one run"):
            Summary.of([])

    def test_the_table_has_a_row_for_each(self) -> None:
        table = format_summaries({"fast": Summary.of([0.001]), "slow": Summary.of([2.0, 4.0])})
        self.assertEqual(
            [line.split() for line in table.splitlines()[2:]],
            [
                "fast 1 1 ms 0 s 1 ms 1 ms 1 ms".split(),
                "slow 2 3 s 1.41 s 2 s 3 s 4 s".split(),
            ],
        )


if __name__ == "__main__":
    unittest.main()
