//! What is linked into a distribution, as far as it says so itself: the documents in `dist-info/sboms` ([PEP 770]), which
//! maturin writes for crates and auditwheel for libraries.
//!
//! [PEP 770]: https://peps.python.org/pep-0770/

use std::{collections::BTreeMap, fs, io::ErrorKind};

use cyclonedx_bom::{
    external_models::uri::Purl,
    models::{
        bom::Bom,
        component::{Classification, Component, Components},
    },
};
use serde_json::Value;

use crate::{environment::Distribution, model::Name};

/// What is linked into a distribution.
#[derive(Clone, Debug)]
pub(crate) enum Embedded {
    /// Nothing, or these components.
    Known(Vec<Component>),
    /// It was compiled, and does not say from what.
    Unknown(String),
}

/// Returns what is linked into `distribution` by its own account.
pub(crate) fn embedded(distribution: &Distribution) -> Embedded {
    let directory = distribution.folder().join("sboms");
    let mut found: BTreeMap<String, Component> = BTreeMap::new();
    let entries = match directory.read_dir_utf8() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return if is_compiled(distribution) {
                Embedded::Unknown("compiled, without a document in `sboms`".to_owned())
            } else {
                Embedded::Known(Vec::new())
            };
        }
        entries => entries.into_iter().flatten().flatten(),
    };
    for entry in entries {
        let document = fs::read(entry.path()).ok().and_then(|text| read(&text));
        let Some(document) = document else {
            return Embedded::Unknown(format!("`{}` is no CycloneDX document that can be read", entry.file_name()));
        };
        let main = document.metadata.and_then(|metadata| metadata.component);
        let is_itself = |component: &Component| Name::parse(&component.name).as_ref() == Some(&distribution.name);
        // The crate of a package usually has its name.
        let main = main.filter(|component| is_crate(component) || !is_itself(component));
        let listed = document.components.map(|components| components.0).unwrap_or_default();
        for component in main.into_iter().chain(listed) {
            let component = flat(component);
            let version = component.version.as_ref().map(ToString::to_string).unwrap_or_default();
            found.entry(format!("{} {version}", component.name)).or_insert(component);
        }
    }
    Embedded::Known(found.into_values().collect())
}

/// Reads a document. What later versions of the specification have added is left out.
fn read(text: &[u8]) -> Option<Bom> {
    let mut document: Value = serde_json::from_slice(text).ok()?;
    if matches!(document["specVersion"].as_str(), Some("1.6" | "1.7")) {
        document["specVersion"] = "1.5".into();
    }
    Bom::parse_json_value(document).ok()
}

fn is_crate(component: &Component) -> bool {
    component.purl.as_ref().is_some_and(|purl| purl.to_string().starts_with("pkg:cargo/"))
}

/// Returns a component without what is of no use outside its document: references, parts, and paths of the machine on which
/// it was built.
fn flat(component: Component) -> Component {
    let purl = component.purl.map(|purl| purl.to_string());
    let purl = purl.map(|purl| purl.split("?download_url=file:").next().unwrap_or_default().to_owned());
    Component {
        bom_ref: None,
        components: None,
        purl: purl.and_then(|purl| purl.parse::<Purl>().ok()),
        component_type: match component.component_type {
            Classification::UnknownClassification(_) => Classification::Library,
            known => known,
        },
        ..component
    }
}

/// Whether the distribution has something that depends on the platform, by its [WHEEL].
///
/// [WHEEL]: https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-contents
fn is_compiled(distribution: &Distribution) -> bool {
    let wheel = fs::read_to_string(distribution.folder().join("WHEEL")).unwrap_or_default();
    wheel.lines().filter_map(|line| line.strip_prefix("Tag:")).any(|tag| !tag.trim().ends_with("-any"))
}

impl Embedded {
    /// Returns the components, each as a part of the component with the reference `parent`.
    pub(super) fn components(&self, parent: &str) -> Option<Components> {
        let Self::Known(components) = self else { return None };
        let of_parent = |component: &Component| {
            let purl = component.purl.as_ref().map(ToString::to_string);
            let version = component.version.as_ref().map(ToString::to_string).unwrap_or_default();
            let own = purl.unwrap_or_else(|| format!("{}@{version}", component.name));
            Component { bom_ref: Some(format!("{parent} {own}")), ..component.clone() }
        };
        (!components.is_empty()).then(|| Components(components.iter().map(of_parent).collect()))
    }

    /// Returns the number of components.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Known(components) => components.len(),
            Self::Unknown(_) => 0,
        }
    }
}
