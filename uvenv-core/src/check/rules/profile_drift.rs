//! Staging and prod lock for the same environments and Python, and require the same of other packages, as dev.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    str::FromStr,
};

use pep440_rs::VersionSpecifiers;

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::Requirement,
    model::{Name, Place, Profile, quoted_or},
    monorepo::ProfileContext,
    uv::python_version_file,
};

pub(super) const RULE: Rule = Rule {
    code: "profile-drift",
    severity: Severity::Warning,
    summary: "`environments`, `.python-version` or the requirements on other packages differ from those of dev",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(dev) = facts.profile(Profile::Dev) else { return Vec::new() };
    let mut findings = Vec::new();
    for profile in facts.pinned() {
        findings.extend(environments(profile, dev));
        findings.extend(python_version(facts, profile, dev));
        findings.extend(requirements(facts, profile, dev));
    }
    findings
}

fn finding(profile: &ProfileContext<'_>, message: String, help: &str, place: Option<Place>) -> Finding {
    let place = place.unwrap_or_else(|| profile.manifest.heading());
    RULE.finding(message, help).at(place).in_profile(profile.profile)
}

fn environments(profile: &ProfileContext<'_>, dev: &ProfileContext<'_>) -> Option<Finding> {
    let markers = |context: &ProfileContext<'_>| -> BTreeSet<String> {
        let environments = context.manifest.uv.environments.iter();
        environments.map(|marker| marker.replace('"', "'").split_whitespace().collect()).collect()
    };
    if markers(profile) == markers(dev) {
        return None;
    }
    let shown = |context: &ProfileContext<'_>| quoted_or(&context.manifest.uv.environments, "all environments");
    let message = format!("{} is locked for {}, but dev for {}", profile.profile, shown(profile), shown(dev));
    let key = profile.manifest.uv.keys.iter().find(|key| key.value == "environments");
    let place = key.map(|key| profile.manifest.place(key.span.clone()));
    Some(finding(profile, message, "set the same `environments` in `[tool.uv]` of all profiles", place))
}

/// uv looks for the file only in the directory of the profile's own manifest.
fn python_version(facts: &Facts<'_>, profile: &ProfileContext<'_>, dev: &ProfileContext<'_>) -> Option<Finding> {
    let request = |context: &ProfileContext<'_>| {
        let text = fs::read_to_string(python_version_file(&context.paths.directory)).ok()?;
        let mut lines = text.lines().map(str::trim);
        lines.find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
    };
    let (here, there) = (request(profile), request(dev));
    if here == there {
        return None;
    }
    let path = python_version_file(&profile.paths.directory);
    let (path, name) = (facts.monorepo.relative(&path), profile.profile);
    let message = match (here, there) {
        (Some(here), Some(there)) => format!("`{path}` requests Python `{here}`, but that of dev requests `{there}`"),
        (Some(here), None) => format!("`{path}` requests Python `{here}`, but dev has no such file"),
        (None, there) => {
            let there = there.unwrap_or_default();
            format!("dev requests Python `{there}`, but there is no `{path}`: uv may choose another one for {name}")
        }
    };
    Some(finding(profile, message, "write the same `.python-version` beside the manifest of each profile", None))
}

/// Compares the requirements of the two projects themselves on packages that are made elsewhere.
fn requirements(facts: &Facts<'_>, profile: &ProfileContext<'_>, dev: &ProfileContext<'_>) -> Vec<Finding> {
    let of = |context| other_requirements(facts, context);
    let (here, there) = (of(profile), of(dev));
    let name = profile.profile;
    let help = "require the same in all profiles, and lock those that you change";
    let mut findings = Vec::new();
    for (package, (meaning, requirement)) in &here {
        let place = Some(profile.manifest.place(requirement.span.clone()));
        let message = match there.get(package) {
            Some((other, _)) if other == meaning => continue,
            Some((_, other)) => format!("{name} requires `{}`, but dev requires `{}`", requirement.text, other.text),
            None => format!("{name} requires `{}`, but dev does not", requirement.text),
        };
        findings.push(finding(profile, message, help, place).about(package));
    }
    for (package, (_, requirement)) in there.iter().filter(|(package, _)| !here.contains_key(*package)) {
        let message = format!("dev requires `{}`, but {name} does not", requirement.text);
        findings.push(finding(profile, message, help, None).about(package));
    }
    findings
}

/// The requirements on one package, independent of order and spelling.
type Meaning = BTreeSet<(BTreeSet<Name>, BTreeSet<String>, String)>;

fn other_requirements<'a>(
    facts: &Facts<'_>,
    context: &'a ProfileContext<'_>,
) -> BTreeMap<&'a Name, (Meaning, &'a Requirement)> {
    let mut found: BTreeMap<&Name, (Meaning, &Requirement)> = BTreeMap::new();
    for requirement in context.manifest.project.iter().flat_map(|project| &project.dependencies) {
        if !facts.internal.contains(&requirement.name) {
            let (meaning, _) = found.entry(&requirement.name).or_insert_with(|| (Meaning::new(), requirement));
            meaning.insert(self::meaning(requirement));
        }
    }
    found
}

fn meaning(requirement: &Requirement) -> (BTreeSet<Name>, BTreeSet<String>, String) {
    let (what, marker) = requirement.text.split_once(';').unwrap_or((&requirement.text, ""));
    let start = what.find(|c: char| "<>=!~@(".contains(c)).unwrap_or(what.len());
    let versions = what[start..].trim().trim_start_matches('(').trim_end_matches(')');
    let versions = match VersionSpecifiers::from_str(versions) {
        Ok(specifiers) => specifiers.iter().map(ToString::to_string).collect(),
        // A URL.
        Err(_) => BTreeSet::from([versions.to_owned()]),
    };
    let marker = marker.replace('"', "'").split_whitespace().collect();
    (requirement.extras.iter().cloned().collect(), versions, marker)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_environments_that_differ_from_those_of_dev() {
        let tree = Tree::clean();
        let environments = "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n";
        tree.replace("pyproject.toml", "[tool.uv]\n", environments);
        tree.replace("staging/pyproject.toml", "[tool.uv]\n", &environments.replace(" == ", "=="));
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:2: prod is locked for all environments, but dev for `sys_platform == 'linux'`"]
        );
    }

    #[test]
    fn reports_python_versions_that_differ_from_that_of_dev() {
        let tree = Tree::clean();
        tree.write(".python-version", "# ours\n3.12\n");
        tree.write("staging/.python-version", "3.12");
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:2: dev requests Python `3.12`, but there is no `prod/.python-version`: uv may \
                 choose another one for prod"]
        );
    }

    #[test]
    fn reports_requirements_that_differ_from_those_of_dev() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "\"six>=1.16\"", "\"six>=1.17\", \"idna\"");
        tree.replace("staging/pyproject.toml", "\"six>=1.16\"", "\"Six >= 1.16\"");
        tree.replace("pyproject.toml", "\"six>=1.16\"", "\"six>=1.16\", \"attrs\"");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "staging/pyproject.toml:2: dev requires `attrs`, but staging does not",
                "prod/pyproject.toml:5: prod requires `idna`, but dev does not",
                "prod/pyproject.toml:5: prod requires `six>=1.17`, but dev requires `six>=1.16`",
                "prod/pyproject.toml:2: dev requires `attrs`, but prod does not",
            ]
        );
    }
}
