use std::{error, fmt};

/// Statistics of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The number of values.
    pub count: usize,
    /// The arithmetic mean.
    pub mean: f64,
    /// The sample standard deviation; 0 for a single value.
    pub stdev: f64,
    /// The smallest value.
    pub minimum: f64,
    /// The middle value, or the mean of the two middle ones.
    pub median: f64,
    /// The largest value.
    pub maximum: f64,
}

/// Why a series has no [`Summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSummarisable {
    /// It has no value.
    Empty,
    /// A value is infinite or not a number.
    NotFinite,
}

impl fmt::Display for NotSummarisable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there are no numbers",
            Self::NotFinite => "a number is infinite or not a number",
        })
    }
}

impl error::Error for NotSummarisable {}

impl Summary {
    /// Summarises `values`, in any order.
    ///
    /// # Errors
    /// If there is no value, or one that is not finite.
    pub fn of(values: &[f64]) -> Result<Self, NotSummarisable> {
        if values.iter().any(|value| !value.is_finite()) {
            return Err(NotSummarisable::NotFinite);
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (Some(&minimum), Some(&maximum)) = (sorted.first(), sorted.last()) else {
            return Err(NotSummarisable::Empty);
        };
        let (mean, stdev) = mean_and_stdev(values);
        Ok(Self {
            count: values.len(),
            mean,
            stdev,
            minimum,
            median: median(&sorted),
            maximum,
        })
    }
}

/// Welford's algorithm: one pass, and no difference of two large sums that would cancel out.
fn mean_and_stdev(values: &[f64]) -> (f64, f64) {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let before = value - mean;
        mean += before / count;
        squares += before * (value - mean);
    }
    let stdev = if count > 1.0 {
        f64::sqrt(squares / (count - 1.0))
    } else {
        0.0
    };
    (mean, stdev)
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these results are exact")]
mod tests {
    use super::*;

    #[test]
    fn of_an_even_number_of_values() {
        let summary = Summary::of(&[4.0, 1.0, 2.0, 5.0]).unwrap();
        assert_eq!((summary.count, summary.mean, summary.median), (4, 3.0, 3.0));
        assert_eq!((summary.minimum, summary.maximum), (1.0, 5.0));
        assert!((summary.stdev - f64::sqrt(10.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn of_one_value() {
        let summary = Summary::of(&[2.5]).unwrap();
        assert_eq!(
            (summary.mean, summary.median, summary.stdev),
            (2.5, 2.5, 0.0)
        );
    }

    #[test]
    fn a_large_offset_costs_no_precision() {
        let summary = Summary::of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]).unwrap();
        assert_eq!(summary.stdev, f64::sqrt(30.0));
    }

    #[test]
    fn of_no_values() {
        assert_eq!(Summary::of(&[]), Err(NotSummarisable::Empty));
        assert_eq!(
            Summary::of(&[1.0, f64::NAN]),
            Err(NotSummarisable::NotFinite)
        );
    }
}
