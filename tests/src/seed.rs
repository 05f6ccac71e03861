//! The seeds and lengths of tests that do random things.

use std::env;

/// Reads the variables `{prefix}_SEED` (`random` differs each time) and `{prefix}_STEPS`. Without them it is the given seed
/// and number of steps.
pub fn from_variables(prefix: &str, seed: u64, steps: usize) -> (u64, usize) {
    let text = |name: &str| env::var(format!("{prefix}_{name}")).ok().filter(|text| !text.is_empty());
    let seed = match text("SEED").as_deref() {
        Some("random") => fastrand::u64(..),
        Some(seed) => seed.parse().unwrap_or_else(|error| panic!("{prefix}_SEED={seed}: {error}")),
        None => seed,
    };
    let steps = text("STEPS")
        .map_or(steps, |steps| steps.parse().unwrap_or_else(|error| panic!("{prefix}_STEPS={steps}: {error}")));
    (seed, steps)
}
