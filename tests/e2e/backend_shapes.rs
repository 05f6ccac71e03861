//! Runs random commands in monorepos with random shapes of conflicts: none that ends well loses a backend.
//!
//! `UVENV_SHAPES_STEPS` sets the number of commands. `UVENV_SHAPES_SEED` repeats a run.

use std::io::{Write as _, stderr};

use uvenv_tests::backend_shapes::BackendShapes;

#[test]
fn no_command_that_ends_well_loses_a_backend() {
    let shapes = BackendShapes::from_variables();
    let tell = |text: &str| stderr().write_all(text.as_bytes()).expect("there is a standard error");
    tell(&format!("\nUVENV_SHAPES_SEED={}\n", shapes.seed));
    let results = shapes.run();
    tell(&format!("{} commands ended well, {} were refused\n", results.ended_well, results.refused));
    assert!(results.lost.is_empty(), "{}", results.lost.join("\n\n"));
    assert!(results.ended_well * 4 > shapes.steps, "too few commands end well to show anything");
}
