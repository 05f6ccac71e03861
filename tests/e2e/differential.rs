//! Makes random changes to random monorepos and checks that uvenv's answers without uv are never wrong.
//!
//! `UVENV_DIFFERENTIAL_STEPS` sets the number of syncs. `UVENV_DIFFERENTIAL_SEED` repeats a run.

use std::io::{Write as _, stderr};

use uvenv_tests::differential::{Differential, notices_what_is_false};

/// The highest percentage of answers for which uvenv may call uv needlessly, after deliberately misleading changes.
const NEEDLESS: usize = 20;

/// Prints text that is visible even if the test passes.
fn tell(text: &str) {
    stderr().write_all(text.as_bytes()).expect("there is a standard error");
}

#[test]
fn answers_without_uv_match_uv() {
    let differential = Differential::from_variables();
    tell(&format!("\nUVENV_DIFFERENTIAL_SEED={}\n", differential.seed));
    let tally = differential.run();
    tell(&tally.to_string());
    assert!(tally.wrong().is_empty(), "{}", tally.wrong().join("\n\n"));
    // Every needless call has a reason: a new request, an edited manifest, or something that only uv can judge.
    assert!(tally.quick() > 0 && tally.needless_percent() <= NEEDLESS, "uv is asked too often: {tally}");
}

#[test]
fn detects_a_wrong_answer() {
    notices_what_is_false();
}
