//! The files that accompany three profiles: the configuration, the ignore file of git, and a workflow for continuous
//! integration.

use camino::Utf8PathBuf;

use crate::{monorepo::Monorepo, report::SetUpReport, toml::File};

const WORKFLOW: &str = "\
# Checks that the profiles agree with each other, with their lockfiles and with the git remotes.
name: uvenv
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          submodules: recursive
      - run: cargo install --locked cargo-uvenv
      - run: cargo uvenv check --remote --message-format github
      - run: cargo uvenv lock --all-profiles --locked
";

/// Returns the files that are missing or incomplete, with their new text.
pub(super) fn files(monorepo: &Monorepo, report: &mut SetUpReport) -> crate::Result<Vec<(Utf8PathBuf, String)>> {
    let mut files = Vec::new();
    let workflow = monorepo.root.join(".github/workflows/uvenv.yml");
    if workflow.exists() {
        report.kept.push(workflow);
    } else {
        files.push((workflow, WORKFLOW.to_owned()));
    }
    let ignored = monorepo.root.join(".gitignore");
    match with_ignored(&std::fs::read_to_string(&ignored).unwrap_or_default()) {
        Some(text) => files.push((ignored, text)),
        None => report.kept.push(ignored),
    }
    let (path, configured) = configuration(monorepo)?;
    match configured {
        Some(text) => files.push((path, text)),
        None => report.kept.push(path),
    }
    Ok(files)
}

/// Returns `text` with the missing lines added.
fn with_ignored(text: &str) -> Option<String> {
    let has = |line: &str| {
        let bare = line.trim_matches('/');
        text.lines().any(|known| known.trim().trim_start_matches("**").trim_matches('/') == bare)
    };
    let missing: Vec<_> = [".venv/", "__pycache__/"].into_iter().filter(|line| !has(line)).collect();
    if missing.is_empty() {
        return None;
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Some(format!("{text}{gap}{}\n", missing.join("\n")))
}

/// Returns the file of the configuration and, if it has no configuration yet, its text with one that names the
/// directories of the profiles.
fn configuration(monorepo: &Monorepo) -> crate::Result<(Utf8PathBuf, Option<String>)> {
    let cargo = match monorepo.cargo_manifest() {
        Some(path) => Some(File::read(&path)?),
        None => None,
    };
    let in_cargo = cargo.as_ref().filter(|file| has(file, &["workspace"]));
    let (file, table, keys) = match in_cargo {
        Some(file) => (file, "workspace.metadata.uvenv", &["workspace", "metadata", "uvenv"][..]),
        None => (&monorepo.dev.file, "tool.uvenv", &["tool", "uvenv"][..]),
    };
    if has(file, keys) || monorepo.dev.uvenv.is_some() {
        return Ok((file.path.clone(), None));
    }
    let end = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if file.text.ends_with('\n') { "" } else { end };
    let lines = ["", &format!("[{table}.profiles]"), "staging = \"staging\"", "prod = \"prod\"", ""];
    let text = format!("{}{gap}{}", file.text, lines.join(end));
    // An inline table cannot be extended. The configuration is then left out, because the default directories do not
    // need one.
    let is_toml = File { path: file.path.clone(), text: text.as_str().into() }.parse().is_ok();
    Ok((file.path.clone(), Some(text).filter(|_| is_toml)))
}

fn has(file: &File, keys: &[&str]) -> bool {
    let Ok(document) = file.parse() else { return false };
    let mut node = document.root();
    for key in keys {
        match node.get(key) {
            Ok(Some(next)) => node = next,
            _ => return false,
        }
    }
    true
}
