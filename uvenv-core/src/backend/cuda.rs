//! CUDA versions, and the places where a backend states its version.

use std::fmt;

use serde::Serialize;

/// A CUDA release, such as 12.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudaVersion {
    /// The major version: 12 in 12.4.
    pub major: u32,
    /// The minor version: 4 in 12.4.
    pub minor: u32,
}

impl fmt::Display for CudaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for CudaVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CudaVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CudaVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A CUDA release, such as `12.4`.",
            "type": "string",
            "pattern": r"^\d+\.\d+$",
        })
    }
}

impl CudaVersion {
    /// Returns the release of a tag such as `cu124`: in PyTorch's indexes and local versions, the last digit is the
    /// minor version. Extras are sometimes named `cuda124` instead.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let digits = tag.strip_prefix("cuda").or_else(|| tag.strip_prefix("cu"))?;
        let all_digits = digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let (major, minor) = digits.split_at_checked(digits.len().checked_sub(1)?).filter(|_| all_digits)?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// Returns the release in the last segment of an index URL: `…/whl/cu124`.
    pub(super) fn from_index(url: &str) -> Option<Self> {
        url.split(['/', '?', '#']).rev().find_map(Self::from_tag)
    }

    /// Returns the release in a requirement: the local version of `torch==2.6.0+cu124`, or the version of NVIDIA's
    /// runtime.
    pub(crate) fn from_requirement(text: &str) -> Option<Self> {
        let local = || {
            let (_, local) = text.split_once('+')?;
            local.split(|c: char| !c.is_ascii_alphanumeric()).find_map(Self::from_tag)
        };
        let runtime = || {
            let version = text.strip_prefix("nvidia-cuda-runtime")?.split_once("==")?.1.trim();
            let mut parts = version.split('.').map(|part| part.parse().ok());
            Some(Self { major: parts.next()??, minor: parts.next()?? })
        };
        local().or_else(runtime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cuda_versions_from_tags_indexes_and_requirements() {
        let cuda = |major, minor| Some(CudaVersion { major, minor });
        assert_eq!(CudaVersion::from_tag("cu124"), cuda(12, 4));
        assert_eq!(CudaVersion::from_tag("cu118"), cuda(11, 8));
        assert_eq!(CudaVersion::from_tag("cu130"), cuda(13, 0));
        assert_eq!(CudaVersion::from_tag("cuda124"), cuda(12, 4));
        for tag in ["cu12", "cu", "cuda", "cpu", "cu12x", "rocm6-2"] {
            assert_eq!(CudaVersion::from_tag(tag), None, "{tag}");
        }
        assert_eq!(CudaVersion::from_index("https://index.example.com/whl/cu128/"), cuda(12, 8));
        assert_eq!(CudaVersion::from_index("https://index.example.com/whl/cpu"), None);
        assert_eq!(CudaVersion::from_requirement("torch==2.6.0+cu124"), cuda(12, 4));
        assert_eq!(CudaVersion::from_requirement("torch==2.6.0+cu124 ; sys_platform == 'linux'"), cuda(12, 4));
        assert_eq!(CudaVersion::from_requirement("nvidia-cuda-runtime-cu12==12.8.90"), cuda(12, 8));
        assert_eq!(CudaVersion::from_requirement("torch>=2"), None);
    }
}
