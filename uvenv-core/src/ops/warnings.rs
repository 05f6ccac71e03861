//! What is worth a word before an operation, and stops nothing.

use crate::{
    check::{self, Finding, Levels},
    model::Profile,
    monorepo::Monorepo,
};

/// The findings of `check` that each operation on a profile tells as warnings, but for those that the configuration allows. A
/// manifest that cannot be read has none: whoever uses it gets the error.
pub fn warnings(monorepo: &Monorepo, profile: Profile) -> Vec<Finding> {
    let context = monorepo.context(profile).ok();
    let findings = context.map(|context| check::before_operation(&context)).unwrap_or_default();
    // A configuration that is wrong is for `check` to tell.
    let levels = Levels::new(&monorepo.config, &[]).unwrap_or_default();
    findings.into_iter().filter_map(|finding| levels.apply(finding)).collect()
}
