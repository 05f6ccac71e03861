//! A manifest as values, and as TOML in random spellings.

use std::{collections::BTreeMap, fmt::Write as _};

use fastrand::Rng;

/// A `pyproject.toml`.
#[derive(Clone, Debug, Default)]
pub(super) struct Manifest {
    pub(super) name: String,
    /// `None` if it is dynamic.
    pub(super) version: Option<String>,
    pub(super) python: String,
    pub(super) dependencies: Vec<String>,
    pub(super) extras: BTreeMap<String, Vec<String>>,
    /// Requirements, or `{ include-group = "…" }`.
    pub(super) groups: BTreeMap<String, Vec<String>>,
    /// The right sides, as TOML.
    pub(super) sources: BTreeMap<String, String>,
    /// Keys of `[tool.uv]`, with their values as TOML.
    pub(super) settings: BTreeMap<String, String>,
    pub(super) members: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) indexes: Vec<(String, String)>,
}

impl Manifest {
    pub(super) fn new(name: &str) -> Self {
        let python = ">=3.10".to_owned();
        Self { name: name.to_owned(), version: Some("0.1.0".to_owned()), python, ..Self::default() }
    }

    /// The text, in a spelling that `rng` chooses.
    pub(super) fn text(&self, rng: &mut Rng) -> String {
        let mut text = format!("[project]\nname = \"{}\"\n", spelled(&self.name, rng));
        let _ = match &self.version {
            Some(version) => writeln!(text, "version = \"{version}\""),
            None => writeln!(text, "dynamic = [\"version\"]"),
        };
        let _ = writeln!(text, "requires-python = \"{}\"", self.python);
        let _ = writeln!(text, "dependencies = {}", list(&self.dependencies, rng));
        if !self.extras.is_empty() {
            text += "\n[project.optional-dependencies]\n";
        }
        for (name, requirements) in &self.extras {
            let _ = writeln!(text, "{} = {}", spelled(name, rng), list(requirements, rng));
        }
        if !self.groups.is_empty() {
            text += "\n[dependency-groups]\n";
        }
        for (name, entries) in &self.groups {
            let _ = writeln!(text, "{} = {}", spelled(name, rng), list(entries, rng));
        }
        if self.version.is_none() {
            text += "\n[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
        }
        text += "\n[tool.uv]\n";
        for (key, value) in &self.settings {
            let _ = writeln!(text, "{key} = {value}");
        }
        if !self.members.is_empty() {
            let _ = writeln!(text, "\n[tool.uv.workspace]\nmembers = {}", list(&self.members, rng));
            let _ = writeln!(text, "exclude = {}", list(&self.exclude, rng));
        }
        if !self.sources.is_empty() {
            text += "\n[tool.uv.sources]\n";
        }
        for (package, source) in &self.sources {
            let _ = writeln!(text, "{package} = {source}");
        }
        for (name, url) in &self.indexes {
            let _ = writeln!(text, "\n[[tool.uv.index]]\nname = \"{name}\"\nurl = \"{url}\"");
            text += if name == "small" { "default = true\n" } else { "explicit = true\n" };
        }
        if rng.u8(..8) == 0 { text.replace('\n', "\r\n") } else { text }
    }
}

/// A list of strings and tables, in one line or several.
fn list(items: &[String], rng: &mut Rng) -> String {
    let item = |item: &String| {
        let quote = if item.contains('\'') || rng.bool() { '"' } else { '\'' };
        if item.starts_with('{') { item.clone() } else { format!("{quote}{item}{quote}") }
    };
    let items: Vec<_> = items.iter().map(item).collect();
    if rng.bool() { format!("[{}]", items.join(", ")) } else { format!("[\n    {},\n]", items.join(",\n    ")) }
        .replace("[\n    ,\n]", "[]")
}

/// A name in one of its spellings (PEP 503).
fn spelled(name: &str, rng: &mut Rng) -> String {
    match rng.u8(..6) {
        0 => name.replace('-', "_"),
        1 => {
            let mut letters = name.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
        _ => name.to_owned(),
    }
}
