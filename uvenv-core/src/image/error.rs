//! What can go wrong while an image is made.

use std::io;

use camino::Utf8PathBuf;

use crate::{
    model::{Diagnostic, Fault, Name, quoted_or},
    process::on_new_lines,
};

/// The error of an image that was not made. An image that was there before is still there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// A path or a name in a registry is neither.
    #[error("`{text}` is not {what}: {problem}")]
    InvalidName { text: String, what: &'static str, problem: String },
    /// The base cannot be read.
    #[error("the base image `{base}` cannot be read: {problem}")]
    UnreadableBase { base: String, problem: String },
    /// The base is an archive in a format that only Docker reads.
    #[error("the base image `{base}` is an archive in Docker's old format")]
    OldArchive { base: String },
    /// The network must not be used.
    #[error("the image `{name}` is in a registry, and the network must not be used")]
    Offline { name: String },
    /// A directory is not an image layout.
    #[error("`{directory}` is not an OCI image layout")]
    NoLayout { directory: Utf8PathBuf },
    /// A layout does not have the image, or several.
    #[error("`{base}` does not have exactly one image {}; it has {}", wanted.as_ref().map_or("for this machine".to_owned(), |name| format!("`{name}`")), quoted_or(available, "none at all"))]
    NoImage { base: String, wanted: Option<String>, available: Vec<String> },
    /// The base is for another machine than the wheels.
    #[error("the base image `{base}` is for {platform}, but the wheels are for {expected}")]
    OtherPlatform { base: String, platform: String, expected: String },
    /// The base has no Python for which the directory was vendored.
    #[error("the base image `{base}` has no Python {} on its `PATH`, but {}", versions.join(" or "), quoted_or(found, "none at all"))]
    NoPython { base: String, versions: Vec<String>, found: Vec<String> },
    /// A distribution needs another C library.
    #[error("`{distribution}` needs {needed}, but the base image `{base}` has {available}")]
    OtherLibrary { base: String, distribution: Name, needed: String, available: String },
    /// Images have Linux in them.
    #[error("images can only be made on Linux, for Linux")]
    NotLinux,
    /// An option cannot be used.
    #[error("`--{option}` is `{value}`, but {problem}")]
    Option { option: &'static str, value: String, problem: &'static str },
    /// The program for registries is not there.
    #[error("skopeo, which is used for registries, cannot be started: {source}")]
    NoSkopeo { source: io::Error },
    /// The program for registries failed.
    #[error("`{command}` {ending}{}", on_new_lines(problem))]
    Skopeo {
        command: String,
        ending: String,
        /// Its words, without secrets.
        problem: String,
    },
    /// A file or directory could not be read or written.
    #[error("`{path}` cannot be used: {source}")]
    Io { path: Utf8PathBuf, source: io::Error },
}

impl ImageError {
    /// Returns a function for `map_err`.
    pub(crate) fn io(path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl Diagnostic for ImageError {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidName { .. } => "invalid-image-name",
            Self::UnreadableBase { .. } | Self::OldArchive { .. } => "unreadable-base-image",
            Self::Offline { .. } => "registry-offline",
            Self::NoLayout { .. } => "not-an-image-layout",
            Self::NoImage { .. } => "no-such-image",
            Self::OtherPlatform { .. } => "base-for-another-platform",
            Self::NoPython { .. } => "no-python-in-base",
            Self::OtherLibrary { .. } => "base-with-another-libc",
            Self::NotLinux => "images-need-linux",
            Self::Option { .. } => "invalid-image-option",
            Self::NoSkopeo { .. } => "no-skopeo",
            Self::Skopeo { .. } => "registry-failed",
            Self::Io { .. } => "image-io",
        }
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::InvalidName { what: "a base image", .. } => {
                    "name an OCI layout, an archive of one, a root file system as a tar file, or an image in a registry"
                }
                Self::InvalidName { .. } => "name it like `registry.example/app:1.0`",
                Self::OldArchive { .. } => "convert it: `skopeo copy docker-archive:OLD.tar oci-archive:NEW.tar`",
                Self::Offline { .. } => "leave out `--offline`, or name an OCI layout or an archive",
                Self::UnreadableBase { .. } => "get it again, or choose another with `--base`",
                Self::NoLayout { .. } => "name a directory that is new, empty, or has an `oci-layout` file",
                Self::NoImage { .. } => "name one of them after a colon: `--base DIRECTORY:NAME`",
                Self::OtherPlatform { .. } => {
                    "choose a base image for it, or make the image on such a machine"
                }
                Self::NoPython { .. } => {
                    "choose a base image with this Python, or vendor for another with `cargo uvenv vendor --python`"
                }
                Self::OtherLibrary { .. } => {
                    "choose a newer base image, or vendor for it with `cargo uvenv vendor --platform`"
                }
                Self::NotLinux => "make it on Linux, such as in a container or a virtual machine",
                Self::Option { .. } => "change it, or leave it out",
                Self::NoSkopeo { .. } => {
                    "install skopeo, or fetch and push the image yourself: `--base` takes OCI layouts and archives, and `-o` \
                     writes them"
                }
                Self::Skopeo { .. } => {
                    "log in with `skopeo login`, or check the name; skopeo has the settings of podman and docker"
                }
                Self::Io { .. } => "get permission for it, and space on the disk",
            }
            .to_owned(),
        )
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Skopeo { .. } => Fault::Finding,
            _ => Fault::Request,
        }
    }
}
