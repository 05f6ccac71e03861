//! What runs uvenv for others: pre-commit, and the steps of a GitHub Action.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{Environment, Fixture, Invocation, cargo_uvenv, wheel::environment_with};

const PRE_COMMIT: &str = "4.7.0";

/// What a job has done.
#[derive(Debug)]
pub struct Job {
    /// Each step: `name`, and `status`, `stdout` and `stderr` of its script or `uses` and `with`.
    pub steps: Vec<Value>,
    /// `RUNNER_TEMP`.
    pub temporary: Utf8PathBuf,
}

impl Job {
    /// The step with this name, if it has run.
    pub fn step(&self, name: &str) -> Option<&Value> {
        self.steps.iter().find(|step| step["name"] == name)
    }
}

impl Fixture {
    /// pre-commit, with the `cargo-uvenv` of the tests on `PATH`.
    pub fn pre_commit<const N: usize>(&self, arguments: [&str; N]) -> Invocation<'_> {
        let home = self.temporary().join("pre-commit");
        let ours = cargo_uvenv().parent().expect("a file has a directory");
        let python = Invocation::new(self, &environment().python()).args(["-m", "pre_commit"]);
        python.args(arguments).on_path(ours).with_system().env("PRE_COMMIT_HOME", home)
    }

    /// Runs the steps of the composite action in `file`, with these inputs and variables, as GitHub's runner does, but for the
    /// actions that they use.
    pub fn run_action(&self, file: &Utf8Path, inputs: &[(&str, &str)], variables: &[(&str, &str)]) -> Job {
        let temporary = self.temporary().join("runner");
        let inputs = serde_json::to_string(&inputs.iter().copied().collect::<BTreeMap<_, _>>()).expect("JSON");
        let script = include_str!("action.py");
        let runner = Invocation::new(self, &environment().python()).args(["-c", script]);
        let runner = runner.args([file.as_str(), inputs.as_str()]).env("RUNNER_TEMP", &temporary).with_system();
        let said = variables.iter().fold(runner, |runner, (name, value)| runner.env(name, value)).ok();
        let steps = serde_json::from_str(said.stdout()).unwrap_or_else(|error| panic!("{error}: {said}"));
        Job { steps, temporary }
    }
}

/// pre-commit's, which has a parser for YAML too.
fn environment() -> Environment {
    environment_with("pre-commit", PRE_COMMIT)
}
