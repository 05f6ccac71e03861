//! Small monorepos, and what the rules find in them.

use std::fs;

use super::{Facts, Finding, offline};
use crate::{Monorepo, fs::TestTree, model::Variables};

/// A monorepo in a temporary directory.
pub(super) struct Tree {
    pub(super) root: TestTree,
}

impl Tree {
    /// Writes `files`, given as path and text.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        Self { root: TestTree::with(files) }
    }

    /// Writes or overwrites a file.
    pub(super) fn write(&self, path: &str, text: &str) {
        self.root.write(path, text);
    }

    /// Replaces `from`, which must exist, with `to`.
    pub(super) fn replace(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = fs::read_to_string(self.root.join(path)).unwrap();
        assert!(text.contains(from), "no `{from}` in\n{text}");
        self.write(path, &text.replace(from, to));
        self
    }

    /// Returns all findings, without any programs on `PATH`.
    pub(super) fn findings(&self) -> Vec<Finding> {
        self.findings_with(&Variables::default())
    }

    fn findings_with(&self, variables: &Variables) -> Vec<Finding> {
        let monorepo = Monorepo::discover(&self.root).unwrap();
        offline(&Facts::read(&monorepo, variables))
    }

    /// Returns the findings of the rule `code`, with the programs of these variables.
    pub(super) fn found_by(&self, code: &str, variables: &Variables) -> Vec<Finding> {
        self.findings_with(variables).into_iter().filter(|finding| finding.code == code).collect()
    }

    /// Returns the findings of the rule `code`.
    pub(super) fn found(&self, code: &str) -> Vec<Finding> {
        self.findings().into_iter().filter(|finding| finding.code == code).collect()
    }

    /// Returns the findings of the rule `code`, each as `path:line: message`.
    pub(super) fn shown(&self, code: &str) -> Vec<String> {
        self.found(code).iter().map(|finding| self.show(finding)).collect()
    }

    /// Returns all findings, each as `code path:line: message`.
    pub(super) fn all_shown(&self) -> Vec<String> {
        self.findings().iter().map(|finding| format!("{} {}", finding.code, self.show(finding))).collect()
    }

    fn show(&self, finding: &Finding) -> String {
        let message = finding.message.replace(self.root.as_str(), "[ROOT]");
        match &finding.place {
            Some(place) => {
                let path = place.path().strip_prefix(&*self.root).unwrap_or(place.path());
                format!("{path}:{}: {message}", place.line())
            }
            None => message,
        }
    }
}

const DEV: &str = include_str!("clean/dev.toml");
const PINNED: &str = include_str!("clean/prod.toml");
const DEV_LOCK: &str = include_str!("clean/dev.lock");
const PINNED_LOCK: &str = include_str!("clean/prod.lock");

/// Replaces the tags of prod in a text with those of staging.
fn of_staging(text: &str) -> String {
    text.replace("v0.1.2", "v0.1.3.dev0")
        .replace("v1.0.0", "v1.0.0.dev4")
        .replace("\"0.1.2\"", "\"0.1.3.dev0\"")
        .replace("\"1.0.0\"", "\"1.0.0.dev4\"")
}

fn member(name: &str, version: &str, rest: &str) -> String {
    let build = "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";
    format!("[project]\nname = \"{name}\"\nversion = \"{version}\"\nrequires-python = \">=3.10\"\n{rest}\n{build}")
}

impl Tree {
    /// Creates a monorepo without problems. It has two packages, one of which is in a subdirectory of a shared
    /// repository and has its own tags. Staging has a version after the release of one package and before the next
    /// release of the other. Names are spelled in several ways.
    pub(super) fn clean() -> Self {
        Self::new(&[
            ("pyproject.toml", DEV),
            ("uv.lock", DEV_LOCK),
            ("packages/auth-client/pyproject.toml", &member("auth_client", "0.1.2", "")),
            ("packages/model/pyproject.toml", &member("model.qwen2.5", "1.0.0", "")),
            ("staging/pyproject.toml", &of_staging(PINNED)),
            ("staging/uv.lock", &of_staging(PINNED_LOCK)),
            ("prod/pyproject.toml", PINNED),
            ("prod/uv.lock", PINNED_LOCK),
        ])
    }
}

#[test]
fn clean_monorepo_has_no_findings() {
    assert_eq!(Tree::clean().all_shown(), [""; 0]);
}

/// What no rule may report.
#[test]
fn accepts_equal_prereleases_and_unrelated_folders() {
    let tree = Tree::clean();
    // Both have the same releases, as after a release that was preceded by pre-releases; and there is an unrelated
    // folder.
    tree.write("staging/pyproject.toml", &PINNED.replace("v0.1.2", "v0.1.3rc1").replace("v1.0.0", "v1.0.1rc1"));
    let lock = PINNED_LOCK.replace("v0.1.2", "v0.1.3rc1").replace("v1.0.0", "v1.0.1rc1");
    tree.write("staging/uv.lock", &lock.replace("\"0.1.2\"", "\"0.1.3rc1\"").replace("\"1.0.0\"", "\"1.0.1rc1\""));
    tree.write("packages/prod/README.md", "no profile\n");
    assert_eq!(tree.all_shown(), [""; 0]);
}

#[test]
fn path_sources_of_members_are_internal_but_wheels_are_not() {
    let tree = Tree::clean();
    let internal = |tree: &Tree| {
        let monorepo = Monorepo::discover(&tree.root).unwrap();
        let names = Facts::read(&monorepo, &Variables::default()).internal;
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    tree.replace(
        "pyproject.toml",
        "[tool.uv.sources]\n",
        "[tool.uv.sources]\nsix = { path = \"vendor/six-1.17.0-py3-none-any.whl\" }\n",
    );
    assert_eq!(internal(&tree), ["auth-client", "model-qwen2-5"]);
    tree.replace(
        "packages/model/pyproject.toml",
        "[build-system]",
        "dependencies = [\"deep\"]\n[tool.uv.sources]\ndeep = { path = \"deep\" }\n[build-system]",
    );
    assert_eq!(internal(&tree), ["auth-client", "deep", "model-qwen2-5"]);
}
