//! The settings in a manifest for builds from Rust. Invalid values are ignored here, because the build backend reports
//! them.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::{
    model::Name,
    toml::{File, Node},
};

/// Settings for build backends (PEP 517): the values of each key.
pub(crate) type ConfigSettings = BTreeMap<String, Vec<String>>;

/// The parts of `[tool.maturin]` that decide what is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maturin {
    /// `manifest-path`, as written.
    pub(crate) manifest_path: Option<String>,
    /// `python-source`, as written.
    pub(crate) python_source: Option<String>,
    /// `features`.
    pub(crate) features: Vec<String>,
    /// Whether some of `features` apply only to some versions of Python.
    pub(crate) has_conditional_features: bool,
    /// `no-default-features`.
    pub(crate) no_default_features: bool,
    /// `all-features`.
    pub(crate) all_features: bool,
}

/// The tables that affect builds from Rust.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildTables {
    /// `[tool.maturin]`.
    pub(crate) maturin: Maturin,
    /// The `path` of each entry of `[[tool.setuptools-rust.ext-modules]]` and `bins`, as written; `Cargo.toml` if an
    /// entry has none.
    pub(crate) setuptools_rust: Vec<String>,
    /// The settings that uv passes to build backends.
    pub(crate) settings: BuildSettings,
}

/// uv's `config-settings` and `config-settings-package`.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildSettings {
    /// The settings for all packages.
    pub(crate) all: ConfigSettings,
    /// The settings for individual packages.
    pub(crate) packages: BTreeMap<Name, ConfigSettings>,
}

impl BuildTables {
    /// Reads the tables from `tool`.
    pub(super) fn read(tool: Option<&Node<'_>>) -> Self {
        let setuptools = get(tool, "setuptools-rust");
        let crates = ["ext-modules", "bins"].iter().filter_map(|key| get(setuptools.as_ref(), key));
        let paths = crates.flat_map(|list| list.elements().unwrap_or_default());
        let path = |element: Node<'_>| element.get_string("path").ok().flatten().map(|path| path.value);
        Self {
            maturin: get(tool, "maturin").map(|node| Maturin::read(&node)).unwrap_or_default(),
            setuptools_rust: paths.map(|one| path(one).unwrap_or_else(|| "Cargo.toml".to_owned())).collect(),
            settings: get(tool, "uv").map(|node| BuildSettings::read(&node)).unwrap_or_default(),
        }
    }
}

impl Maturin {
    fn read(node: &Node<'_>) -> Self {
        let text = |key| Some(get(Some(node), key)?.string().ok()?.value);
        let flag = |key| get(Some(node), key).is_some_and(|node| node.bool().unwrap_or_default());
        let features = get(Some(node), "features").and_then(|list| list.elements().ok()).unwrap_or_default();
        Self {
            manifest_path: text("manifest-path"),
            python_source: text("python-source"),
            has_conditional_features: features.iter().any(Node::is_table),
            features: features.iter().filter_map(|feature| Some(feature.string().ok()?.value)).collect(),
            no_default_features: flag("no-default-features"),
            all_features: flag("all-features"),
        }
    }
}

impl BuildSettings {
    fn read(node: &Node<'_>) -> Self {
        let packages = get(Some(node), "config-settings-package").and_then(|table| table.entries().ok());
        let packages = packages.unwrap_or_default().into_iter();
        Self {
            all: get(Some(node), "config-settings").map(|table| settings(&table)).unwrap_or_default(),
            packages: packages.filter_map(|(name, table)| Some((Name::parse(name)?, settings(&table)))).collect(),
        }
    }

    /// Reads the settings of a `uv.toml`, if it exists: it replaces `[tool.uv]`.
    pub(crate) fn from_uv_toml(path: &Utf8Path) -> Option<Self> {
        let file = File::read(path).ok()?;
        let document = file.parse().ok()?;
        Some(Self::read(&document.root()))
    }
}

fn settings(table: &Node<'_>) -> ConfigSettings {
    let entries = table.entries().unwrap_or_default().into_iter();
    let values = |node: &Node<'_>| {
        if node.is_list() {
            node.strings().unwrap_or_default().into_iter().map(|text| text.value).collect()
        } else {
            node.string().into_iter().map(|text| text.value).collect()
        }
    };
    entries.map(|(key, node)| (key.to_owned(), values(&node))).collect()
}

fn get<'a>(node: Option<&Node<'a>>, key: &str) -> Option<Node<'a>> {
    node?.get(key).ok().flatten()
}
