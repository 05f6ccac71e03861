//! Whether an answer without uv is ever wrong, after random changes of random monorepos.
//!
//! `UVENV_DIFFERENTIAL_STEPS` says how many syncs there are, `UVENV_DIFFERENTIAL_SEED` repeats a run.

use std::io::{Write as _, stderr};

use uvenv_tests::differential::{Differential, notices_what_is_false};

/// Of a hundred answers that uvenv could give, uv may be asked for so many, after changes that are meant to mislead.
const NEEDLESS: usize = 20;

/// Writes what is to be seen of a test that passes, too.
fn tell(text: &str) {
    stderr().write_all(text.as_bytes()).expect("there is a standard error");
}

#[test]
fn no_answer_without_uv_is_wrong() {
    let differential = Differential::from_variables();
    tell(&format!("\nUVENV_DIFFERENTIAL_SEED={}\n", differential.seed));
    let tally = differential.run();
    tell(&tally.to_string());
    assert!(tally.wrong().is_empty(), "{}", tally.wrong().join("\n\n"));
    // Each needless call has its reason: a request that is new, a manifest that was edited, something only uv can judge.
    assert!(tally.quick() > 0 && tally.needless_percent() <= NEEDLESS, "uv is asked too often: {tally}");
}

#[test]
fn a_wrong_answer_is_noticed() {
    notices_what_is_false();
}
