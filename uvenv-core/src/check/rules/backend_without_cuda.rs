//! A CUDA backend installs packages that are built for CUDA, on all platforms.

use crate::{
    check::{CheckFn, Facts, Finding, LockedBackends, Rule, Severity, cuda_of},
    model::Profile,
    uv::ExportedPackage,
};

pub(super) const RULE: Rule = Rule {
    code: "backend-without-cuda",
    severity: Severity::Warning,
    summary: "a CUDA backend installs packages that are not built for CUDA, everywhere or on some platforms",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Not all packages show for which CUDA version they are.
    let shows = |(_, packages): &(_, Vec<ExportedPackage>)| !LockedBackends::cuda(packages).is_empty();
    if !facts.locked.values().any(|locked| locked.by_backend.iter().any(shows)) {
        return findings;
    }
    for (profile, locked) in &facts.locked {
        for (backend, packages) in locked.by_backend.iter().filter(|(backend, _)| backend.cuda.is_some()) {
            let (name, place) = (&backend.name, backend.place.clone());
            if LockedBackends::cuda(packages).is_empty() {
                let message = format!("the backend `{name}` of {profile} is locked without any package for CUDA");
                let help = format!("add its packages to the extra or group `{name}`, with an index for them");
                findings.push(RULE.finding(message, help).at(place).in_profile(*profile));
                continue;
            }
            findings.extend(packages.iter().filter(|package| is_other_build(package, packages)).map(|package| {
                let finding = on_some_platforms(*profile, name.as_str(), package);
                finding.at(place.clone()).in_profile(*profile).about(&package.name)
            }));
        }
    }
    findings
}

/// Whether the package is not built for CUDA, although it is elsewhere.
fn is_other_build(package: &ExportedPackage, packages: &[ExportedPackage]) -> bool {
    let is_for_cuda = |other: &ExportedPackage| other.name == package.name && other.version.contains('+');
    cuda_of(package).is_none()
        && package.marker.is_some()
        && packages.iter().any(|it| is_for_cuda(it) && cuda_of(it).is_some())
}

fn on_some_platforms(profile: Profile, backend: &str, package: &ExportedPackage) -> Finding {
    let ExportedPackage { name, version, marker } = package;
    let marker = marker.as_deref().unwrap_or("everywhere");
    let message = format!(
        "the backend `{backend}` of {profile} installs `{name}` {version}, which is not for CUDA, where {marker}"
    );
    RULE.finding(message, "exclude these platforms with `environments` in `[tool.uv]`, and lock again")
}
