//! Profiles, conflicts, index sources and Cargo features agree on the backends.

use crate::{
    backend::{Backend, CudaVersion, own_indexes},
    cargo,
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::{Edit, Extra, Manifest, Selector, SourceKind},
    model::{Name, Profile, quoted},
    monorepo::ProfileContext,
    toml::File,
};

pub(super) const RULE: Rule = Rule {
    code: "backend-mismatch",
    severity: Severity::Error,
    summary: "profiles, conflicts, index sources and Cargo features disagree about the GPU backends",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let dev = facts.profile(Profile::Dev).and_then(|dev| backends(dev, &mut findings));
    for profile in facts.pinned() {
        if let (Some(here), Some(dev)) = (backends(profile, &mut findings), &dev) {
            findings.extend(of_profiles(facts, profile, &here, dev));
            findings.extend(here.iter().flat_map(|backend| packages_of(facts, profile, backend, dev)));
        }
    }
    for profile in &facts.profiles {
        findings.extend(outside_conflicts(facts, profile));
        findings.extend(undeclared_extras(profile));
    }
    if let Some(dev) = dev.filter(|dev| !dev.is_empty()) {
        findings.extend(features_without_extra(facts, &dev));
    }
    findings
}

/// Returns the backends of a profile. If the configuration names a backend that the profile lacks, that is a finding.
fn backends(profile: &ProfileContext<'_>, findings: &mut Vec<Finding>) -> Option<Vec<Backend>> {
    match profile.backends() {
        Ok(backends) => Some(backends.to_vec()),
        Err(error) => {
            let help = error.help().unwrap_or_default();
            let place = error.place().cloned().unwrap_or_else(|| profile.manifest.heading());
            findings.push(RULE.finding(error.to_string(), help).at(place).in_profile(profile.profile));
            None
        }
    }
}

fn has<'a>(backends: &'a [Backend], name: &Name) -> Option<&'a Backend> {
    backends.iter().find(|backend| backend.name == *name)
}

/// Reports the backends that only dev or only another profile has.
fn of_profiles(facts: &Facts<'_>, profile: &ProfileContext<'_>, here: &[Backend], dev: &[Backend]) -> Vec<Finding> {
    let name = profile.profile;
    let lacking = dev.iter().filter(|backend| has(here, &backend.name).is_none()).map(|backend| {
        let extra = &backend.name;
        let finding = match extra_of(&profile.manifest, extra) {
            Some(found) => RULE
                .finding(
                    format!("`{extra}` is a backend in dev, but in {name} it is an extra without conflicts"),
                    format!("add a set with `{{ extra = \"{extra}\" }}` to `conflicts` in `[tool.uv]`, as in dev"),
                )
                .at(profile.manifest.place(found.span.clone())),
            None => RULE
                .finding(
                    format!("dev has the backend `{extra}`, but {name} does not"),
                    format!("add the extra `{extra}` to {name} and to a set of its `conflicts`, or remove it from dev"),
                )
                .at(profile.manifest.heading()),
        };
        fixed_as_in_dev(facts, profile, backend, finding.related("dev declares it here", backend.place.clone()))
    });
    let only_here = here.iter().filter(|backend| has(dev, &backend.name).is_none()).map(|backend| {
        let extra = &backend.name;
        let message = format!("{name} has the backend `{extra}`, but dev does not");
        let help = format!("add the extra `{extra}` to dev and to a set of its `conflicts`, or remove it from {name}");
        RULE.finding(message, help).at(backend.place.clone())
    });
    lacking.chain(only_here).map(|finding| finding.in_profile(name)).collect()
}

/// Reports a backend whose packages dev takes from other indexes, or that lacks packages of dev's.
fn packages_of(facts: &Facts<'_>, profile: &ProfileContext<'_>, backend: &Backend, dev: &[Backend]) -> Vec<Finding> {
    let (name, profile_name) = (&backend.name, profile.profile);
    let (Some(of_dev), dev) = (has(dev, name), &facts.monorepo.dev) else { return Vec::new() };
    let finding = |message: String, help: String, package: &Name| {
        let finding = RULE.finding(message, help).at(backend.place.clone()).in_profile(profile_name).about(package);
        finding.related("dev declares the backend here", of_dev.place.clone())
    };
    let mut findings = Vec::new();
    let (here, there) = (own_indexes(&profile.manifest, &backend.selector), own_indexes(dev, &of_dev.selector));
    for (package, urls) in there {
        let help = format!("give `{package}` the same source for `{name}` in all profiles, and the same index");
        let begins = format!("the backend `{name}` takes `{package}` from {} in dev, but", quoted(&urls));
        match here.get(&package) {
            Some(others) if *others == urls => {}
            Some(others) => {
                findings.push(finding(format!("{begins} from {} in {profile_name}", quoted(others)), help, &package));
            }
            None => {
                let message = format!("{begins} from no index of its own in {profile_name}");
                findings.push(fixed_as_in_dev(facts, profile, of_dev, finding(message, help, &package)));
            }
        }
    }
    let required = profile.manifest.requirements_of(&backend.selector);
    for requirement in dev.requirements_of(&of_dev.selector) {
        let package = &requirement.name;
        if !required.iter().any(|here| here.name == *package) && !facts.internal.contains(package) {
            let message = format!("the backend `{name}` adds `{}` in dev, but not in {profile_name}", requirement.text);
            findings.push(finding(message, format!("add `{}` to `{name}`", requirement.text), package));
        }
    }
    findings
}

/// Adds the fix that copies a backend from dev. A group may belong to a developer's tools, so only extras are copied.
fn fixed_as_in_dev(facts: &Facts<'_>, profile: &ProfileContext<'_>, backend: &Backend, finding: Finding) -> Finding {
    let dev = &facts.monorepo.dev;
    if matches!(backend.selector, Selector::Group(_)) || extra_of(dev, &backend.name).is_none() {
        return finding;
    }
    let edit = Edit::CopyBackends { from: dev.file.text.to_string(), names: vec![backend.name.clone()] };
    finding.fixed_by(profile.manifest.path(), vec![edit])
}

fn extra_of<'a>(manifest: &'a Manifest, name: &Name) -> Option<&'a Extra> {
    manifest.project.as_ref()?.extras.get(name)
}

/// Reports extras that are named like a CUDA release but are not in any conflict set, although other such extras are.
fn outside_conflicts(facts: &Facts<'_>, profile: &ProfileContext<'_>) -> Vec<Finding> {
    let Some(project) = profile.manifest.project.as_ref().filter(|_| facts.monorepo.config.backends.is_none()) else {
        return Vec::new();
    };
    let conflicts = profile.manifest.uv.conflicts.iter().flat_map(|set| &set.entries);
    let exclusive: Vec<_> = conflicts.filter_map(|entry| entry.selector.as_ref()).collect();
    let is_cuda = |name: &Name| name.as_str().split('-').any(|part| CudaVersion::from_tag(part).is_some());
    let cuda: Vec<_> = project.extras.iter().filter(|(name, _)| is_cuda(name)).collect();
    let is_outside = |name: &Name| !exclusive.contains(&&Selector::Extra(name.clone()));
    // If dev has the extra in a conflict set, the comparison of the profiles has reported it already.
    let of_dev = |name: &Name| {
        let dev = facts.monorepo.dev.uv.conflicts.iter().flat_map(|set| &set.entries);
        let mut dev = dev.filter_map(|entry| entry.selector.as_ref());
        profile.profile != Profile::Dev && dev.any(|selector| selector.name() == name)
    };
    let outside = cuda.iter().filter(|(name, _)| cuda.len() > 1 && is_outside(name) && !of_dev(name));
    let finding = |(name, extra): &(&Name, &Extra)| {
        let message = format!(
            "the extra `{name}` of {} is not in a set of `conflicts`, so it can be combined with other backends",
            profile.profile
        );
        let help = format!("add `{{ extra = \"{name}\" }}` to the set of backends in `conflicts`");
        RULE.finding(message, help).at(profile.manifest.place(extra.span.clone())).in_profile(profile.profile)
    };
    outside.map(finding).collect()
}

/// Reports sources for an extra that the manifest does not have.
fn undeclared_extras(profile: &ProfileContext<'_>) -> Vec<Finding> {
    let manifest = &profile.manifest;
    let mut findings = Vec::new();
    if manifest.has_dynamic_requirements() {
        return findings;
    }
    for (package, sources) in &manifest.uv.sources {
        for source in sources {
            let (SourceKind::Index(index), Some(Selector::Extra(extra))) = (&source.kind, &source.selector) else {
                continue;
            };
            // The sources of a workspace's root also apply to its members.
            if profile.manifests().any(|manifest| extra_of(manifest, extra).is_some()) {
                continue;
            }
            let name = &package.value;
            let message =
                format!("`{name}` has the index `{index}` as its source for the extra `{extra}`, which does not exist");
            let help = format!("add the extra `{extra}`, or remove the source");
            let finding = RULE.finding(message, help).at(manifest.place(source.span.clone()));
            findings.push(finding.in_profile(profile.profile).about(name));
        }
    }
    findings
}

/// Reports Cargo features that are named like a CUDA release and do not match a backend, in crates that mirror a
/// backend.
fn features_without_extra(facts: &Facts<'_>, backends: &[Backend]) -> Vec<Finding> {
    let Some(manifest) = facts.monorepo.cargo_manifest().filter(|_| cargo::metadata::find(facts.variables).is_some())
    else {
        return Vec::new();
    };
    // Cargo itself reports a manifest that it cannot read.
    let Ok(features) = cargo::Features::read(&manifest, true, facts.variables) else { return Vec::new() };
    let mut findings = Vec::new();
    for (manifest, features) in features.by_crate() {
        let names: Vec<_> = features.iter().filter_map(|feature| Name::parse(feature)).collect();
        if !names.iter().any(|name| has(backends, name).is_some()) {
            continue;
        }
        for feature in names.iter().filter(|name| CudaVersion::from_tag(name.as_str()).is_some()) {
            if has(backends, feature).is_none() {
                findings.extend(feature_finding(facts, &manifest, feature, backends));
            }
        }
    }
    findings
}

fn feature_finding(
    facts: &Facts<'_>,
    manifest: &camino::Utf8Path,
    feature: &Name,
    backends: &[Backend],
) -> Option<Finding> {
    let file = File::read(manifest).ok()?;
    let document = file.parse().ok()?;
    let place = document.root().get("features").ok()??.get(feature.as_str()).ok()??;
    let message = format!(
        "the Cargo feature `{feature}` in `{}` does not match a backend: dev has {}",
        facts.monorepo.relative(manifest),
        quoted(backends.iter().map(|backend| &backend.name))
    );
    let help =
        format!("add the extra `{feature}` to the manifests and to their sets of backends, or remove the feature");
    Some(RULE.finding(message, help).at(file.place(place.key_span())))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    const EXTRAS: &str = "[project.optional-dependencies]\ncu124 = []\ncu128 = []\n\n[tool.uv]\n\
                          conflicts = [[{ extra = \"cu124\" }, { extra = \"cu128\" }]]\n";

    fn with_backends() -> Tree {
        let tree = Tree::clean();
        for profile in ["", "staging/", "prod/"] {
            tree.replace(&format!("{profile}pyproject.toml"), "[tool.uv]\n", EXTRAS);
        }
        tree
    }

    #[test]
    fn accepts_profiles_with_the_same_backends() {
        assert_eq!(with_backends().shown(RULE.code), [""; 0]);
    }

    #[test]
    fn reports_backends_missing_from_a_profile() {
        let tree = with_backends();
        tree.replace("prod/pyproject.toml", EXTRAS, "[tool.uv]\n");
        tree.replace("staging/pyproject.toml", "cu128", "cu130");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "staging/pyproject.toml:2: dev has the backend `cu128`, but staging does not",
                "staging/pyproject.toml:12: staging has the backend `cu130`, but dev does not",
                "prod/pyproject.toml:2: dev has the backend `cu124`, but prod does not",
                "prod/pyproject.toml:2: dev has the backend `cu128`, but prod does not",
            ]
        );
    }

    #[test]
    fn reports_an_extra_outside_the_conflicts_once() {
        let tree = with_backends();
        tree.replace("prod/pyproject.toml", ", { extra = \"cu128\" }", "");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "prod/pyproject.toml:8: `cu124` is a backend in dev, but in prod it is an extra without conflicts",
                "prod/pyproject.toml:9: `cu128` is a backend in dev, but in prod it is an extra without conflicts",
            ]
        );
        let tree = with_backends();
        tree.replace("pyproject.toml", "cu128 = []\n", "cu128 = []\ncu130 = []\ndocs = []\n");
        assert_eq!(
            tree.shown(RULE.code),
            ["pyproject.toml:10: the extra `cu130` of dev is not in a set of `conflicts`, so it can be combined with \
              other backends"]
        );
    }

    #[test]
    fn reports_a_source_for_an_undefined_extra() {
        let tree = with_backends();
        tree.replace(
            "prod/pyproject.toml",
            "[tool.uv.sources]\n",
            "[tool.uv.sources]\nsix = [{ index = \"i\", extra = \"cu126\" }, { index = \"j\", extra = \"cu124\" }]\n",
        );
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:16: `six` has the index `i` as its source for the extra `cu126`, which does not \
              exist"]
        );
    }

    #[test]
    fn reports_cargo_features_that_match_no_backend() {
        let tree = with_backends();
        let manifest = |name: &str, features: &str| {
            let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
            tree.write(&format!("crates/{name}/src/lib.rs"), "");
            tree.write(&format!("crates/{name}/Cargo.toml"), &format!("{package}\n[features]\n{features}"));
        };
        tree.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
        manifest("kernels", "cu124 = []\ncu126 = []\nfast = []\n");
        manifest("other", "cu999 = []\n");
        let found = tree.found_by(RULE.code, &crate::Variables::from_process());
        let messages: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            messages,
            ["the Cargo feature `cu126` in `crates/kernels/Cargo.toml` does not match a backend: dev \
              has `cu124`, `cu128`"]
        );
        assert_eq!(found[0].place.as_ref().unwrap().line(), 8);
    }
}
