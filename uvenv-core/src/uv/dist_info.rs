//! The files that uv adds to the `dist-info` directories of what it installs.

use super::{Uv, Version};

/// The file of a `dist-info` directory in which uv records when a local file was, from which it installed. Wheels of an index
/// and builds of commits have none.
pub(crate) const CACHE_INFO: &str = "uv_cache.json";

/// The file of a `dist-info` directory in which uv records the settings of a build.
pub(crate) const BUILD_INFO: &str = "uv_build.json";

/// What the file has without settings.
pub(crate) const NO_SETTINGS: &str = "{}";

/// What uv writes there without settings; `None` if this uv writes none. uv 0.13.9 does, and 0.7.16 does not.
pub(crate) fn build_info(uv: &Uv) -> Option<&'static str> {
    const FIRST: Version = Version { major: 0, minor: 8, patch: 0 };
    (uv.version >= FIRST).then_some(NO_SETTINGS)
}
