//! The file names of wheels: <https://packaging.python.org/en/latest/specifications/binary-distribution-format/>.

use std::io;

use camino::Utf8Path;

use crate::Name;

/// `NAME-VERSION(-BUILD)?-PYTHONS-ABIS-PLATFORMS.whl`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WheelName {
    pub(crate) name: Name,
    pub(crate) version: String,
    /// Of two wheels that are alike but for this, the greater is newer: digits, and what follows them.
    pub(crate) build: Option<(u64, String)>,
    pythons: Vec<String>,
    abis: Vec<String>,
    platforms: Vec<String>,
}

impl WheelName {
    /// `None` for a file of another name.
    pub(crate) fn parse(file: &str) -> Option<Self> {
        let parts: Vec<_> = file.strip_suffix(".whl")?.split('-').collect();
        let (name, version, build, tags) = match parts.as_slice() {
            [name, version, tags @ ..] if tags.len() == 3 => (name, version, None, tags),
            [name, version, build, tags @ ..] if tags.len() == 3 => (name, version, Some(build), tags),
            _ => return None,
        };
        let build = build.map(|build| {
            let digits = build.find(|character: char| !character.is_ascii_digit()).unwrap_or(build.len());
            (build[..digits].parse().unwrap_or(0), build[digits..].to_owned())
        });
        let several = |tags: &str| tags.split('.').map(str::to_owned).collect();
        Some(Self {
            name: Name::parse(name)?,
            version: (*version).to_owned(),
            build,
            pythons: several(tags[0]),
            abis: several(tags[1]),
            platforms: several(tags[2]),
        })
    }

    /// Each tag that the name stands for: `py3-none-any`.
    pub(crate) fn tags(&self) -> impl Iterator<Item = String> {
        self.pythons.iter().flat_map(move |python| {
            self.abis
                .iter()
                .flat_map(move |abi| self.platforms.iter().map(move |platform| format!("{python}-{abi}-{platform}")))
        })
    }
}

/// The name of a wheel in `directory`, which has at most one.
pub(crate) fn wheel_in(directory: &Utf8Path) -> io::Result<Option<String>> {
    let mut wheels = directory.read_dir_utf8()?.flatten().filter(|entry| entry.path().extension() == Some("whl"));
    Ok(wheels.next().map(|entry| entry.file_name().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let wheel =
            WheelName::parse("Torch_x-2.6.0+cu124-12abc-cp312-cp312-manylinux1_x86_64.linux_x86_64.whl").unwrap();
        assert_eq!((wheel.name.as_str(), wheel.version.as_str()), ("torch-x", "2.6.0+cu124"));
        assert_eq!(wheel.build, Some((12, "abc".to_owned())));
        let tags: Vec<_> = wheel.tags().collect();
        assert_eq!(tags, ["cp312-cp312-manylinux1_x86_64", "cp312-cp312-linux_x86_64"]);
        assert_eq!(WheelName::parse("six-1.17.0-py2.py3-none-any.whl").unwrap().tags().count(), 2);
        for file in ["six-1.17.0.tar.gz", "six-1.17.0.whl", "a-b-c-d-e-f-g.whl", ".whl", ""] {
            assert_eq!(WheelName::parse(file), None, "{file}");
        }
    }
}
