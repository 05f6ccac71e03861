//! Without a backend, no accelerator packages are installed.

use std::collections::BTreeSet;

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity, cuda_of},
    model::Name,
};

pub(super) const RULE: Rule = Rule {
    code: "accelerator-without-backend",
    severity: Severity::Warning,
    summary: "packages of the backends are also installed if no backend is chosen",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (profile, locked) in &facts.locked {
        let packages = locked.by_backend.iter().flat_map(|(_, packages)| packages);
        let accelerators: BTreeSet<&Name> =
            packages.filter(|package| cuda_of(package).is_some()).map(|package| &package.name).collect();
        let mut also = locked.without.iter().filter(|package| accelerators.contains(&package.name));
        let (Some(package), Some(context)) = (also.next(), facts.profile(*profile)) else { continue };
        let cuda = cuda_of(package).map(|cuda| format!(" for CUDA {cuda}")).unwrap_or_default();
        let message = format!(
            "without a backend, as with `uv sync` and `--backend none`, {profile} installs `{}` {}{cuda}",
            package.name, package.version
        );
        let help = format!("require `{}` only in the extras or groups of the backends", package.name);
        findings
            .push(RULE.finding(message, help).at(context.manifest.heading()).in_profile(*profile).about(&package.name));
    }
    findings
}
