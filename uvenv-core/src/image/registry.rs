//! Registries, through [skopeo], which has the credentials, certificates, proxies and mirrors that podman and Docker have too.
//!
//! [skopeo]: https://github.com/containers/skopeo

use std::io;

use camino::Utf8Path;
use oci_spec::image::Descriptor;

use super::{ImageError, Layout, layout::ALONE, source::ImageName};
use crate::{
    fs::PrivateDirectory,
    process::{Invocation, ending},
};

/// Gives a program the variables that child processes see.
type Child<'a> = &'a dyn Fn(Invocation) -> Invocation;

/// Copies an image of a registry into a layout, where it has the tag `latest`. What the layout has is not fetched again.
pub(super) fn pull(name: &ImageName, directory: &Utf8Path, child: Child<'_>) -> Result<(), ImageError> {
    let tls = name.is_local().then_some("--src-tls-verify=false");
    let copy = Invocation::new("skopeo").arg("copy").args(tls);
    run(&child(copy.args([format!("docker://{name}"), "oci:.:latest".to_owned()]).current_dir(directory)))
}

/// Copies an image of a layout to a registry, as it is.
pub(crate) fn push(layout: &Layout, manifest: &Descriptor, name: &ImageName, child: Child<'_>) -> crate::Result<()> {
    // skopeo finds images by their tags, and another image can have the same. A path with a colon it does not understand.
    let alone = PrivateDirectory::new()?;
    layout.alone(manifest, alone.path())?;
    let tls = name.is_local().then_some("--dest-tls-verify=false");
    let copy = Invocation::new("skopeo").args(["copy", "--preserve-digests"]).args(tls);
    let copy = copy.args([format!("oci:.:{ALONE}"), format!("docker://{name}")]).current_dir(alone.path());
    Ok(run(&child(copy))?)
}

fn run(copy: &Invocation) -> Result<(), ImageError> {
    let captured = copy.capture().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ImageError::NoSkopeo { source },
        _ => ImageError::Skopeo {
            command: copy.to_string(),
            ending: "could not be started".to_owned(),
            problem: source.to_string(),
        },
    })?;
    if captured.status.success() {
        return Ok(());
    }
    let problem = captured.words().into_owned();
    Err(ImageError::Skopeo { command: copy.to_string(), ending: ending(captured.status), problem })
}
