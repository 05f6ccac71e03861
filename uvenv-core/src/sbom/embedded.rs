//! What is linked into a distribution, as far as it says so itself: the documents in `dist-info/sboms` ([PEP 770]), which
//! maturin writes for crates and auditwheel for libraries.
//!
//! Others have written them, in any version of the specification: only what identifies a component is taken, if it is valid.
//!
//! [PEP 770]: https://peps.python.org/pep-0770/

use std::{collections::BTreeMap, fs, io::ErrorKind, str::FromStr as _};

use cyclonedx_bom::{
    external_models::{normalized_string::NormalizedString, spdx::SpdxIdentifier, uri::Purl},
    models::{
        component::{Classification, Component, Components},
        hash::{Hash, HashAlgorithm, HashValue, Hashes},
        license::{License, LicenseChoice, Licenses},
    },
};
use packageurl::PackageUrl;
use serde_json::Value;

use super::license;
use crate::{
    environment::Distribution,
    model::{Name, redact},
};

/// The algorithms of hashes, and how long these are in hexadecimal.
const HASHES: [(&str, usize); 5] = [("MD5", 32), ("SHA-1", 40), ("SHA-256", 64), ("SHA-384", 96), ("SHA-512", 128)];

/// What is linked into a distribution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Embedded {
    /// The components, by what identifies them.
    components: BTreeMap<String, Component>,
    /// Why this may not be all.
    pub(crate) unknown: Option<String>,
}

impl Embedded {
    /// It is not known what is linked into it.
    pub(crate) fn unknown(reason: impl Into<String>) -> Self {
        Self { unknown: Some(reason.into()), ..Self::default() }
    }

    /// Adds a component, unless it is there already.
    pub(super) fn add(&mut self, component: Component) {
        let version = component.version.as_ref().map(ToString::to_string).unwrap_or_default();
        let own = || format!("{}@{version}", component.name);
        let key = component.purl.as_ref().map_or_else(own, ToString::to_string);
        self.components.entry(key).or_insert(component);
    }

    /// Returns the components, each as a part of the component with the reference `parent`.
    pub(super) fn components(&self, parent: &str) -> Option<Components> {
        let of_parent = |(key, component): (&String, &Component)| Component {
            bom_ref: Some(format!("{parent} {key}")),
            ..component.clone()
        };
        (!self.components.is_empty()).then(|| Components(self.components.iter().map(of_parent).collect()))
    }

    /// Returns the number of components.
    pub(crate) fn len(&self) -> usize {
        self.components.len()
    }
}

/// Returns what is linked into `distribution` by its own account.
pub(crate) fn embedded(distribution: &Distribution) -> Embedded {
    let directory = distribution.folder().join("sboms");
    let entries = match directory.read_dir_utf8() {
        Err(error) if error.kind() == ErrorKind::NotFound => return without_documents(distribution),
        Err(error) => return Embedded::unknown(format!("its `sboms` cannot be read: {error}")),
        Ok(entries) => entries,
    };
    let mut embedded = Embedded::default();
    for entry in entries {
        let document = entry.as_ref().ok().and_then(|entry| fs::read(entry.path()).ok()).and_then(|text| read(&text));
        if let Some(document) = document {
            add_all(&mut embedded, &document, distribution);
        } else {
            let name = entry.as_ref().map(|entry| entry.file_name().to_owned()).unwrap_or_default();
            embedded.unknown = Some(format!("`{name}` in its `sboms` is no CycloneDX document"));
        }
    }
    embedded
}

/// Reads a document.
fn read(text: &[u8]) -> Option<Value> {
    let document: Value = serde_json::from_slice(text).ok()?;
    (document["bomFormat"] == "CycloneDX").then_some(document)
}

fn without_documents(distribution: &Distribution) -> Embedded {
    match is_compiled(distribution) {
        Some(false) => Embedded::default(),
        Some(true) => Embedded::unknown("compiled, without a document in `sboms`"),
        None => Embedded::unknown("its `WHEEL` cannot be read"),
    }
}

/// Whether the distribution has something that depends on the platform, by its [WHEEL]; `None` if there is none.
///
/// [WHEEL]: https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-contents
fn is_compiled(distribution: &Distribution) -> Option<bool> {
    let wheel = fs::read_to_string(distribution.folder().join("WHEEL")).ok()?;
    Some(wheel.lines().filter_map(|line| line.strip_prefix("Tag:")).any(|tag| !tag.trim().ends_with("-any")))
}

/// Adds the components of a document, also those within others, but not the distribution itself.
fn add_all(embedded: &mut Embedded, document: &Value, distribution: &Distribution) {
    let mut waiting: Vec<&Value> = document["components"].as_array().into_iter().flatten().collect();
    // Its parts are the targets of a crate.
    let main = &document["metadata"]["component"];
    let all = std::iter::once(main).chain(std::iter::from_fn(|| {
        let next = waiting.pop()?;
        waiting.extend(next["components"].as_array().into_iter().flatten());
        Some(next)
    }));
    for component in all {
        let is_crate = component["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/"));
        let name = component["name"].as_str().and_then(Name::parse);
        // The crate of a package usually has its name.
        if (is_crate || name.as_ref() != Some(&distribution.name))
            && let Some(component) = component_of(component)
        {
            embedded.add(component);
        }
    }
}

/// Returns what identifies a component; `None` if it has no name.
fn component_of(component: &Value) -> Option<Component> {
    let name = component["name"].as_str().filter(|name| !name.is_empty())?;
    let kind = match component["type"].as_str() {
        Some("application") => Classification::Application,
        Some("file") => Classification::File,
        Some("framework") => Classification::Framework,
        Some("operating-system") => Classification::OperatingSystem,
        Some("platform") => Classification::Platform,
        _ => Classification::Library,
    };
    let hashes: Vec<_> = component["hashes"].as_array().into_iter().flatten().filter_map(hash).collect();
    Some(Component {
        version: component["version"].as_str().map(NormalizedString::new),
        purl: component["purl"].as_str().and_then(purl),
        hashes: (!hashes.is_empty()).then_some(Hashes(hashes)),
        licenses: licenses(&component["licenses"]),
        ..Component::new(kind, name, "", None)
    })
}

/// Returns a valid package URL. One that leads to a file of the machine on which it was built identifies nothing, and one with
/// credentials is not for everybody.
fn purl(text: &str) -> Option<Purl> {
    let purl = PackageUrl::from_str(text).ok()?;
    let mut qualifiers = purl.qualifiers().values();
    let is_public = qualifiers.all(|value| !value.starts_with("file:") && redact(value) == *value);
    if is_public { purl.to_string().parse().ok() } else { None }
}

fn hash(hash: &Value) -> Option<Hash> {
    let (algorithm, content) = (hash["alg"].as_str()?, hash["content"].as_str()?);
    let (_, length) = HASHES.iter().find(|(name, _)| *name == algorithm)?;
    let is_valid = content.len() == *length && content.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_valid.then(|| Hash {
        alg: HashAlgorithm::new_unchecked(algorithm),
        content: HashValue(content.to_ascii_lowercase()),
    })
}

/// Returns the licenses: an expression, or a list of names.
fn licenses(licenses: &Value) -> Option<Licenses> {
    let list = licenses.as_array()?;
    if let Some(expression) = list.iter().find_map(|one| one["expression"].as_str()) {
        return Some(license::of_text(expression));
    }
    let named = |one: &Value| {
        let (id, name) = (one["license"]["id"].as_str(), one["license"]["name"].as_str());
        let known = id.filter(|id| SpdxIdentifier::try_from((*id).to_owned()).is_ok()).map(License::license_id);
        Some(LicenseChoice::License(known.or_else(|| Some(License::named_license(name.or(id)?)))?))
    };
    let named: Vec<_> = list.iter().filter_map(named).collect();
    (!named.is_empty()).then_some(Licenses(named))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(component: &Value) -> Option<String> {
        let component = component_of(component)?;
        let hashes = component.hashes.map_or(0, |hashes| hashes.0.len());
        let licenses = component.licenses.map_or(0, |licenses| licenses.0.len());
        Some(format!("{} {:?} {hashes} {licenses}", component.name, component.purl.map(|purl| purl.to_string())))
    }

    #[test]
    fn takes_what_is_valid() {
        let whole = json!({
            "name": "one", "version": "1", "type": "library", "purl": "pkg:cargo/one@1",
            "hashes": [{ "alg": "SHA-256", "content": "0".repeat(64) }, { "alg": "SHA-256", "content": "xx" }],
            "licenses": [{ "license": { "id": "MIT" } }, { "license": { "id": "NOSUCH" } }],
            "bom-ref": "x", "pedigree": { "ancestors": [{ "bom-ref": "y" }] }, "scope": "weird",
        });
        assert_eq!(found(&whole).as_deref(), Some("one Some(\"pkg:cargo/one@1\") 1 2"));
        for odd in [
            "nonsense",
            "pkg:cargo/one@1?download_url=file://.",
            "pkg:cargo/one@1?checksum=1&download_url=file:///srv/x",
            "pkg:generic/one@1?vcs_url=git%2Bhttps://user:secret@h/x.git",
        ] {
            assert_eq!(found(&json!({ "name": "one", "purl": odd })).as_deref(), Some("one None 0 0"), "{odd}");
        }
        assert_eq!(found(&json!({ "name": "" })), None);
    }

    #[test]
    fn one_component_is_there_once() {
        let mut embedded = Embedded::default();
        for (name, purl) in [("one", "pkg:generic/x@1"), ("two", "pkg:generic/x@1"), ("one", "pkg:cargo/one@1")] {
            embedded.add(component_of(&json!({ "name": name, "version": "1", "purl": purl })).unwrap());
        }
        let references = embedded.components("parent").unwrap().0;
        let references: Vec<_> = references.into_iter().filter_map(|component| component.bom_ref).collect();
        assert_eq!(references, ["parent pkg:cargo/one@1", "parent pkg:generic/x@1"]);
    }
}
