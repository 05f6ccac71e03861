//! Which backend is chosen: an ordered list of who may say so, of which the first that speaks decides.

use std::fmt;

use camino::Utf8PathBuf;

use super::{Backend, BackendError, Detection};
use crate::model::{Name, Variables};

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This backend.
    Named(Name),
    /// The newest that the machine's driver runs.
    Auto,
    /// None: an explicit opt-out.
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

/// A Cargo feature that is called like a backend and is switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureClaim {
    /// The feature and so the backend.
    pub backend: Name,
    /// The crate whose feature it is.
    pub package: String,
}

impl FeatureClaim {
    fn origin(&self) -> String {
        format!("the feature `{}` of the crate `{}`", self.backend, self.package)
    }
}

/// The features with which Cargo builds a crate, as its build script sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildFeatures {
    /// All features of the crate itself that are on.
    pub own: Vec<FeatureClaim>,
    /// Those of uvenv-core that are called like backends, for crates without such features of their own.
    pub core: Vec<FeatureClaim>,
}

impl BuildFeatures {
    /// What they say about `backends`. Features of other names are no claims; those of uvenv-core can mean nothing else,
    /// so they are.
    fn claims(&self, backends: &[Backend]) -> Vec<FeatureClaim> {
        let is_backend = |claim: &&FeatureClaim| backends.iter().any(|backend| backend.name == claim.backend);
        let own: Vec<_> = self.own.iter().filter(is_backend).cloned().collect();
        if own.is_empty() && !backends.is_empty() { self.core.clone() } else { own }
    }
}

/// All that may say something, from the strongest to the weakest.
#[derive(Default)]
pub struct Signals<'a> {
    /// `--backend`.
    pub flag: Option<Choice>,
    /// `--extra` and `--group` on the command line.
    pub extras: Vec<Name>,
    /// What explicit Cargo features switch on, with what is on beside them by default.
    pub features: Vec<FeatureClaim>,
    /// In a build script, what Cargo has decided. The Rust half is built with it, so variables may only agree.
    pub decided: BuildFeatures,
    /// `UVENV_BACKEND` and `UV_TORCH_BACKEND` are read from these.
    pub variables: Variables,
    /// What the environment was last synced with, for commands that go by it.
    pub recorded: Option<Choice>,
    /// What the selected crates' default features switch on; asked only if nothing else has spoken.
    pub default_features: Option<&'a dyn Fn() -> crate::Result<Vec<FeatureClaim>>>,
    /// Asks the driver; only for `auto`.
    pub detect: Option<&'a dyn Fn() -> Detection>,
}

/// The outcome.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The backend; `None` where the manifest has none or the user went without.
    pub backend: Option<Backend>,
    /// Whether the user went without, though the manifest has backends.
    pub opted_out: bool,
    /// Why, in words: `--backend`, `UVENV_BACKEND`, …
    pub origin: String,
    /// What else was asked for it.
    pub(crate) inputs: SelectionInputs,
}

/// Who was asked for the choice of a backend, beside the user and the manifest.
#[derive(Clone, Debug, Default)]
pub(crate) struct SelectionInputs {
    /// The GPU's driver.
    pub(crate) driver: bool,
    /// Cargo: the files that its answer comes from,
    pub(crate) files: Vec<Utf8PathBuf>,
    /// and the directories in which more crates may appear.
    pub(crate) folders: Vec<Utf8PathBuf>,
}

/// Who says so where it is what the environment was last synced with.
const LAST_SYNC: &str = "the last sync of the environment";

impl Selection {
    /// Whether it is what the environment was last synced with.
    pub(crate) fn is_that_of_last_sync(&self) -> bool {
        self.origin.starts_with(LAST_SYNC)
    }

    fn none(opted_out: bool, origin: String) -> Self {
        Self { backend: None, opted_out, origin, inputs: SelectionInputs::default() }
    }

    /// The name of the backend.
    pub fn name(&self) -> Option<&Name> {
        self.backend.as_ref().map(|backend| &backend.name)
    }

    /// What was chosen; nothing where there was nothing to choose.
    pub fn choice(&self) -> Option<Choice> {
        let opted_out = self.opted_out.then_some(Choice::None);
        self.name().map(|name| Choice::Named(name.clone())).or(opted_out)
    }
}

/// Selects one of `backends`, those of the manifest that messages call `manifest`.
pub fn select(backends: &[Backend], manifest: &str, signals: &Signals<'_>) -> crate::Result<Selection> {
    let select = Select { backends, manifest, signals };
    match select.first_claim()? {
        Some(claim) => select.resolve(claim),
        None if backends.is_empty() => Ok(Selection::none(false, format!("`{manifest}` has no backends"))),
        None => Err(BackendError::Required {
            manifest: manifest.to_owned(),
            available: select.names(),
            place: backends.first().map(|backend| backend.place.clone()),
        }
        .into()),
    }
}

struct Select<'a> {
    backends: &'a [Backend],
    manifest: &'a str,
    signals: &'a Signals<'a>,
}

type BackendClaim = (String, Choice);

impl Select<'_> {
    fn names(&self) -> Vec<Name> {
        self.backends.iter().map(|backend| backend.name.clone()).collect()
    }

    /// The claim of the first level that says something.
    fn first_claim(&self) -> crate::Result<Option<BackendClaim>> {
        if let Some(claim) = agreed(self.command_line())? {
            return Ok(Some(claim));
        }
        // Where there is nothing to choose, what was set for other repositories has no say.
        if self.backends.is_empty() {
            return Ok(None);
        }
        let decided = feature_claims(&self.signals.decided.claims(self.backends));
        let variable = self.variable()?;
        if !decided.is_empty() {
            // `auto` leaves the choice to others.
            let variable = variable.filter(|(_, choice)| *choice != Choice::Auto);
            return Ok(agreed(decided.into_iter().chain(variable).collect())?);
        }
        if variable.is_some() {
            return Ok(variable);
        }
        if let Some(recorded) = &self.signals.recorded {
            return Ok(Some((LAST_SYNC.to_owned(), recorded.clone())));
        }
        match self.signals.default_features {
            Some(ask) => Ok(agreed(feature_claims(&ask()?))?),
            None => Ok(None),
        }
    }

    fn variable(&self) -> Result<Option<BackendClaim>, BackendError> {
        let set = |name: &'static str| Some((name, self.signals.variables.get(name)?));
        let Some((name, value)) = ["UVENV_BACKEND", "UV_TORCH_BACKEND"].into_iter().find_map(set) else {
            return Ok(None);
        };
        let choice = Choice::parse(value).map_err(|_| self.unknown(value, name))?;
        Ok(Some((format!("the variable `{name}`"), choice)))
    }

    fn command_line(&self) -> Vec<BackendClaim> {
        let flag = self.signals.flag.iter().map(|choice| ("`--backend`".to_owned(), choice.clone()));
        let names = self.signals.extras.iter().filter(|name| self.find(name).is_some());
        let extras = names.map(|name| {
            let flag = match self.find(name).map(|backend| &backend.selector) {
                Some(crate::manifest::Selector::Group(_)) => "`--group`",
                _ => "`--extra`",
            };
            (flag.to_owned(), Choice::Named(name.clone()))
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
                // Without an answer of the driver even a backend for the CPU would be a guess.
                let detect = self.signals.detect.ok_or_else(|| {
                    nothing_fits("`uvenv-core` was built without the feature `gpu-detection`".to_owned())
                })?;
                let (backend, reason) = fitting(self.backends, &detect()).map_err(nothing_fits)?;
                let origin = format!("{origin}, `auto`: {reason}");
                let inputs = SelectionInputs { driver: true, ..SelectionInputs::default() };
                Ok(Selection { backend: Some(backend.clone()), inputs, ..Selection::none(false, origin) })
            }
        }
    }

    fn unknown(&self, name: &str, origin: &str) -> BackendError {
        BackendError::Unknown {
            name: name.to_owned(),
            origin: origin.to_owned(),
            manifest: self.manifest.to_owned(),
            available: self.names(),
        }
    }
}

fn feature_claims(features: &[FeatureClaim]) -> Vec<BackendClaim> {
    features.iter().map(|claim| (claim.origin(), Choice::Named(claim.backend.clone()))).collect()
}

/// The one choice of a level, or the disagreement.
fn agreed(claims: Vec<BackendClaim>) -> Result<Option<BackendClaim>, BackendError> {
    let mut claims = claims.into_iter();
    let Some(first) = claims.next() else { return Ok(None) };
    let others: Vec<_> = claims.filter(|(_, choice)| *choice != first.1).collect();
    if others.is_empty() {
        return Ok(Some(first));
    }
    let claims = std::iter::once(first).chain(others);
    Err(BackendError::Conflict { claims: claims.map(|(origin, choice)| (origin, choice.to_string())).collect() })
}

/// The newest backend that the driver runs, with the reason; or why there is none.
///
/// A driver runs every CUDA release up to its own. Newer ones of the same major version mostly run as well ("minor version
/// compatibility" in NVIDIA's CUDA Compatibility guide, which excludes code that is compiled at run time), so the oldest of
/// those is taken where nothing else fits.
pub fn fitting<'a>(backends: &'a [Backend], detection: &Detection) -> Result<(&'a Backend, String), String> {
    let cpu = backends.iter().find(|backend| backend.name.as_str().split('-').any(|part| part == "cpu"));
    let without_gpu = |reason: String| match cpu {
        Some(cpu) => Ok((cpu, format!("{reason}, so the CPU backend is taken"))),
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
            format!("the driver {version} runs CUDA up to {driver}, and {cuda} is the newest of them here"),
        ));
    }
    if let Some((cuda, backend)) = known.iter().find(|(cuda, _)| cuda.major == driver.major) {
        let reason =
            format!("the driver {version} is made for CUDA {driver}; {cuda} runs by minor version compatibility");
        return Ok((*backend, reason));
    }
    without_gpu(format!("the driver {version} runs CUDA up to {driver} only"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        backend::CudaVersion,
        manifest::Selector,
        model::{Diagnostic, Place},
    };

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn backend(text: &str) -> Backend {
        Backend {
            name: name(text),
            selector: Selector::Extra(name(text)),
            cuda: CudaVersion::from_tag(text),
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
    fn auto_takes_the_newest_that_runs() {
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

    /// The oracle: the levels as a table, written without the code's notion of a claim.
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
        fn the_first_level_that_speaks_decides(
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

    /// The oracle for build scripts: the crate's features, else those of uvenv-core, else the variables; a variable that says
    /// otherwise than a feature is a conflict.
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
        fn in_a_build_script_features_decide_and_variables_may_agree(
            own in features(), core in features(), uvenv in said_in_a_variable(), torch in said_in_a_variable(),
        ) {
            let backends = [backend("cu124"), backend("cu128")];
            let variables = [("UVENV_BACKEND", uvenv), ("UV_TORCH_BACKEND", torch)];
            let signals = Signals {
                // Other features of the crate are no claims.
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
    fn features_of_uvenv_core_have_no_say_where_there_are_no_backends() {
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
    fn without_backends_only_the_command_line_can_be_wrong() {
        let variables = || [("UVENV_BACKEND", "cu124")].into_iter().collect();
        let signals = Signals { variables: variables(), ..Signals::default() };
        assert!(select(&[], "pyproject.toml", &signals).unwrap().backend.is_none());
        let flag = Some(Choice::Named(name("cu124")));
        let error = select(&[], "pyproject.toml", &Signals { flag, ..Signals::default() }).unwrap_err();
        assert_eq!(error.code(), "unknown-backend");
    }

    #[test]
    fn going_without_is_a_choice_only_where_there_is_one() {
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
