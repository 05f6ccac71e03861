//! Passes the backend and the Cargo profile to the builders.
//!
//! uv passes a package's settings to its builder. If a key is set in several places, its values become a list, and
//! maturin takes each item as one argument. The user's own settings must be kept.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{
    CargoProfile, NativeError,
    package::{Builder, NativePackage},
};
use crate::{
    manifest::{BuildSettings, ConfigSettings, Manifest},
    model::{Name, Variables},
    process::quoted,
    toml::{File, Node},
    uv::{Version, settings},
};

/// The first uv version with settings for a single package.
const PACKAGE_SETTINGS: Version = Version { major: 0, minor: 8, patch: 1 };

/// The variable with maturin's arguments for all builds.
const MATURIN_VARIABLE: &str = "MATURIN_PEP517_ARGS";

/// setuptools-rust's variable for the Cargo profile.
const SETUPTOOLS_VARIABLE: &str = "SETUPTOOLS_RUST_CARGO_PROFILE";

/// maturin's setting, and its newer name, which wins if both are set.
const KEYS: [&str; 2] = ["build-args", "maturin.build-args"];

/// What decides how packages are built, in addition to their sources.
#[derive(Clone, Debug)]
pub(crate) struct BuildChoices<'a> {
    /// All backends of the manifest.
    pub(crate) backends: &'a [Name],
    /// The selected backend.
    pub(crate) backend: Option<&'a Name>,
    /// The Cargo profile.
    pub(crate) profile: Option<CargoProfile>,
    /// The user's arguments for uv.
    pub(crate) uv_args: &'a [std::ffi::OsString],
}

/// The settings and variables that uvenv passes to uv.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuilderConfig {
    /// `PACKAGE:KEY=VALUE`.
    pub(crate) settings: Vec<String>,
    /// Variables for the builders.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// For each package, all arguments of its build, including its own.
    pub(super) arguments: BTreeMap<Name, String>,
}

/// Determines what uv must be told for `packages`.
pub(super) fn configure_builders(
    packages: &[NativePackage],
    manifest: &Manifest,
    choices: &BuildChoices<'_>,
    variables: &Variables,
    uv: Version,
) -> crate::Result<BuilderConfig> {
    let settings = UserSettings::new(manifest, choices.uv_args, variables);
    let mut config = BuilderConfig::default();
    let mut maturin = Vec::new();
    for package in packages {
        match package.builder {
            Builder::Maturin => maturin.push((package, settings.of(&package.name))),
            Builder::SetuptoolsRust => {
                let profile = choices.profile.map(|profile| profile.as_str().to_owned());
                let profile = profile.or_else(|| variables.get(SETUPTOOLS_VARIABLE).map(str::to_owned));
                config.arguments.insert(package.name.clone(), profile.unwrap_or_default());
            }
            Builder::Hook => {}
        }
    }
    if let Some(profile) = choices.profile.filter(|_| !config.arguments.is_empty()) {
        config.variables.push((SETUPTOOLS_VARIABLE, profile.as_str().to_owned()));
    }
    let mut ours = Vec::new();
    for (package, user) in &maturin {
        ours.push(maturin_arguments(package, user, choices)?);
        let all = [user.text(), ours.last().map(|ours: &Vec<_>| ours.join(" ")).unwrap_or_default()];
        config.arguments.insert(package.name.clone(), all.join(" ").trim().to_owned());
    }
    if ours.iter().all(Vec::is_empty) {
        return Ok(config);
    }
    if uv < PACKAGE_SETTINGS {
        config.variables.push((MATURIN_VARIABLE, for_all(&maturin, &ours, uv)?));
        return Ok(config);
    }
    for ((package, user), ours) in maturin.iter().zip(&ours) {
        config.settings.extend(user.with(package, ours, choices.profile)?);
    }
    Ok(config)
}

/// Returns the value of the one variable that an older uv passes on. All builds see it.
fn for_all(maturin: &[(&NativePackage, UserArguments)], ours: &[Vec<String>], uv: Version) -> crate::Result<String> {
    let differs =
        |((_, user), other): (&(&NativePackage, UserArguments), &Vec<String>)| other != &ours[0] || user.key.is_some();
    if let Some(((package, _), _)) = maturin.iter().zip(ours).find(|pair| differs((pair.0, pair.1))) {
        return Err(NativeError::UvTooOld { package: package.name.clone(), uv, needed: PACKAGE_SETTINGS }.into());
    }
    let user = maturin.first().map(|(_, user)| user.text()).unwrap_or_default();
    Ok(format!("{user} {}", ours[0].join(" ")).trim().to_owned())
}

fn maturin_arguments(
    package: &NativePackage,
    user: &UserArguments,
    choices: &BuildChoices<'_>,
) -> crate::Result<Vec<String>> {
    let mut arguments = feature_arguments(package, user, choices)?;
    arguments.extend(choices.profile.map(|profile| format!("--profile={}", profile.as_str())));
    Ok(arguments)
}

fn feature_arguments(
    package: &NativePackage,
    user: &UserArguments,
    choices: &BuildChoices<'_>,
) -> crate::Result<Vec<String>> {
    let tables = &package.manifest.build.maturin;
    let features = CrateFeatures::read(&package.crates[0], choices);
    if tables.all_features || user.has(&["--all-features"]) || !features.concern_us() {
        return Ok(Vec::new());
    }
    let has_default = !tables.no_default_features && !user.has(&["--no-default-features"]);
    let gives_features = user.has(&["--features", "-F"]);
    let from_table: &[String] = if gives_features { &[] } else { &tables.features };
    let chosen = features.chosen();
    let lose_default = has_default && features.lead_elsewhere("default");
    let lose_feature = from_table.iter().any(|feature| features.lead_elsewhere(feature));
    if chosen.is_none() && !lose_default && !lose_feature {
        return Ok(Vec::new());
    }
    if tables.has_conditional_features && !gives_features {
        return Err(NativeError::ConditionalFeatures {
            package: package.name.clone(),
            manifest: package.directory.join(crate::manifest::FILE_NAME),
        }
        .into());
    }
    let roots = lose_default.then_some("default").into_iter().chain(from_table.iter().map(String::as_str));
    let mut kept = Vec::new();
    for feature in roots {
        features.keep(feature, &mut BTreeSet::new(), &mut kept);
    }
    kept.extend(chosen.map(str::to_owned));
    let mut seen = BTreeSet::new();
    kept.retain(|feature| seen.insert(feature.clone()));
    let no_default = lose_default.then(|| "--no-default-features".to_owned());
    // If the command line has no features, maturin uses those in the manifest.
    let needs_list = !kept.is_empty() || lose_feature;
    Ok(no_default.into_iter().chain(needs_list.then(|| format!("--features={}", kept.join(",")))).collect())
}

/// The features in a crate's `Cargo.toml`, and the backends.
struct CrateFeatures<'a> {
    table: BTreeMap<String, Vec<String>>,
    choices: &'a BuildChoices<'a>,
}

impl<'a> CrateFeatures<'a> {
    /// Reads the features. A manifest that cannot be read has none, because cargo reports the error.
    fn read(manifest: &Utf8Path, choices: &'a BuildChoices<'a>) -> Self {
        Self { table: read_features(manifest).unwrap_or_default(), choices }
    }

    fn concern_us(&self) -> bool {
        !self.choices.backends.is_empty() && !self.table.is_empty()
    }

    /// Returns the feature that has the name of the selected backend.
    fn chosen(&self) -> Option<&str> {
        let backend = self.choices.backend?;
        self.table.keys().map(String::as_str).find(|feature| Name::parse(feature).as_ref() == Some(backend))
    }

    /// Whether `feature` has the name of a backend that is not selected. It may belong to a dependency:
    /// `crate/feature`.
    fn is_other(&self, feature: &str) -> bool {
        let name = feature.rsplit('/').next().and_then(Name::parse);
        name.is_some_and(|name| self.choices.backends.contains(&name) && self.choices.backend != Some(&name))
    }

    /// Whether `feature` enables such a backend.
    fn lead_elsewhere(&self, feature: &str) -> bool {
        self.leads(feature, &mut BTreeSet::new())
    }

    fn leads<'b>(&'b self, feature: &'b str, visited: &mut BTreeSet<&'b str>) -> bool {
        let next = self.table.get(feature).into_iter().flatten();
        self.is_other(feature) || (visited.insert(feature) && next.into_iter().any(|next| self.leads(next, visited)))
    }

    /// Adds what remains of `feature` without the other backends.
    fn keep<'b>(&'b self, feature: &'b str, visited: &mut BTreeSet<&'b str>, kept: &mut Vec<String>) {
        // A dependency alone, or a weak dependency feature, cannot be named on a command line.
        let can_be_named = !feature.starts_with("dep:") && !feature.contains("?/");
        if self.is_other(feature) || !can_be_named || !visited.insert(feature) {
            return;
        }
        if !self.lead_elsewhere(feature) {
            if feature != "default" || self.table.contains_key("default") {
                kept.push(feature.to_owned());
            }
            return;
        }
        for next in self.table.get(feature).into_iter().flatten() {
            self.keep(next, visited, kept);
        }
    }
}

fn read_features(manifest: &Utf8Path) -> Option<BTreeMap<String, Vec<String>>> {
    let file = File::read(manifest).ok()?;
    let document = file.parse().ok()?;
    let table = document.root().get("features").ok()??;
    let list = |node: &Node<'_>| node.strings().unwrap_or_default().into_iter().map(|text| text.value).collect();
    Some(table.entries().ok()?.iter().map(|(name, node)| ((*name).to_owned(), list(node))).collect())
}

/// The user's settings for builders.
struct UserSettings {
    settings: BuildSettings,
    variable: Option<String>,
}

impl UserSettings {
    /// Reads them from uv's configuration and command line, and from maturin's own variable.
    fn new(manifest: &Manifest, uv_args: &[std::ffi::OsString], variables: &Variables) -> Self {
        let file = BuildSettings::from_uv_toml(&manifest.directory().join(settings::FILE_NAME));
        let mut settings = file.unwrap_or_else(|| manifest.build.settings.clone());
        let mut arguments = uv_args.iter().filter_map(|argument| argument.to_str());
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ if argument.starts_with("-C") && argument.len() > 2 => ("-C", argument.get(2..)),
                _ => (argument, None),
            };
            match name {
                "-C" | "--config-setting" | "--config-settings" => {
                    if let Some(value) = value.or_else(|| arguments.next()) {
                        add(&mut settings.all, value);
                    }
                }
                "--config-settings-package" => {
                    let value = value.or_else(|| arguments.next()).and_then(|value| value.split_once(':'));
                    if let Some((Some(package), value)) = value.map(|(name, value)| (Name::parse(name), value)) {
                        add(settings.packages.entry(package).or_default(), value);
                    }
                }
                _ => {}
            }
        }
        Self { settings, variable: variables.get(MATURIN_VARIABLE).map(str::to_owned) }
    }

    fn of(&self, package: &Name) -> UserArguments {
        let own = self.settings.packages.get(package);
        for key in KEYS.iter().rev() {
            let sources = [own, Some(&self.settings.all)];
            let values: Vec<_> =
                sources.into_iter().flatten().filter_map(|settings| settings.get(*key)).flatten().cloned().collect();
            if !values.is_empty() {
                return UserArguments { key: Some(key), values };
            }
        }
        UserArguments { key: None, values: self.variable.iter().cloned().collect() }
    }
}

fn add(settings: &mut ConfigSettings, text: &str) {
    if let Some((key, value)) = text.split_once('=') {
        settings.entry(key.to_owned()).or_default().push(value.to_owned());
    }
}

/// The user's arguments for one package's build.
struct UserArguments {
    /// The setting that contains them; `None` if they come from the variable.
    key: Option<&'static str>,
    /// A single value is in shell syntax; each of several values is one argument.
    values: Vec<String>,
}

impl UserArguments {
    /// Returns them as one text in shell syntax.
    fn text(&self) -> String {
        match self.values.as_slice() {
            [text] => text.clone(),
            several => several.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(" "),
        }
    }

    fn has(&self, options: &[&str]) -> bool {
        let text = self.text();
        text.split_whitespace().any(|word| {
            let name = word.split_once('=').map_or(word, |(name, _)| name);
            options.iter().any(|option| name == *option || (option.len() == 2 && name.starts_with(option)))
        })
    }

    /// Returns the settings that pass the user's arguments and `ours` to maturin.
    fn with(
        &self,
        package: &NativePackage,
        ours: &[String],
        profile: Option<CargoProfile>,
    ) -> crate::Result<Vec<String>> {
        if ours.is_empty() {
            return Ok(Vec::new());
        }
        let name = &package.name;
        if self.key == Some(KEYS[1]) {
            // The newer key is already taken, so uv combines the existing values and ours into a list.
            let is_one = |value: &String| !value.contains(|c: char| c.is_whitespace() || "\"'\\".contains(c));
            if !self.values.iter().all(is_one) || (profile.is_some() && self.has(&PROFILE_OPTIONS)) {
                return Err(NativeError::BuildArguments { package: name.clone(), arguments: self.text() }.into());
            }
            return Ok(ours.iter().map(|argument| format!("{name}:{}={argument}", KEYS[1])).collect());
        }
        let text = self.text();
        let user = if profile.is_some() { without_profile(&text) } else { text };
        let key = if self.key.is_some() { KEYS[1] } else { KEYS[0] };
        Ok(vec![format!("{name}:{key}={}", format!("{user} {}", ours.join(" ")).trim())])
    }
}

const PROFILE_OPTIONS: [&str; 3] = ["--profile", "--release", "-r"];

/// Removes the profile from the arguments, because maturin accepts only one.
fn without_profile(text: &str) -> String {
    let mut kept = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--profile" => drop(words.next()),
            "--release" | "-r" => {}
            word if word.starts_with("--profile=") => {}
            word => kept.push(word),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what remains of `features` for `backend`, and the feature that has the backend's name.
    fn kept(table: &[(&str, &[&str])], backend: Option<&str>, roots: &[&str]) -> (Vec<String>, Option<String>) {
        let name = |text: &&str| Name::parse(text).unwrap();
        let backends: Vec<_> = ["cu124", "cu128", "rocm6.2"].iter().map(name).collect();
        let backend = backend.as_ref().map(name);
        let choices = BuildChoices { backends: &backends, backend: backend.as_ref(), profile: None, uv_args: &[] };
        let list = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let table = table.iter().map(|(name, features)| ((*name).to_owned(), list(features))).collect();
        let features = CrateFeatures { table, choices: &choices };
        let mut kept = Vec::new();
        for root in roots {
            features.keep(root, &mut BTreeSet::new(), &mut kept);
        }
        (kept, features.chosen().map(str::to_owned))
    }

    #[test]
    fn expands_features_to_remove_other_backends() {
        let table: &[(&str, &[&str])] = &[
            ("default", &["std", "gpu", "kernels/cu124", "kernels/fast", "kernels?/slow", "dep:cudarc"]),
            ("gpu", &["cu124", "fused"]),
            ("std", &[]),
            ("fused", &[]),
            ("cu124", &[]),
            ("cu128", &[]),
        ];
        let rest = ["std", "fused", "kernels/fast"].map(str::to_owned).to_vec();
        assert_eq!(kept(table, Some("cu128"), &["default"]), (rest.clone(), Some("cu128".to_owned())));
        assert_eq!(kept(table, None, &["default"]), (rest, None));
        assert_eq!(kept(table, Some("cu124"), &["default"]).0, ["default"]);
        assert_eq!(kept(table, Some("cu124"), &["std", "cu128"]).0, ["std"]);
    }

    #[test]
    fn handles_feature_cycles_and_names_that_are_not_normalised() {
        let table: &[(&str, &[&str])] =
            &[("a", &["b", "rocm6_2"]), ("b", &["a", "c"]), ("c", &[]), ("rocm6_2", &[]), ("CU124", &[])];
        assert_eq!(
            kept(table, Some("cu124"), &["a", "missing"]),
            (vec!["c".into(), "missing".into()], Some("CU124".into()))
        );
        assert_eq!(kept(table, Some("rocm6.2"), &["a"]), (vec!["a".into()], Some("rocm6_2".into())));
    }

    #[test]
    fn removes_all_profile_options() {
        assert_eq!(without_profile("--profile dev --strip -r --profile=x --release -F a"), "--strip -F a");
    }

    #[test]
    fn finds_options_in_all_their_forms() {
        let given =
            |values: &[&str]| UserArguments { key: None, values: values.iter().map(ToString::to_string).collect() };
        for values in [&["--strip --features a"][..], &["-Fa"], &["--features=a"], &["--strip", "-F", "a"]] {
            assert!(given(values).has(&["--features", "-F"]), "{values:?}");
        }
        assert!(!given(&["--features-of-mine --strip"]).has(&["--features", "-F"]));
        assert_eq!(given(&["--config", "a b"]).text(), "--config 'a b'");
    }

    #[test]
    fn finds_config_settings_in_all_their_forms() {
        let file = File { path: "pyproject.toml".into(), text: "[project]\nname = \"a\"\n".into() };
        let manifest = Manifest::from_file(file).unwrap();
        let arguments = ["-C", "a=1", "-Ca=2", "--config-setting=a=3", "--config-settings-package", "x_y:b=4", "-q"];
        let settings = UserSettings::new(&manifest, &arguments.map(Into::into), &Variables::default());
        assert_eq!(settings.settings.all["a"], ["1", "2", "3"]);
        assert_eq!(settings.settings.packages[&Name::parse("x-y").unwrap()]["b"], ["4"]);
    }
}
