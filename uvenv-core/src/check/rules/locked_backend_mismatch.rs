//! The packages that are locked for a backend are built for its CUDA version, in all profiles.

use crate::{
    backend::{Backend, CudaVersion},
    check::{CheckFn, Facts, Finding, LockedBackends, Rule, Severity},
    model::Profile,
    uv::ExportedPackage,
};

pub(super) const RULE: Rule = Rule {
    code: "locked-backend-mismatch",
    severity: Severity::Error,
    summary: "the packages that are locked for a backend are built for another CUDA version",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (profile, locked) in &facts.locked {
        for (backend, packages) in &locked.by_backend {
            let found = declared(*profile, backend, packages);
            findings.extend(found.or_else(|| other_than_dev(facts, *profile, backend, packages)));
        }
    }
    findings
}

/// Compares with the version that the manifest declares, by the index, the requirements or the name.
fn declared(profile: Profile, backend: &Backend, packages: &[ExportedPackage]) -> Option<Finding> {
    let wanted = backend.cuda?;
    let locked = LockedBackends::cuda(packages);
    let (cuda, package) = locked.iter().next().filter(|_| !locked.contains_key(&wanted))?;
    let why = format!("it is declared for CUDA {wanted}");
    Some(finding(profile, backend, (*cuda, package), &why))
}

fn other_than_dev(
    facts: &Facts<'_>,
    profile: Profile,
    backend: &Backend,
    packages: &[ExportedPackage],
) -> Option<Finding> {
    let of_dev = &facts.locked.get(&Profile::Dev)?.by_backend;
    let (_, of_dev) = of_dev.iter().find(|(other, _)| other.name == backend.name)?;
    let (here, there) = (LockedBackends::cuda(packages), LockedBackends::cuda(of_dev));
    let (dev, _) = there.iter().next()?;
    let (cuda, package) = here.iter().next().filter(|_| here.keys().all(|cuda| !there.contains_key(cuda)))?;
    Some(finding(profile, backend, (*cuda, package), &format!("in dev it is locked with CUDA {dev}")))
}

fn finding(
    profile: Profile,
    backend: &Backend,
    (cuda, package): (CudaVersion, &ExportedPackage),
    why: &str,
) -> Finding {
    let ExportedPackage { name, version, .. } = package;
    let message = format!(
        "the backend `{}` of {profile} is locked with CUDA {cuda} (`{name}` {version}), but {why}",
        backend.name
    );
    let help = "give the packages of the backend an index of their own in `[tool.uv.sources]`, as PyTorch's has one for each \
                CUDA version, and lock again";
    RULE.finding(message, help).at(backend.place.clone()).in_profile(profile).about(name)
}
