//! What `uv export` says that a lockfile has for a selection.

use crate::model::Name;

/// A locked package of a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExportedPackage {
    pub(crate) name: Name,
    pub(crate) version: String,
    /// The environments to which it applies; all if there is no marker.
    pub(crate) marker: Option<String>,
}

impl ExportedPackage {
    /// Reads the output of `uv export`. Packages that have no version there, such as those from git, are left out.
    pub(crate) fn read(stdout: &str) -> Vec<Self> {
        let read = |line: &str| {
            let (package, marker) = match line.split_once(';') {
                Some((package, marker)) => (package, Some(marker.trim().to_owned())),
                None => (line, None),
            };
            let (name, version) = package.trim().split_once("==")?;
            Some(Self { name: Name::parse(name)?, version: version.to_owned(), marker })
        };
        stdout.lines().filter_map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_packages_with_versions_and_markers() {
        let stdout = "-e ./packages/one\nfoo @ git+https://x/y.git@0123\ntorch==2.6.0+cu124 ; sys_platform == 'linux'\nsix==1.17.0\n";
        let read = ExportedPackage::read(stdout);
        let shown: Vec<_> =
            read.iter().map(|it| (it.name.as_str(), it.version.as_str(), it.marker.as_deref())).collect();
        assert_eq!(shown, [("torch", "2.6.0+cu124", Some("sys_platform == 'linux'")), ("six", "1.17.0", None)]);
    }
}
