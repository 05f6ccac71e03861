//! Jupyter's client, which starts kernels, in a separate environment.

use serde_json::Value;

use crate::{Fixture, Invocation, wheel::environment_with};

const JUPYTER_CLIENT: &str = "8.6.3";

/// What Jupyter reports about a kernel that it started.
#[derive(Debug)]
pub struct Started {
    /// Each cell: `status`, `error` and `stdout`.
    pub cells: Vec<Value>,
    /// The exit code of the kernel after its shutdown.
    pub status: Value,
}

impl Fixture {
    /// Python with Jupyter's client, on this fixture's machine but outside of the monorepo.
    pub fn jupyter<const N: usize>(&self, arguments: [&str; N]) -> Invocation<'_> {
        let python = environment_with("jupyter-client", JUPYTER_CLIENT).python();
        Invocation::new(self, &python).args(arguments).within(self.temporary().join("home"))
    }

    /// Starts a kernel with Jupyter and runs these cells in it. Interrupts a cell that prints `interrupt me`.
    pub fn start_kernel(&self, name: &str, cells: &[&str], variables: &[(&str, &str)]) -> Started {
        let mut jupyter = self.jupyter(["-c", include_str!("jupyter.py"), name]).args(cells);
        for (name, value) in variables {
            jupyter = jupyter.env(name, value);
        }
        let said = jupyter.ok();
        let mut said: Value = serde_json::from_str(said.stdout()).unwrap_or_else(|error| panic!("{error}: {said}"));
        let status = said["status"].take();
        Started { cells: said["cells"].as_array().cloned().unwrap_or_default(), status }
    }
}
