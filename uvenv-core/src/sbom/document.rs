//! The document itself.

use std::collections::{BTreeMap, BTreeSet};

use cyclonedx_bom::{
    external_models::{
        date_time::DateTime,
        normalized_string::NormalizedString,
        uri::{Purl, Uri},
    },
    models::{
        bom::{Bom, BomReference, UrnUuid},
        code::{Commit, Commits},
        component::{Classification, Component, ComponentEvidence, Components, Occurrence, Occurrences, Pedigree},
        composition::{AggregateType, Composition, Compositions},
        dependency::{Dependencies, Dependency},
        external_reference::{ExternalReference, ExternalReferenceType, ExternalReferences},
        hash::{Hash, HashAlgorithm, HashValue, Hashes},
        metadata::Metadata,
        property::{Properties, Property},
        tool::Tools,
    },
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Part, PythonFacts, SbomError, Subject, license, purl};
use crate::{
    environment::{Distribution, Source},
    model::{Name, git_url},
};

/// The version of the specification. The crate writes 1.5; of what is written here, 1.6 has changed nothing.
const SPECIFICATION: &str = "1.6";

const SCHEMA: &str = "http://cyclonedx.org/schema/bom-1.6.schema.json";

/// A document.
#[derive(Clone, Debug)]
pub(crate) struct Sbom {
    /// As an object.
    pub(crate) value: Value,
}

impl Sbom {
    /// Describes an environment. The same environment gets the same document, unless a time is to be said.
    pub(crate) fn of(subject: &Subject<'_>) -> Result<Self, SbomError> {
        let failed = |problem: String| SbomError::Document { problem };
        let mut text = Vec::new();
        let bom = subject.bom()?;
        bom.output_as_json_v1_5(&mut text).map_err(|error| failed(error.to_string()))?;
        let mut value: Value = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
        value["specVersion"] = SPECIFICATION.into();
        value["$schema"] = SCHEMA.into();
        // A serial number that is the same for the same content, as no two contents share it.
        value["serialNumber"] = Value::Null;
        let hash = Sha256::digest(value.to_string());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        let number = UrnUuid::from(uuid::Builder::from_custom_bytes(bytes).into_uuid());
        value["serialNumber"] = number.to_string().into();
        Ok(Self { value })
    }
}

impl Subject<'_> {
    fn bom(&self) -> Result<Bom, SbomError> {
        let project = self.project_component();
        let root = project.bom_ref.clone().unwrap_or_default();
        let references: BTreeMap<&Name, String> =
            self.parts.iter().map(|part| (&part.distribution.name, self.reference(part.distribution))).collect();
        let parts = self.parts.iter().filter(|part| !self.is_project(part.distribution));
        let mut components: Vec<_> = parts.map(|part| self.component(part)).collect();
        let python = self.python_component();
        let interpreter = python.bom_ref.clone().unwrap_or_default();
        components.push(python);
        let metadata = Metadata {
            timestamp: self.timestamp()?,
            tools: Some(Tools::Object { services: None, components: Some(Components(self.tools())) }),
            component: Some(project),
            ..Metadata::default()
        };
        Ok(Bom {
            version: 1,
            serial_number: None,
            metadata: Some(metadata),
            components: Some(Components(components)),
            dependencies: Some(self.dependency_list(&root, interpreter, &references)),
            compositions: self.compositions(&references),
            ..Bom::default()
        })
    }

    fn timestamp(&self) -> Result<Option<DateTime>, SbomError> {
        let Some(time) = self.time else { return Ok(None) };
        let failed = || SbomError::Time { value: time.to_string() };
        let time = OffsetDateTime::from_unix_timestamp(time).map_err(|_| failed())?;
        let text = time.format(&Rfc3339).map_err(|_| failed())?;
        DateTime::try_from(text).map(Some).map_err(|_| failed())
    }

    /// Returns the project whose environment it is.
    fn project_component(&self) -> Component {
        let name = self.project.map_or("environment", Name::as_str);
        let own = self.parts.iter().find(|part| self.is_project(part.distribution));
        let version = self.project_version.or_else(|| own.map(|part| part.distribution.version.as_str()));
        let facts = [
            ("uvenv:profile", Some(self.profile.to_string())),
            ("uvenv:backend", self.backend.map(ToString::to_string)),
            ("uvenv:lockfile:sha256", Some(self.lockfile.clone())),
        ];
        let facts = facts.into_iter().filter_map(|(name, value)| Some(Property::new(name, &value?)));
        Component {
            version: version.map(NormalizedString::new),
            properties: Some(Properties(facts.collect())),
            evidence: own.and_then(|part| self.evidence(part.distribution)),
            components: own.and_then(|part| part.embedded.components(name)),
            ..Component::new(Classification::Application, name, "", Some(name.to_owned()))
        }
    }

    fn is_project(&self, distribution: &Distribution) -> bool {
        self.project == Some(&distribution.name)
    }

    /// Returns what other parts of the document call a distribution.
    fn reference(&self, distribution: &Distribution) -> String {
        if self.is_project(distribution) {
            return distribution.name.to_string();
        }
        format!("{}@{}", distribution.name, distribution.version)
    }

    fn component(&self, part: &Part<'_>) -> Component {
        let Distribution { name, version, source, .. } = part.distribution;
        let reference = self.reference(part.distribution);
        let wheel = part.wheel.clone().unwrap_or_default();
        let references = self::references(source, wheel.url.as_deref());
        let facts = self.facts(source);
        Component {
            purl: purl::of_distribution(part.distribution),
            hashes: wheel.sha256.map(sha256),
            licenses: license::of_distribution(part.distribution.folder()),
            external_references: (!references.is_empty()).then_some(ExternalReferences(references)),
            properties: (!facts.is_empty()).then_some(Properties(facts)),
            pedigree: pedigree(source),
            evidence: self.evidence(part.distribution),
            components: part.embedded.components(&reference),
            ..Component::new(Classification::Library, name.as_str(), version, Some(reference))
        }
    }

    /// Returns what CycloneDX has no words for: the tag that was asked for, or the place in the monorepo.
    fn facts(&self, source: &Source) -> Vec<Property> {
        let fact = match source {
            Source::Git { requested, .. } => requested.as_ref().map(|tag| Property::new("uvenv:git:requested", tag)),
            Source::Editable { path } | Source::Directory { path } => {
                let path = path.strip_prefix(self.root).ok();
                path.map(|path| Property::new("uvenv:path", &path.as_str().replace('\\', "/")))
            }
            _ => None,
        };
        fact.into_iter().collect()
    }

    /// Returns where a distribution is: its `dist-info` directory, whose `RECORD` lists its files.
    fn evidence(&self, distribution: &Distribution) -> Option<ComponentEvidence> {
        let folder = distribution.folder().strip_prefix(self.environment).ok()?;
        let occurrences = Occurrences(vec![Occurrence::new(&folder.as_str().replace('\\', "/"))]);
        Some(ComponentEvidence {
            licenses: None,
            copyright: None,
            occurrences: Some(occurrences),
            callstack: None,
            identity: None,
        })
    }

    fn python_component(&self) -> Component {
        let PythonFacts { implementation: name, version } = &self.python;
        Component {
            purl: purl::generic(name, version),
            ..Component::new(Classification::Platform, name, version, Some(format!("{name}@{version}")))
        }
    }

    /// Returns what has made the document.
    fn tools(&self) -> Vec<Component> {
        let tool = |name: &str, version: &str, purl: Option<Purl>| Component {
            purl,
            ..Component::new(Classification::Application, name, version, None)
        };
        let own = env!("CARGO_PKG_VERSION");
        vec![
            tool("cargo-uvenv", own, purl::of_crate("cargo-uvenv", own)),
            tool("uv", &self.uv, purl::on_github_release("astral-sh", "uv", &self.uv)),
        ]
    }

    /// Returns which component requires which.
    fn dependency_list(&self, root: &str, python: String, references: &BTreeMap<&Name, String>) -> Dependencies {
        let known = |name: &Name| references.get(name).cloned();
        let of = |name: &Name| {
            let required = self.dependencies.of(name)?;
            Some(required.iter().filter_map(known).collect::<BTreeSet<_>>())
        };
        let mut of_project: BTreeSet<_> = self.project.and_then(of).unwrap_or_default();
        of_project.insert(python);
        let dependency = |name: &str, required: BTreeSet<String>| Dependency {
            dependency_ref: name.to_owned(),
            dependencies: required.into_iter().filter(|one| one != name).collect(),
        };
        let parts = self.parts.iter().filter(|part| !self.is_project(part.distribution));
        // Of what the lockfile does not have, nothing is known.
        let parts =
            parts.filter_map(|part| Some(dependency(&self.reference(part.distribution), of(&part.distribution.name)?)));
        Dependencies(std::iter::once(dependency(root, of_project)).chain(parts).collect())
    }

    /// Says of which distributions it is not known what is linked into them, or not known whether this is all.
    fn compositions(&self, references: &BTreeMap<&Name, String>) -> Option<Compositions> {
        let unknown = self.parts.iter().filter(|part| part.embedded.unknown.is_some());
        let (unknown, incomplete): (Vec<_>, Vec<_>) = unknown.partition(|part| part.embedded.len() == 0);
        let of = |aggregate, parts: Vec<&Part<'_>>| {
            let parts = parts.into_iter().filter_map(|part| references.get(&part.distribution.name));
            let assemblies: Vec<_> = parts.map(BomReference::new).collect();
            (!assemblies.is_empty()).then_some(Composition {
                bom_ref: None,
                aggregate,
                assemblies: Some(assemblies),
                dependencies: None,
                vulnerabilities: None,
                signature: None,
            })
        };
        let compositions = [of(AggregateType::Incomplete, incomplete), of(AggregateType::Unknown, unknown)];
        let compositions: Vec<_> = compositions.into_iter().flatten().collect();
        (!compositions.is_empty()).then_some(Compositions(compositions))
    }
}

/// Returns the repository of a pin, and where the wheel comes from.
fn references(source: &Source, wheel: Option<&str>) -> Vec<ExternalReference> {
    let reference = |kind: ExternalReferenceType, url: &str| {
        purl::public_url(url).map(|url| ExternalReference::new(kind, Uri::new(&url)))
    };
    let repository = match source {
        Source::Git { url, .. } => reference(ExternalReferenceType::Vcs, git_url::plain(url)),
        _ => None,
    };
    let wheel = wheel.filter(|url| url.starts_with("http"));
    let wheel = wheel.and_then(|url| reference(ExternalReferenceType::Distribution, url));
    repository.into_iter().chain(wheel).collect()
}

/// Returns the hash of a component, which is in hexadecimal.
pub(super) fn sha256(hash: String) -> Hashes {
    Hashes(vec![Hash { alg: HashAlgorithm::SHA_256, content: HashValue(hash) }])
}

/// Returns the commit of a pin.
fn pedigree(source: &Source) -> Option<Pedigree> {
    let Source::Git { commit, .. } = source else { return None };
    let uid = Some(NormalizedString::new(commit));
    let commit = Commit { uid, url: None, author: None, committer: None, message: None };
    Some(Pedigree {
        ancestors: None,
        descendants: None,
        variants: None,
        commits: Some(Commits(vec![commit])),
        patches: None,
        notes: None,
    })
}
