//! What an image says of itself and of its containers.

use std::collections::HashMap;

use oci_spec::image::{History, ImageConfiguration};

use serde_json::Value;

use super::contents::Contents;
use crate::{
    image::{Base, Layer, TIME_TEXT},
    model::Profile,
};

/// The annotation with the hash of the base's manifest ([annotations]).
///
/// [annotations]: https://github.com/opencontainers/image-spec/blob/main/annotations.md
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// What the names of our labels begin with.
const LABELS: &str = "uvenv.";

/// Returns the configuration of the base with the environment in it, and with what only Docker knows of.
pub(super) fn configured(contents: &Contents<'_>, profile: Profile, layers: [&Layer; 2]) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(typed(contents, profile, layers))?;
    if let Some(config) = value["config"].as_object_mut() {
        config.extend(contents.base.more.clone());
    }
    Ok(value)
}

fn typed(contents: &Contents<'_>, profile: Profile, layers: [&Layer; 2]) -> ImageConfiguration {
    let Contents { base, options, .. } = contents;
    let mut image = base.configuration.clone();
    let mut config = image.config().clone().unwrap_or_default();
    let environment = options.environment();
    let set = [
        ("PATH", path(&format!("{environment}/bin"), base.path())),
        ("VIRTUAL_ENV", environment.to_string()),
        ("UVENV_PROFILE", profile.to_string()),
    ];
    let is_other = |variable: &String| set.iter().all(|(name, _)| variable.split('=').next() != Some(*name));
    let others = config.env().iter().flatten().filter(|variable| is_other(variable)).cloned();
    let variables = others.chain(set.iter().map(|(name, value)| format!("{name}={value}"))).collect();
    config.set_env(Some(variables)).set_working_dir(Some(options.workdir.to_string()));
    let mut labels = config.labels().clone().unwrap_or_default();
    // A base can have been made by uvenv too.
    labels.retain(|name, _| !name.starts_with(LABELS));
    labels.extend(self::labels(contents, profile));
    config.set_labels(Some(labels));
    if let Some(user) = &options.user {
        config.set_user(Some(user.clone()));
    }
    if !options.entrypoint.is_empty() {
        // The arguments of the base are not meant for this one.
        config.set_entrypoint(Some(options.entrypoint.clone())).set_cmd(None);
    }
    let mut files = image.rootfs().clone();
    files.diff_ids_mut().extend(layers.iter().map(|layer| format!("sha256:{}", layer.diff_id.digest())));
    let history = history(&image, base, profile);
    image.set_config(Some(config)).set_rootfs(files).set_history(Some(history)).set_created(Some(TIME_TEXT.to_owned()));
    image
}

/// Returns `PATH` with `first` at the start, and nowhere else.
fn path(first: &str, rest: &str) -> String {
    let rest = rest.split(':').filter(|directory| *directory != first);
    [first].into_iter().chain(rest).collect::<Vec<_>>().join(":")
}

/// Returns what the image was made from.
fn labels(contents: &Contents<'_>, profile: Profile) -> impl Iterator<Item = (String, String)> {
    let facts = &contents.made.selection.lock.facts;
    let pins = facts.pins.iter().map(|pin| {
        let tag = pin.reference.as_deref().unwrap_or_default();
        (format!("{LABELS}pin.{}", pin.name), format!("{tag}@{}", pin.commit))
    });
    let backend = facts.backend.as_ref().map(|name| (format!("{LABELS}backend"), name.to_string()));
    [
        ("uvenv.profile".to_owned(), profile.to_string()),
        ("uvenv.lockfile".to_owned(), format!("sha256:{}", facts.lockfile)),
    ]
    .into_iter()
    .chain(backend)
    .chain(pins)
}

/// Returns the history of the base with the two layers. A base without one gets an entry for each layer.
fn history(image: &ImageConfiguration, base: &Base, profile: Profile) -> Vec<History> {
    let entry = |text: String| {
        let mut entry = History::default();
        entry.set_created(Some(TIME_TEXT.to_owned())).set_created_by(Some(text));
        entry
    };
    let of_base = image.history().clone().filter(|history| !history.is_empty());
    let of_base = of_base.unwrap_or_else(|| base.layers.iter().map(|_| entry("base".to_owned())).collect());
    let own = ["packages", "internal packages"].map(|what| entry(format!("cargo uvenv image: {what} of {profile}")));
    of_base.into_iter().chain(own).collect()
}

/// Returns what the manifest says of the base. A path would be one of this machine.
pub(super) fn annotations(base: &Base) -> HashMap<String, String> {
    base.digest.iter().map(|digest| (BASE_DIGEST.to_owned(), digest.clone())).collect()
}
