//! Durations as text, in the units that the Python half writes them in.

include!(concat!(env!("OUT_DIR"), "/units.rs"));

/// A duration to three significant digits, in the largest unit that keeps it at 1 or more.
#[must_use]
pub fn format_seconds(seconds: f64) -> String {
    if !seconds.is_finite() {
        return format!("{seconds} s");
    }
    // Rounded before the unit is chosen, so that 0.9999 s is a second and not a thousand milliseconds.
    let rounded = to_three_digits(seconds);
    let fits = |unit: &&(f64, &str)| rounded == 0.0 || rounded.abs() >= unit.0;
    let smallest = UNITS[UNITS.len() - 1];
    let (scale, unit) = UNITS.iter().find(fits).copied().unwrap_or(smallest);
    format!("{} {unit}", to_three_digits(rounded / scale))
}

fn to_three_digits(number: f64) -> f64 {
    // What `{:.2e}` writes is a number, and the nearest one of three digits.
    format!("{number:.2e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn as_the_python_half_writes_them() {
        let durations = [
            0.0,
            1.0,
            0.9999,
            0.012_345_6,
            99.96,
            1234.0,
            3.2e-7,
            5e-12,
            -0.25,
        ];
        let script = "import sys, print_utils\n\
                      for word in sys.argv[1:]: print(print_utils.format_seconds(float(word)))";
        let output = Command::new(env!("UVENV_PYTHON"))
            .args(["-c", script])
            .args(durations.map(|seconds| format!("{seconds:e}")))
            .output()
            .unwrap();
        let python = String::from_utf8(output.stdout).unwrap();
        let rust: Vec<_> = durations.into_iter().map(format_seconds).collect();
        assert_eq!(rust, python.lines().collect::<Vec<_>>());
    }
}
