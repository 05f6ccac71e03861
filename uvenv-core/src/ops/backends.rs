//! `backend list` and `backend detect`.

use super::Session;
#[cfg(feature = "full")]
use crate::cargo;
use crate::{
    backend::{Backend, Detection, detect as ask_driver, fitting},
    manifest::Selector,
    model::{Name, Profile},
    monorepo::Monorepo,
    report::{AutoChoice, BackendInfo, BackendsReport, DetectionReport, ProfileBackends},
};

/// Lists the backends of each profile, and the Cargo features that select them.
pub fn list(monorepo: &Monorepo, session: &Session) -> crate::Result<BackendsReport> {
    let profiles = all_backends(monorepo)?;
    let mut names: Vec<Name> = Vec::new();
    for backend in profiles.iter().flat_map(|(_, backends)| backends) {
        if !names.contains(&backend.name) {
            names.push(backend.name.clone());
        }
    }
    let (features, features_unknown) = match selecting_features(monorepo, session, &names) {
        Ok(features) => (features, None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    let profiles = profiles.into_iter().map(|(profile, backends)| ProfileBackends {
        profile,
        backends: backends.iter().map(|backend| describe(backend, &features)).collect(),
    });
    Ok(BackendsReport { profiles: profiles.collect(), features_unknown })
}

/// Returns the answer of the driver, and the backend that `auto` would select.
pub fn detect(monorepo: Option<&Monorepo>) -> crate::Result<DetectionReport> {
    let detected = ask_driver();
    let profiles = monorepo.map(all_backends).transpose()?.unwrap_or_default();
    let auto = profiles.into_iter().map(|(profile, backends)| auto(profile, &backends, &detected));
    Ok(DetectionReport { auto: auto.collect(), detected })
}

fn auto(profile: Profile, backends: &[Backend], detected: &Detection) -> AutoChoice {
    let (backend, explanation) = match fitting(backends, detected) {
        _ if backends.is_empty() => (None, "the manifest has no backends".to_owned()),
        Ok((backend, reason)) => (Some(backend.name.clone()), reason),
        Err(reason) => (None, reason),
    };
    AutoChoice { profile, backend, explanation }
}

fn all_backends(monorepo: &Monorepo) -> crate::Result<Vec<(Profile, Vec<Backend>)>> {
    let backends = monorepo
        .profiles
        .iter()
        .map(|paths| Ok((paths.profile, monorepo.context(paths.profile)?.backends()?.to_vec())));
    backends.collect()
}

fn describe(backend: &Backend, features: &[(Name, String)]) -> BackendInfo {
    let selecting = features.iter().filter(|(selected, _)| *selected == backend.name);
    BackendInfo {
        name: backend.name.clone(),
        kind: match backend.selector {
            Selector::Extra(_) => "extra",
            Selector::Group(_) => "group",
        },
        cuda: backend.cuda,
        features: selecting.map(|(_, feature)| feature.clone()).collect(),
    }
}

#[cfg(feature = "full")]
fn selecting_features(monorepo: &Monorepo, session: &Session, names: &[Name]) -> Result<Vec<(Name, String)>, String> {
    let Some(manifest) = monorepo.cargo_manifest().filter(|_| !names.is_empty()) else { return Ok(Vec::new()) };
    if cargo::metadata::find(&session.settings.variables).is_none() {
        return Err("cargo is not installed".to_owned());
    }
    let features = cargo::Features::read(&manifest, session.settings.offline, &session.settings.variables)
        .map_err(|error| error.to_string())?;
    features.selecting(names).map_err(|error| error.to_string())
}

#[cfg(not(feature = "full"))]
fn selecting_features(_: &Monorepo, _: &Session, _: &[Name]) -> Result<Vec<(Name, String)>, String> {
    Err("uvenv was built without the feature `cargo-features`".to_owned())
}
