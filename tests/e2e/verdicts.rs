//! Makes random changes to random manifests and compares what uv and uvenv say of their lockfiles.
//!
//! `UVENV_VERDICTS_STEPS` sets the number of changes. `UVENV_VERDICTS_SEED` repeats a run.

use std::io::{Write as _, stderr};

use uvenv_tests::verdicts::Verdicts;

#[test]
fn word_on_lockfiles_is_always_that_of_uv() {
    let verdicts = Verdicts::from_variables();
    let tell = |text: &str| stderr().write_all(text.as_bytes()).expect("there is a standard error");
    tell(&format!("\nUVENV_VERDICTS_SEED={}\n", verdicts.seed));
    let tally = verdicts.run();
    tell(&tally.to_string());
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n\n"));
    assert!(tally.is_telling(), "{tally}");
}
