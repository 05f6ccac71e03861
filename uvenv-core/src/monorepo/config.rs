//! The configuration: `[workspace.metadata.uvenv]` in the root `Cargo.toml`, or `[tool.uvenv]` in the root
//! `pyproject.toml` where there is no Cargo workspace.

use std::{collections::BTreeMap, ops::Range};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    manifest::Manifest,
    model::{Diagnostic, Name, Place, Profile, nearest, quoted},
    toml::{File, Node},
};

const KEYS: [&str; 5] = ["backends", "check", "env-per-backend", "profiles", "trust"];
const LEVELS: [&str; 3] = ["allow", "deny", "warn"];
const TRUST: [&str; 2] = ["allowed-signers", "signed-tags"];
const PROFILES: [&str; 2] = ["staging", "prod"];

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// An unknown key.
    #[error("unknown key `{key}` in `[{table}]`")]
    UnknownKey {
        key: String,
        table: String,
        nearest: Option<&'static str>,
        valid: &'static [&'static str],
        place: Place,
    },
    /// A profile in `signed-tags` that has no pins.
    #[error("`signed-tags` names `{text}`, which is not a profile with pins")]
    NotPinned { text: String, place: Place },
    /// Both tables exist.
    #[error("uvenv is configured in both `{cargo}` and `{}`", place.path())]
    Both { cargo: Utf8PathBuf, place: Place },
}

impl Diagnostic for ConfigError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "unknown-key",
            Self::NotPinned { .. } => "not-a-pinned-profile",
            Self::Both { .. } => "two-configurations",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownKey { valid, .. } => Some(format!("the keys are {}", quoted(*valid))),
            Self::NotPinned { .. } => Some("the profiles with pins are `staging` and `prod`".to_owned()),
            Self::Both { .. } => {
                Some("move what `[tool.uvenv]` says to `[workspace.metadata.uvenv]` in `Cargo.toml`".to_owned())
            }
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::UnknownKey { place, .. } | Self::NotPinned { place, .. } | Self::Both { place, .. } => Some(place),
        }
    }
}

/// The configuration of a monorepo, for what differs from the usual layout.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `backends`: the backends of every manifest, which replace those that its conflicts declare.
    pub backends: Option<Vec<Name>>,
    /// `env-per-backend`: one environment for each backend, `.venv-cu124` beside `.venv-cu128`.
    pub env_per_backend: bool,
    /// `profiles`: the directories of staging and prod, relative to the root, if they have other names.
    pub profiles: BTreeMap<Profile, Utf8PathBuf>,
    /// `check`: which findings are errors, warnings or ignored.
    pub check: CheckConfig,
    /// `trust`: which tags must be signed, and by whom.
    pub trust: TrustConfig,
}

/// `trust`: which tags must be signed, and by whom.
#[derive(Clone, Debug, Default)]
pub struct TrustConfig {
    /// `signed-tags`: the profiles whose pins must be signed tags.
    pub signed_tags: Vec<Profile>,
    /// `allowed-signers`: the file with the SSH keys of the signers, relative to the root.
    pub allowed_signers: Option<Utf8PathBuf>,
}

impl TrustConfig {
    /// Whether the pins of `profile` must be signed tags.
    pub fn requires_signature(&self, profile: Profile) -> bool {
        self.signed_tags.contains(&profile)
    }
}

/// `check`: codes of findings, as written in the configuration.
#[derive(Clone, Debug, Default)]
pub struct CheckConfig {
    /// `allow`: not reported.
    pub allow: Vec<Code>,
    /// `warn`: warnings.
    pub warn: Vec<Code>,
    /// `deny`: errors.
    pub deny: Vec<Code>,
}

/// A code in the configuration.
#[derive(Clone, Debug)]
pub struct Code {
    /// The text of the code.
    pub text: String,
    /// Its location.
    pub place: Place,
}

impl Config {
    /// Reads the configuration of the monorepo whose dev manifest is `dev`.
    pub(super) fn read(dev: &Manifest) -> crate::Result<Self> {
        let cargo_path = dev.directory().join("Cargo.toml");
        let in_cargo = Self::read_cargo(&cargo_path)?;
        match (in_cargo, &dev.uvenv) {
            (Some(_), Some(span)) => {
                Err(ConfigError::Both { cargo: cargo_path, place: dev.place(Range::clone(span)) }.into())
            }
            (Some(config), None) => Ok(config),
            (None, Some(_)) => {
                let table = Self::read_table(&dev.file, &["tool", "uvenv"])?;
                Ok(table.unwrap_or_default())
            }
            (None, None) => Ok(Self::default()),
        }
    }

    fn read_cargo(path: &Utf8Path) -> crate::Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        Self::read_table(&File::read(path)?, &["workspace", "metadata", "uvenv"])
    }

    fn read_table(file: &File, path: &[&str]) -> crate::Result<Option<Self>> {
        let document = file.parse()?;
        let mut node = document.root();
        for key in path {
            match node.get(key)? {
                Some(next) => node = next,
                None => return Ok(None),
            }
        }
        let mut config = Self::default();
        for (key, value) in node.entries()? {
            match key {
                "backends" => config.backends = Some(value.names()?),
                "env-per-backend" => config.env_per_backend = value.bool()?,
                "profiles" => config.profiles = read_profiles(file, &value)?,
                "check" => config.check = read_check(file, &value)?,
                "trust" => config.trust = read_trust(file, &value)?,
                _ => return Err(unknown_key(file, key, &node, &value, &KEYS).into()),
            }
        }
        Ok(Some(config))
    }
}

fn read_profiles(file: &File, node: &Node<'_>) -> crate::Result<BTreeMap<Profile, Utf8PathBuf>> {
    let mut profiles = BTreeMap::new();
    for (key, value) in node.entries()? {
        let profile = match key {
            "staging" => Profile::Staging,
            "prod" => Profile::Prod,
            _ => return Err(unknown_key(file, key, node, &value, &PROFILES).into()),
        };
        profiles.insert(profile, value.string()?.value.into());
    }
    Ok(profiles)
}

fn read_check(file: &File, node: &Node<'_>) -> crate::Result<CheckConfig> {
    let mut check = CheckConfig::default();
    for (key, value) in node.entries()? {
        let codes = match key {
            "allow" => &mut check.allow,
            "warn" => &mut check.warn,
            "deny" => &mut check.deny,
            _ => return Err(unknown_key(file, key, node, &value, &LEVELS).into()),
        };
        let written = value.strings()?.into_iter();
        codes.extend(written.map(|code| Code { text: code.value, place: file.place(code.span) }));
    }
    Ok(check)
}

fn read_trust(file: &File, node: &Node<'_>) -> crate::Result<TrustConfig> {
    let mut trust = TrustConfig::default();
    for (key, value) in node.entries()? {
        match key {
            "allowed-signers" => trust.allowed_signers = Some(value.string()?.value.into()),
            "signed-tags" => {
                for profile in value.strings()? {
                    match profile.value.parse() {
                        Ok(profile @ (Profile::Staging | Profile::Prod)) => trust.signed_tags.push(profile),
                        _ => {
                            return Err(ConfigError::NotPinned {
                                text: profile.value,
                                place: file.place(profile.span),
                            }
                            .into());
                        }
                    }
                }
            }
            _ => return Err(unknown_key(file, key, node, &value, &TRUST).into()),
        }
    }
    Ok(trust)
}

fn unknown_key(
    file: &File,
    key: &str,
    table: &Node<'_>,
    value: &Node<'_>,
    valid: &'static [&'static str],
) -> ConfigError {
    ConfigError::UnknownKey {
        key: key.to_owned(),
        table: table.key().to_owned(),
        nearest: nearest(&key.replace('_', "-"), valid.iter().copied(), 3),
        valid,
        place: file.place(value.key_span()),
    }
}
