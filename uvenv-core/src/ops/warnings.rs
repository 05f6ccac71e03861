//! The warnings before an operation, which do not stop it.

use crate::{
    check::{self, Finding, Levels},
    model::Profile,
    monorepo::Monorepo,
};

/// Returns the findings of `check` that each operation on a profile reports as warnings, without those that the
/// configuration allows. A manifest that cannot be read has none, because the operation that uses it fails with that
/// error.
pub fn warnings(monorepo: &Monorepo, profile: Profile) -> Vec<Finding> {
    let context = monorepo.context(profile).ok();
    let findings = context.map(|context| check::before_operation(&context)).unwrap_or_default();
    // `check` reports errors in the configuration.
    let levels = Levels::new(&monorepo.config, &[]).unwrap_or_default();
    findings.into_iter().filter_map(|finding| levels.apply(finding)).collect()
}
