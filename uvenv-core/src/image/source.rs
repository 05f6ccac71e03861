//! Names of images, and where a base image comes from.

use std::net::IpAddr;

use camino::{Utf8Path, Utf8PathBuf};
use oci_spec::distribution::Reference;

use super::ImageError;

/// The annotation of an index with the tag of an image ([annotations]).
///
/// [annotations]: https://github.com/opencontainers/image-spec/blob/main/annotations.md
pub(super) const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// The annotation with the whole name, which containerd, podman and Docker read from archives.
pub(super) const NAME: &str = "io.containerd.image.name";

/// The name of an image: `registry.example/team/app:1.0`, `app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageName(Reference);

impl ImageName {
    /// Returns the tag: `latest` if none was named.
    pub(super) fn tag(&self) -> String {
        self.0.tag().unwrap_or("latest").to_owned()
    }

    /// Returns the name with its registry and tag, as Docker completes it.
    pub(super) fn whole(&self) -> String {
        self.0.whole()
    }

    /// Whether the registry is on this machine, so that HTTP does no harm. Docker goes by it too.
    pub(super) fn is_local(&self) -> bool {
        let registry = self.0.registry();
        let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl std::fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.whole())
    }
}

/// Parses the name of an image.
pub(crate) fn parse_name(text: &str) -> Result<ImageName, ImageError> {
    let name = parse(text, "the name of an image")?;
    if name.0.digest().is_some() {
        let problem = "its digest is not known before".to_owned();
        return Err(ImageError::InvalidName { text: text.to_owned(), what: "the name of an image", problem });
    }
    Ok(name)
}

fn parse(text: &str, what: &'static str) -> Result<ImageName, ImageError> {
    let plain = text.strip_prefix("docker://").unwrap_or(text);
    let invalid = |problem: String| ImageError::InvalidName { text: text.to_owned(), what, problem };
    plain.parse().map(ImageName).map_err(|error: oci_spec::distribution::ParseError| invalid(error.to_string()))
}

/// Where a base image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BaseSource {
    /// A layout, and which of its images.
    Layout { directory: Utf8PathBuf, image: Option<String> },
    /// A tar archive, of a layout or of a root file system, and which of its images.
    Archive { file: Utf8PathBuf, image: Option<String> },
    /// A registry.
    Registry(ImageName),
}

impl BaseSource {
    /// Returns what `text` names: something in `directory` if it is there, with `:NAME` for one of its images; otherwise
    /// an image in a registry.
    pub(crate) fn parse(text: &str, directory: &Utf8Path) -> Result<Self, ImageError> {
        let local = |path: &str, image: Option<&str>| {
            let (path, image) = (directory.join(path), image.map(str::to_owned));
            if path.is_dir() {
                return Some(Self::Layout { directory: path, image });
            }
            path.exists().then_some(Self::Archive { file: path, image })
        };
        let mut named = text.match_indices(':').filter(|(at, _)| *at > 0).map(|(at, _)| (&text[..at], &text[at + 1..]));
        if let Some(found) = local(text, None).or_else(|| named.find_map(|(path, image)| local(path, Some(image)))) {
            return Ok(found);
        }
        let is_archive = Utf8Path::new(text).extension().is_some_and(|end| end.eq_ignore_ascii_case("tar"));
        if text.starts_with(['.', '/']) || is_archive {
            let problem = "there is no such file or directory".to_owned();
            return Err(ImageError::InvalidName { text: text.to_owned(), what: "a base image", problem });
        }
        parse(text, "a base image").map(Self::Registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fs::TestTree, model::Diagnostic as _};

    #[test]
    fn paths_come_before_registries() {
        let tree = TestTree::new();
        tree.write("python/oci-layout", "");
        tree.write("rootfs.tar", "");
        let parse = |text: &str| BaseSource::parse(text, &tree.join("")).unwrap();
        let layout = |image: Option<&str>| BaseSource::Layout {
            directory: tree.join("").join("python"),
            image: image.map(str::to_owned),
        };
        assert_eq!(parse("python"), layout(None));
        assert_eq!(parse("python:3.12"), layout(Some("3.12")));
        assert_eq!(parse("python:docker.io/a:1"), layout(Some("docker.io/a:1")));
        assert_eq!(parse("rootfs.tar"), BaseSource::Archive { file: tree.join("").join("rootfs.tar"), image: None });
        let BaseSource::Registry(name) = parse("debian:12-slim") else { panic!("a registry") };
        assert_eq!((name.whole().as_str(), name.tag().as_str()), ("docker.io/library/debian:12-slim", "12-slim"));
        assert!(matches!(parse("docker://python"), BaseSource::Registry(_)));
    }

    #[test]
    fn rejects_what_is_neither() {
        for (text, problem) in [
            ("./missing", "no such file"),
            ("missing.tar", "no such file"),
            ("Upper/Case", "invalid reference"),
            ("a b", "invalid reference"),
        ] {
            let error = BaseSource::parse(text, "/nowhere".into()).unwrap_err();
            assert_eq!(error.code(), "invalid-image-name");
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[test]
    fn knows_registries_on_this_machine() {
        for (text, is_local) in [
            ("localhost:5000/a", true),
            ("127.0.0.1:5000/a:1", true),
            ("ghcr.io/a/b", false),
            ("127.example.com/a", false),
        ] {
            assert_eq!(parse_name(text).unwrap().is_local(), is_local, "{text}");
        }
    }
}
