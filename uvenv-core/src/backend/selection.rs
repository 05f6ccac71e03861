//! Chooses the backend. The sources of a choice are ordered, and the first one that makes a choice decides.

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize, Serializer};

use super::{Backend, BackendError, Detection};
use crate::{
    manifest::Selector,
    model::{Name, Variables},
};

/// The variable that selects a backend.
pub(crate) const VARIABLE: &str = "UVENV_BACKEND";

/// A requested choice. Records have it as text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Choice {
    /// This backend.
    Named(Name),
    /// The newest backend that the machine's driver can run.
    Auto,
    /// No backend: an explicit opt-out.
    None,
}

impl Choice {
    /// Reads `NAME`, `auto` or `none`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            name => Name::parse(name).map(Self::Named).ok_or_else(|| format!("`{name}` is not a valid name")),
        }
    }

    /// Returns the name of the backend, if it is a certain one.
    pub fn into_name(self) -> Option<Name> {
        match self {
            Self::Named(name) => Some(name),
            Self::Auto | Self::None => None,
        }
    }
}

impl TryFrom<String> for Choice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Auto => f.write_str("auto"),
            Self::None => f.write_str("none"),
        }
    }
}

/// A Cargo feature that has the name of a backend and is enabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureClaim {
    /// The name of the feature, and so of the backend.
    pub backend: Name,
    /// The crate whose feature it is.
    pub package: String,
}

/// The source of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendOrigin {
    /// An option of the command line: `--backend`, `--extra` or `--group`.
    Option(&'static str),
    /// An enabled Cargo feature.
    Feature(FeatureClaim),
    /// An environment variable.
    Variable(&'static str),
    /// The environment's last sync.
    LastSync,
    /// There is nothing to choose: this manifest has no backends.
    NoBackends {
        /// The manifest, relative to the root.
        manifest: String,
    },
    /// The GPU driver decides, because the choice is `auto`.
    Driver {
        /// The source of `auto`.
        asked_by: Box<Self>,
        /// What the driver says.
        reason: String,
    },
}

impl fmt::Display for BackendOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(option) => write!(f, "`{option}`"),
            Self::Feature(FeatureClaim { backend, package }) => {
                write!(f, "the feature `{backend}` of the crate `{package}`")
            }
            Self::Variable(name) => write!(f, "the variable `{name}`"),
            Self::LastSync => f.write_str("the last sync of the environment"),
            Self::NoBackends { manifest } => write!(f, "`{manifest}` has no backends"),
            Self::Driver { asked_by, reason } => write!(f, "{asked_by}, `auto`: {reason}"),
        }
    }
}

/// The features that Cargo builds a crate with, as the crate's build script sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildFeatures {
    /// All enabled features of the crate itself.
    pub own: Vec<FeatureClaim>,
    /// The features of uvenv-core with the names of backends, for crates without such features of their own.
    pub core: Vec<FeatureClaim>,
}

impl BuildFeatures {
    /// Returns the claims about `backends`. A feature with another name is not a claim, unless it comes from
    /// uvenv-core, where it can mean nothing else.
    fn claims(&self, backends: &[Backend]) -> Vec<FeatureClaim> {
        let is_backend = |claim: &&FeatureClaim| backends.iter().any(|backend| backend.name == claim.backend);
        let own: Vec<_> = self.own.iter().filter(is_backend).cloned().collect();
        if own.is_empty() && !backends.is_empty() { self.core.clone() } else { own }
    }
}

/// All sources of a choice, from the strongest to the weakest.
#[derive(Default)]
pub struct Signals<'a> {
    /// `--backend`.
    pub flag: Option<Choice>,
    /// `--extra` and `--group` on the command line.
    pub extras: Vec<Name>,
    /// The backends that explicit Cargo features enable, together with the default features that remain on.
    pub features: Vec<FeatureClaim>,
    /// In a build script, the features that Cargo has decided on. The Rust half is built with them, so variables must
    /// agree.
    pub decided: BuildFeatures,
    /// The source of `UVENV_BACKEND` and `UV_TORCH_BACKEND`.
    pub variables: Variables,
    /// The environment that `UVENV_BACKEND` was set for, if that is why `variables` does not have it.
    pub holds_for: Option<Utf8PathBuf>,
    /// The choice of the environment's last sync, for commands that keep to it.
    pub recorded: Option<Choice>,
    /// Finds the backends that the selected crates' default features enable. Called only if nothing else makes a
    /// choice.
    pub default_features: Option<&'a dyn Fn() -> crate::Result<Vec<FeatureClaim>>>,
    /// Queries the driver. Called only for `auto`.
    pub detect: Option<&'a dyn Fn() -> Detection>,
}

/// The result of the selection.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The backend; `None` if the manifest has none or the user opted out.
    pub backend: Option<Backend>,
    /// Whether the user opted out although the manifest has backends.
    pub opted_out: bool,
    /// The source of the choice.
    pub origin: BackendOrigin,
    /// The other inputs of the choice.
    pub(crate) inputs: SelectionInputs,
}

/// The inputs of the selection, other than the user's choice and the manifest.
#[derive(Clone, Debug, Default)]
pub(crate) struct SelectionInputs {
    /// Whether the GPU driver was queried.
    pub(crate) driver: bool,
    /// The files that Cargo's answer comes from.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// The directories in which more crates may appear and change Cargo's answer.
    pub(crate) folders: Vec<Utf8PathBuf>,
}

impl Selection {
    fn none(opted_out: bool, origin: BackendOrigin) -> Self {
        Self { backend: None, opted_out, origin, inputs: SelectionInputs::default() }
    }

    /// Returns the name of the backend.
    pub fn name(&self) -> Option<&Name> {
        self.backend.as_ref().map(|backend| &backend.name)
    }

    /// Returns the choice; `None` if there was nothing to choose.
    pub fn choice(&self) -> Option<Choice> {
        let opted_out = self.opted_out.then_some(Choice::None);
        self.name().map(|name| Choice::Named(name.clone())).or(opted_out)
    }
}

/// Selects one of `backends`. Messages call their manifest `manifest`.
pub fn select(backends: &[Backend], manifest: &str, signals: &Signals<'_>) -> crate::Result<Selection> {
    let selection = select_if_said(backends, manifest, signals)?;
    if !backends.is_empty() && matches!(selection.origin, BackendOrigin::NoBackends { .. }) {
        return Err(BackendError::Required {
            manifest: manifest.to_owned(),
            available: backends.iter().map(|backend| backend.name.clone()).collect(),
            holds_for: signals.holds_for.clone(),
            place: backends.first().map(|backend| backend.place.clone()),
        }
        .into());
    }
    Ok(selection)
}

/// Selects one of `backends`, or none if nothing says which.
pub(crate) fn select_if_said(backends: &[Backend], manifest: &str, signals: &Signals<'_>) -> crate::Result<Selection> {
    let select = Select { backends, manifest, signals };
    match select.first_claim()? {
        Some(claim) => select.resolve(claim),
        None => Ok(Selection::none(false, BackendOrigin::NoBackends { manifest: manifest.to_owned() })),
    }
}

struct Select<'a> {
    backends: &'a [Backend],
    manifest: &'a str,
    signals: &'a Signals<'a>,
}

type BackendClaim = (BackendOrigin, Choice);

impl Select<'_> {
    fn names(&self) -> Vec<Name> {
        self.backends.iter().map(|backend| backend.name.clone()).collect()
    }

    /// Returns the claim of the first level that makes a choice.
    fn first_claim(&self) -> crate::Result<Option<BackendClaim>> {
        if let Some(claim) = agreed(self.command_line())? {
            return Ok(Some(claim));
        }
        // If there is nothing to choose, settings that were made for other repositories do not count.
        if self.backends.is_empty() {
            return Ok(None);
        }
        let decided = feature_claims(&self.signals.decided.claims(self.backends));
        let variable = self.variable()?;
        if !decided.is_empty() {
            // `auto` defers to the features.
            let variable = variable.filter(|(_, choice)| *choice != Choice::Auto);
            return agreed(decided.into_iter().chain(variable).collect());
        }
        if variable.is_some() {
            return Ok(variable);
        }
        if let Some(recorded) = &self.signals.recorded {
            return Ok(Some((BackendOrigin::LastSync, recorded.clone())));
        }
        match self.signals.default_features {
            Some(ask) => Ok(agreed(feature_claims(&ask()?))?),
            None => Ok(None),
        }
    }

    fn variable(&self) -> crate::Result<Option<BackendClaim>> {
        let set = |name: &'static str| Some((name, self.signals.variables.get(name)?));
        let Some((name, value)) = [VARIABLE, "UV_TORCH_BACKEND"].into_iter().find_map(set) else {
            return Ok(None);
        };
        let origin = BackendOrigin::Variable(name);
        match Choice::parse(value) {
            Ok(choice) => Ok(Some((origin, choice))),
            Err(_) => Err(self.unknown(value, &origin).into()),
        }
    }

    fn command_line(&self) -> Vec<BackendClaim> {
        let flag = self.signals.flag.iter().map(|choice| (BackendOrigin::Option("--backend"), choice.clone()));
        let extras = self.signals.extras.iter().filter_map(|name| {
            let backend = self.find(name).or_else(|| self.backends.iter().find(|it| it.variants.contains(name)))?;
            let option = match backend.selector {
                Selector::Group(_) => "--group",
                Selector::Extra(_) => "--extra",
            };
            Some((BackendOrigin::Option(option), Choice::Named(backend.name.clone())))
        });
        flag.chain(extras).chain(feature_claims(&self.signals.features)).collect()
    }

    fn find(&self, name: &Name) -> Option<&Backend> {
        self.backends.iter().find(|backend| backend.name == *name)
    }

    fn resolve(&self, (origin, choice): BackendClaim) -> crate::Result<Selection> {
        match choice {
            Choice::None => Ok(Selection::none(!self.backends.is_empty(), origin)),
            Choice::Named(name) => match self.find(&name) {
                Some(backend) => Ok(Selection { backend: Some(backend.clone()), ..Selection::none(false, origin) }),
                None => Err(self.unknown(name.as_str(), &origin).into()),
            },
            Choice::Auto if self.backends.is_empty() => Ok(Selection::none(false, origin)),
            Choice::Auto => {
                let nothing_fits = |reason| BackendError::NothingFits {
                    manifest: self.manifest.to_owned(),
                    reason,
                    available: self.names(),
                };
                // Without an answer from the driver, even a CPU backend would be a guess.
                let detect = self.signals.detect.ok_or_else(|| {
                    nothing_fits("`uvenv-core` was built without the feature `gpu-detection`".to_owned())
                })?;
                let (backend, reason) = fitting(self.backends, &detect()).map_err(nothing_fits)?;
                let origin = BackendOrigin::Driver { asked_by: Box::new(origin), reason };
                let inputs = SelectionInputs { driver: true, ..SelectionInputs::default() };
                Ok(Selection { backend: Some(backend.clone()), inputs, ..Selection::none(false, origin) })
            }
        }
    }

    fn unknown(&self, name: &str, origin: &BackendOrigin) -> BackendError {
        BackendError::Unknown {
            name: name.to_owned(),
            origin: origin.clone(),
            manifest: self.manifest.to_owned(),
            available: self.names(),
        }
    }
}

fn feature_claims(features: &[FeatureClaim]) -> Vec<BackendClaim> {
    features.iter().map(|claim| (BackendOrigin::Feature(claim.clone()), Choice::Named(claim.backend.clone()))).collect()
}

/// Returns the one choice of a level, or an error if its claims disagree.
fn agreed(claims: Vec<BackendClaim>) -> crate::Result<Option<BackendClaim>> {
    let mut claims = claims.into_iter();
    let Some(first) = claims.next() else { return Ok(None) };
    let others: Vec<_> = claims.filter(|(_, choice)| *choice != first.1).collect();
    if others.is_empty() {
        return Ok(Some(first));
    }
    Err(BackendError::Conflict { claims: std::iter::once(first).chain(others).collect() }.into())
}

/// Returns the newest backend that the driver can run, with the reason; or the reason why there is none.
///
/// A driver runs every CUDA release up to its own. It usually also runs newer ones of the same major version ("minor
/// version compatibility" in NVIDIA's CUDA Compatibility guide, which excludes code that is compiled at run time), so
/// the oldest of those is used if nothing else fits.
pub fn fitting<'a>(backends: &'a [Backend], detection: &Detection) -> Result<(&'a Backend, String), String> {
    let cpu = backends.iter().find(|backend| backend.name.as_str().split('-').any(|part| part == "cpu"));
    let without_gpu = |reason: String| match cpu {
        Some(cpu) => Ok((cpu, format!("{reason}, so the CPU backend is used"))),
        None => Err(reason),
    };
    let Detection::Driver { version, cuda: driver, .. } = detection else {
        let Detection::None { reason } = detection else { unreachable!("two variants") };
        return without_gpu(reason.clone());
    };
    let mut known: Vec<_> = backends.iter().filter_map(|backend| Some((backend.cuda?, backend))).collect();
    known.sort_by_key(|(cuda, _)| *cuda);
    if let Some((cuda, backend)) = known.iter().rev().find(|(cuda, _)| cuda <= driver) {
        return Ok((
            *backend,
            format!("the driver {version} supports CUDA up to {driver}, and {cuda} is the newest such backend"),
        ));
    }
    if let Some((cuda, backend)) = known.iter().find(|(cuda, _)| cuda.major == driver.major) {
        let reason = format!(
            "the driver {version} supports CUDA up to {driver}; {cuda} runs through minor version \
                     compatibility"
        );
        return Ok((*backend, reason));
    }
    without_gpu(format!("the driver {version} supports CUDA only up to {driver}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{backend::CudaVersion, model::Place};

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn backend(text: &str) -> Backend {
        Backend {
            name: name(text),
            selector: Selector::Extra(name(text)),
            cuda: CudaVersion::from_tag(text),
            variants: Vec::new(),
            place: Place::new("pyproject.toml", "".into(), 0..0),
        }
    }

    fn driver(major: u32, minor: u32) -> Detection {
        Detection::Driver { version: "1.2".to_owned(), cuda: CudaVersion { major, minor }, gpus: Vec::new() }
    }

    fn auto(backends: &[&str], detection: &Detection) -> Option<String> {
        let backends: Vec<_> = backends.iter().copied().map(backend).collect();
        fitting(&backends, detection).ok().map(|(backend, _)| backend.name.to_string())
    }

    #[test]
    fn auto_selects_the_newest_backend_the_driver_supports() {
        let all = ["cpu", "cu118", "cu128", "cu124"];
        assert_eq!(auto(&all, &driver(12, 4)).as_deref(), Some("cu124"));
        assert_eq!(auto(&all, &driver(12, 7)).as_deref(), Some("cu124"));
        assert_eq!(auto(&all, &driver(13, 0)).as_deref(), Some("cu128"));
        assert_eq!(auto(&all, &driver(11, 4)).as_deref(), Some("cu118"));
        assert_eq!(auto(&all, &driver(10, 2)).as_deref(), Some("cpu"));
        assert_eq!(auto(&["cu124", "cu128"], &driver(12, 2)).as_deref(), Some("cu124"));
        assert_eq!(auto(&["cu124", "cu128"], &driver(11, 8)), None);
        let none = Detection::None { reason: "no driver".to_owned() };
        assert_eq!(auto(&all, &none).as_deref(), Some("cpu"));
        assert_eq!(auto(&["cu124"], &none), None);
    }

    fn claims(names: &[&str]) -> Vec<FeatureClaim> {
        names.iter().map(|text| FeatureClaim { backend: name(text), package: "kernels".to_owned() }).collect()
    }

    /// The oracle: the levels as a table, written without the code's concept of a claim.
    fn expected(levels: &[Vec<&str>]) -> Result<Option<String>, &'static str> {
        let Some(level) = levels.iter().find(|level| !level.is_empty()) else { return Err("backend-required") };
        let mut names = level.clone();
        names.dedup();
        match names.as_slice() {
            ["none"] => Ok(None),
            ["cu118"] => Err("unknown-backend"),
            [name] => Ok(Some((*name).to_owned())),
            _ => Err("backend-conflict"),
        }
    }

    fn said() -> impl Strategy<Value = Option<&'static str>> {
        prop::option::of(prop::sample::select(vec!["cu124", "cu128", "none", "cu118"]))
    }

    fn features() -> impl Strategy<Value = Vec<&'static str>> {
        prop::sample::subsequence(vec!["cu124", "cu128"], 0..=2)
    }

    proptest! {
        #[test]
        fn first_level_that_names_a_backend_decides(
            flag in said(), explicit in features(), own in said(), torch in said(), recorded in said(), default in features(),
        ) {
            let backends = [backend("cu124"), backend("cu128")];
            let choice = |text: &str| Choice::parse(text).unwrap();
            let defaults = || Ok(claims(&default));
            let variables = [("UVENV_BACKEND", own), ("UV_TORCH_BACKEND", torch)];
            let signals = Signals {
                flag: flag.map(choice),
                features: claims(&explicit),
                variables: variables.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
                recorded: recorded.map(choice),
                default_features: Some(&defaults),
                ..Signals::default()
            };
            let first = flag.into_iter().chain(explicit).collect();
            let levels = [first, Vec::from_iter(own), Vec::from_iter(torch), Vec::from_iter(recorded), default.clone()];
            let found = select(&backends, "pyproject.toml", &signals);
            match (expected(&levels), found) {
                (Ok(expected), Ok(found)) => prop_assert_eq!(expected, found.name().map(Name::to_string)),
                (Err(expected), Err(found)) => prop_assert_eq!(expected, found.code()),
                (expected, found) => prop_assert!(false, "{:?} {:?}", expected, found),
            }
        }
    }

    /// The oracle for build scripts: the crate's features, else those of uvenv-core, else the variables. A variable
    /// that contradicts a feature is a conflict.
    fn expected_in_a_build_script(
        own: &[&'static str],
        core: &[&'static str],
        variables: [Option<&'static str>; 2],
    ) -> Result<Option<String>, &'static str> {
        let features = if own.is_empty() { core } else { own };
        let variable = variables.into_iter().flatten().next();
        let mut said: Vec<_> = features.iter().copied().chain(variable).collect();
        if !features.is_empty() {
            said.retain(|name| *name != "auto");
        }
        said.dedup();
        match said.as_slice() {
            [] => Err("backend-required"),
            ["auto"] => Err("no-fitting-backend"),
            ["none"] => Ok(None),
            ["cu118"] => Err("unknown-backend"),
            [name] => Ok(Some((*name).to_owned())),
            _ => Err("backend-conflict"),
        }
    }

    fn said_in_a_variable() -> impl Strategy<Value = Option<&'static str>> {
        prop::option::of(prop::sample::select(vec!["cu124", "cu128", "none", "auto", "cu118"]))
    }

    proptest! {
        #[test]
        fn features_decide_in_a_build_script_and_variables_may_agree(
            own in features(), core in features(), uvenv in said_in_a_variable(), torch in said_in_a_variable(),
        ) {
            let backends = [backend("cu124"), backend("cu128")];
            let variables = [("UVENV_BACKEND", uvenv), ("UV_TORCH_BACKEND", torch)];
            let signals = Signals {
                // The crate's other features are not claims.
                decided: BuildFeatures { own: claims(&[&own[..], &["std"]].concat()), core: claims(&core) },
                variables: variables.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
                ..Signals::default()
            };
            let found = select(&backends, "pyproject.toml", &signals);
            match (expected_in_a_build_script(&own, &core, [uvenv, torch]), found) {
                (Ok(expected), Ok(found)) => prop_assert_eq!(expected, found.name().map(Name::to_string)),
                (Err(expected), Err(found)) => prop_assert_eq!(expected, found.code()),
                (expected, found) => prop_assert!(false, "{:?} {:?}", expected, found),
            }
        }
    }

    #[test]
    fn ignores_features_of_uvenv_core_without_backends() {
        let decided = BuildFeatures { core: claims(&["cu124", "cu128"]), ..BuildFeatures::default() };
        let signals = Signals { decided, ..Signals::default() };
        assert!(select(&[], "pyproject.toml", &signals).unwrap().backend.is_none());
        let error = select(&[backend("cu118")], "pyproject.toml", &signals).unwrap_err();
        assert_eq!(error.code(), "backend-conflict");
        let decided = BuildFeatures { core: claims(&["cu124"]), ..BuildFeatures::default() };
        let error = select(&[backend("cu118")], "pyproject.toml", &Signals { decided, ..Signals::default() });
        assert_eq!(error.unwrap_err().code(), "unknown-backend");
    }

    #[test]
    fn only_the_flag_is_an_error_without_backends() {
        let variables = || [("UVENV_BACKEND", "cu124")].into_iter().collect();
        let signals = Signals { variables: variables(), ..Signals::default() };
        assert!(select(&[], "pyproject.toml", &signals).unwrap().backend.is_none());
        let flag = Some(Choice::Named(name("cu124")));
        let error = select(&[], "pyproject.toml", &Signals { flag, ..Signals::default() }).unwrap_err();
        assert_eq!(error.code(), "unknown-backend");
    }

    #[test]
    fn none_is_a_choice_only_if_backends_are_declared() {
        let none = || Signals { flag: Some(Choice::None), ..Signals::default() };
        let backends = [backend("cu124")];
        assert_eq!(select(&backends, "pyproject.toml", &none()).unwrap().choice(), Some(Choice::None));
        assert_eq!(select(&[], "pyproject.toml", &none()).unwrap().choice(), None);
    }

    #[test]
    fn an_extra_that_is_a_backend_selects_it() {
        let backends = [backend("cu124"), backend("cu128")];
        let signals = Signals { extras: vec![name("docs"), name("cu128")], ..Signals::default() };
        assert_eq!(select(&backends, "pyproject.toml", &signals).unwrap().name(), Some(&name("cu128")));
    }
}
