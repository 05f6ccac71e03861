//! Container images in the formats of the [OCI]: base images, layers and image layouts. Neither a container engine nor
//! privileges are needed, and nothing of the machine gets into a layer: no owners, no times, no umask.
//!
//! [OCI]: https://github.com/opencontainers/image-spec

mod archive;
mod base;
mod blob;
mod compression;
mod error;
mod file_tree;
mod layer;
mod layout;
mod registry;
mod source;

pub use self::compression::Compression;
pub(crate) use self::{
    archive::write_archive,
    base::{Base, BasePlace, BasePython},
    error::ImageError,
    layer::{Layer, LayerWriter},
    layout::Layout,
    registry::push,
    source::{BaseSource, ImageName, parse_name},
};

/// The time of all files, in seconds since 1970: 1980-01-01, the earliest that zip files can have, so that Python can make
/// wheels of them.
pub(crate) const TIME: u64 = 315_532_800;

/// The same time as configurations have it.
pub(crate) const TIME_TEXT: &str = "1980-01-01T00:00:00Z";
