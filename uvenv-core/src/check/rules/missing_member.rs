//! A path source refers to an existing directory.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity, workspace},
    fs::normal,
    manifest::{Manifest, SourceKind},
    model::Profile,
    uv::cache_keys,
};

pub(super) const RULE: Rule = Rule {
    code: "missing-member",
    severity: Severity::Error,
    summary: "a path source names a directory that does not exist or has no package",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    workspace::manifests(facts).flat_map(|manifest| of_manifest(facts, manifest)).collect()
}

fn of_manifest(facts: &Facts<'_>, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let used = manifest.uv.sources.iter().filter(|(package, _)| workspace::requires(facts, &package.value));
    for (package, sources) in used {
        for source in sources {
            let SourceKind::Path(path) = &source.kind else { continue };
            let directory = normal(&manifest.directory().join(path));
            let what = if !directory.exists() {
                "is not there"
            } else if directory.is_dir() && !cache_keys::has_package(&directory) {
                "has no package in it"
            } else {
                continue;
            };
            let name = &package.value;
            let message = format!("the source of `{name}` is the directory `{path}`, which {what}");
            let help = match workspace::submodule_of(facts, &directory) {
                Some(submodule) => format!(
                    "it is in a git submodule that is not initialised: run `git submodule update --init {}`",
                    facts.monorepo.relative(&submodule)
                ),
                None => "correct the path, or restore the directory".to_owned(),
            };
            let place = manifest.place(source.span.clone());
            findings.push(RULE.finding(message, help).at(place).in_profile(Profile::Dev).about(name));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_path_sources_without_a_package() {
        let tree = Tree::clean();
        tree.replace(
            "pyproject.toml",
            "auth-client = { workspace = true }",
            "auth-client = { path = \"vendor/auth\" }\nsix = { path = \"wheels/six.whl\" }\nidna = { path = \"empty\" }",
        );
        tree.replace("pyproject.toml", "\"six>=1.16\"", "\"six>=1.16\", \"idna\"");
        tree.write("empty/README.md", "");
        tree.write("wheels/six.whl", "");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "pyproject.toml:14: the source of `auth-client` is the directory `vendor/auth`, which is not there",
                "pyproject.toml:16: the source of `idna` is the directory `empty`, which has no package in it",
            ]
        );
        // uv does not look at a source that nobody uses.
        tree.replace("pyproject.toml", "idna = { path", "nobodys = { path");
        assert_eq!(tree.shown(RULE.code).len(), 1);
        tree.write("vendor/auth/setup.py", "");
        tree.write("empty/pyproject.toml", "[project]\nname = \"idna\"\nversion = \"1\"\n");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
