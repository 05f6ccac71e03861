//! Checks that no command that ends well loses a backend: random shapes of conflicts, and random ways of selecting.

use std::fmt::Write as _;

use fastrand::Rng;

use crate::{Fixture, Index, Outcome, Uv, seed};

/// The default number of commands.
const STEPS: usize = 80;

/// The number of commands in one monorepo.
const STEPS_OF_ONE: usize = 10;

/// The default seed. It is fixed, so that a failure comes from a change to the code.
const SEED: u64 = 5_530_126_644_021_177_183;

const BACKENDS: [&str; 2] = ["cu124", "cu128"];

/// A run of the test.
#[derive(Clone, Copy, Debug)]
pub struct BackendShapes {
    /// The seed.
    pub seed: u64,
    /// The number of commands.
    pub steps: usize,
}

/// The results of a run.
#[derive(Debug, Default)]
pub struct Results {
    /// How many commands ended well, and how many did not.
    pub ended_well: usize,
    /// How many were refused.
    pub refused: usize,
    /// What was lost, with what led to it.
    pub lost: Vec<String>,
}

impl BackendShapes {
    /// Reads `UVENV_SHAPES_SEED` (`random` differs each time) and `UVENV_SHAPES_STEPS`.
    pub fn from_variables() -> Self {
        let (seed, steps) = seed::from_variables("UVENV_SHAPES", SEED, STEPS);
        Self { seed, steps }
    }

    /// Runs it.
    pub fn run(&self) -> Results {
        let mut results = Results::default();
        for number in 0..self.steps.div_ceil(STEPS_OF_ONE) {
            let seed = Rng::with_seed(self.seed.wrapping_add(number as u64)).u64(..);
            let mut world = World::new(Rng::with_seed(seed));
            for _ in 0..STEPS_OF_ONE {
                if let Some(lost) = world.step(&mut results) {
                    results.lost.push(format!("monorepo {number} of UVENV_SHAPES_SEED={}: {lost}", self.seed));
                    break;
                }
            }
        }
        results
    }
}

struct World {
    fixture: Fixture,
    rng: Rng,
    /// The names that select a backend, with the backend.
    selectors: Vec<(&'static str, String, &'static str)>,
    history: String,
}

/// A command, and the variable with which it runs.
struct Command {
    words: Vec<String>,
    backend_variable: Option<&'static str>,
}

impl World {
    fn new(mut rng: Rng) -> Self {
        let fixture = Fixture::new(Some(if rng.u8(..3) == 0 { Uv::Oldest } else { Uv::Newest }));
        let mut selectors = Vec::new();
        let in_member = rng.u8(..4) == 0;
        let holder = if in_member { "models" } else { "app" };
        let declared = declared(&mut rng, holder, &mut selectors);
        let project = |name: &str| {
            format!(
                "[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = []\n\n"
            )
        };
        let settings = "\n[tool.uv.workspace]\nmembers = [\"models\", \"plain\"]\n";
        let virtual_root = in_member && rng.bool();
        let root = if virtual_root { String::new() } else { project("app") };
        if in_member {
            fixture.write("pyproject.toml", format!("{root}[tool.uv]\n{}{settings}", plain(virtual_root)));
            fixture.write("models/pyproject.toml", project("models") + &declared);
        } else {
            fixture.write("pyproject.toml", root + &declared + settings);
            fixture.write("models/pyproject.toml", project("models") + "[tool.uv]\npackage = false\n");
        }
        fixture.write("plain/pyproject.toml", project("plain") + "[tool.uv]\npackage = false\n");
        let history = format!("{}\n{}\n", fixture.read("pyproject.toml"), fixture.read("models/pyproject.toml"));
        Self { fixture, rng, selectors, history }
    }

    /// Runs a random command. Returns what was lost.
    fn step(&mut self, results: &mut Results) -> Option<String> {
        let command = self.command();
        let environment = self.fixture.environment("dev");
        let before = environment.version("torch");
        let files = environment.distributions();
        let invocation = self.fixture.uvenv(&command.words).arg_json();
        let outcome = match command.backend_variable {
            Some(backend) => invocation.env("UVENV_BACKEND", backend).run(),
            None => invocation.run(),
        };
        let after = environment.version("torch");
        let _ = writeln!(self.history, "{:?} {:?}: {before:?} -> {after:?}", command.words, command.backend_variable);
        let is_same = files == environment.distributions();
        if outcome.status() == Some(0) {
            results.ended_well += 1;
        } else {
            results.refused += 1;
        }
        let is_right = match (outcome.status(), backend(&outcome)) {
            (Some(0), _) if is_same => true,
            (Some(0), Some(backend)) => after == Some(format!("2.6.0+{backend}")),
            // Nobody else may take a backend away.
            (Some(0), None) => before.is_none() || opts_out(&command),
            _ => is_same,
        };
        (!is_right).then(|| format!("{}\n{outcome}", self.history))
    }

    fn command(&mut self) -> Command {
        let rng = &mut self.rng;
        let mut words = vec![if rng.u8(..3) == 0 { "run" } else { "sync" }.to_owned()];
        let is_run = words[0] == "run";
        match rng.u8(..6) {
            0 | 1 => {
                let backends = ["cu124", "cu128", "none", "auto", "nonsense"];
                words.push(format!("--backend={}", backends[rng.usize(..backends.len())]));
            }
            2 | 3 => {
                let (option, name, _) = &self.selectors[rng.usize(..self.selectors.len())];
                words.push(format!("{option}={name}"));
            }
            _ => {}
        }
        match rng.u8(..8) {
            0 => words.push("--package=plain".to_owned()),
            1 => words.push("--package=models".to_owned()),
            2 => words.push("--all-packages".to_owned()),
            3 => words.push("--no-default-groups".to_owned()),
            4 if is_run => words.push("--no-sync".to_owned()),
            5 if !is_run => words.push("--recreate".to_owned()),
            _ => {}
        }
        if is_run {
            words.extend(["--", "python", "-V"].map(str::to_owned));
        }
        let variables = [None, None, None, Some("cu124"), Some("cu128"), Some("none")];
        Command { words, backend_variable: variables[rng.usize(..variables.len())] }
    }
}

fn plain(is_virtual: bool) -> &'static str {
    if is_virtual { "" } else { "package = false\n" }
}

/// The backends as extras or groups of `holder`, with a shape of conflicts that makes them exclusive, or not quite.
fn declared(rng: &mut Rng, holder: &str, selectors: &mut Vec<(&'static str, String, &'static str)>) -> String {
    let is_group = rng.u8(..4) == 0;
    let (kind, option) = if is_group { ("group", "--group") } else { ("extra", "--extra") };
    let mut text = format!("[{}]\n", if is_group { "dependency-groups" } else { "project.optional-dependencies" });
    let mut sources = String::new();
    let mut indexes = String::new();
    for backend in BACKENDS {
        let _ = writeln!(text, "{backend} = [\"torch==2.6.0\"]");
        let _ = write!(sources, "{{ index = \"pytorch-{backend}\", {kind} = \"{backend}\" }}, ");
        let url = Index::url(backend);
        let _ =
            write!(indexes, "\n[[tool.uv.index]]\nname = \"pytorch-{backend}\"\nurl = \"{url}\"\nexplicit = true\n");
        selectors.push((option, backend.to_owned(), backend));
    }
    let has_variants = !is_group && rng.bool();
    if has_variants {
        for backend in BACKENDS {
            let _ = writeln!(text, "test-{backend} = [\"{holder}[{backend}]\"]");
            selectors.push((option, format!("test-{backend}"), backend));
        }
    }
    let other = !is_group && rng.u8(..3) == 0;
    if other {
        text += "legacy = []\n";
    }
    let entry = |name: &str| format!("{{ {kind} = \"{name}\" }}");
    let pair = |a: &str, b: &str| format!("[{}, {}]", entry(a), entry(b));
    let backends = if other {
        format!("[{}, {}, {}]", entry("cu124"), entry("cu128"), entry("legacy"))
    } else {
        pair("cu124", "cu128")
    };
    let mut sets = vec![backends];
    if has_variants {
        sets.extend([pair("test-cu124", "test-cu128"), pair("cu124", "test-cu128"), pair("cu128", "test-cu124")]);
    }
    rng.shuffle(&mut sets);
    format!(
        "{text}\n[tool.uv]\npackage = false\nconflicts = [{}]\n\n[tool.uv.sources]\ntorch = [{}]\n{indexes}",
        sets.join(", "),
        sources.trim_end_matches(", "),
    )
}

/// The backend that a command reports. The output of the program that `run` starts follows the report.
fn backend(outcome: &Outcome) -> Option<String> {
    let reports = outcome.stdout().lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let finished = reports.into_iter().find(|report| report["reason"] == "sync-finished")?;
    Some(finished["backend"].as_str()?.to_owned())
}

/// Whether the command asks for no backend. A flag counts before the variable.
fn opts_out(command: &Command) -> bool {
    let flag = command.words.iter().find_map(|word| word.strip_prefix("--backend="));
    flag.map_or(command.backend_variable == Some("none"), |backend| backend == "none")
}
