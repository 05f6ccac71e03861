//! The text of a lock in a vendored directory.

use std::collections::BTreeMap;

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{Facts, PinFacts, Pylock, SCHEMA, VendoredWheel};
use crate::{model::Name, vendor::WHEELS};

/// The wheels of a package that was built, one for each interpreter that needs its own, and what it was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuiltPackage {
    pub(crate) wheels: Vec<VendoredWheel>,
    pub(crate) pin: Option<PinFacts>,
}

impl Pylock {
    /// Returns the lock of a vendored directory: the packages that have `wheels`, which are given by the number of the
    /// package, from 0.
    pub(crate) fn vendored(&self, wheels: &BTreeMap<usize, Vec<VendoredWheel>>, facts: &Facts) -> String {
        let mut document = DocumentMut::new();
        document.insert("lock-version", value("1.0"));
        for key in ["environments", "requires-python"] {
            if let Some(item) = self.document.get(key) {
                document.insert(key, item.clone());
            }
        }
        document.insert("created-by", value("cargo-uvenv"));
        let mut packages = ArrayOfTables::new();
        for (index, package) in self.packages().enumerate() {
            let Some(wheels) = wheels.get(&index) else { continue };
            let mut vendored = Table::new();
            for key in ["name", "version", "marker", "requires-python", "dependencies"] {
                if let Some(item) = package.get(key) {
                    vendored.insert(key, item.clone());
                }
            }
            vendored.insert("wheels", Item::Value(array(wheels)));
            packages.push(vendored);
        }
        // A lock has this key even without packages.
        let packages = if packages.is_empty() { value(Array::new()) } else { Item::ArrayOfTables(packages) };
        document.insert("packages", packages);
        let mut tool = Table::new();
        tool.set_implicit(true);
        tool.insert("uvenv", Item::Table(facts.table()));
        document.insert("tool", Item::Table(tool));
        document.to_string()
    }
}

impl Facts {
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.insert("schema", value(SCHEMA));
        table.insert("purpose", value(self.purpose.as_str()));
        table.insert("profile", value(self.profile.as_str()));
        if let Some(backend) = &self.backend {
            table.insert("backend", value(backend.as_str()));
        }
        table.insert("manifest", value(&self.manifest));
        table.insert("lockfile", value(&self.lockfile));
        table.insert("pythons", value(self.pythons.iter().collect::<Array>()));
        table.insert("interpreters", value(self.interpreters.iter().collect::<Array>()));
        table.insert("requests", value(self.requests.iter().collect::<Array>()));
        table.insert("built", value(self.built.iter().map(Name::as_str).collect::<Array>()));
        let mut pins = ArrayOfTables::new();
        for pin in &self.pins {
            let mut table = Table::new();
            table.insert("name", value(pin.name.as_str()));
            table.insert("url", value(&pin.url));
            for (key, text) in [("reference", &pin.reference), ("subdirectory", &pin.subdirectory)] {
                if let Some(text) = text {
                    table.insert(key, value(text));
                }
            }
            table.insert("commit", value(&pin.commit));
            table.insert("tree", value(&pin.tree));
            for (key, text) in [("tag-object", &pin.tag_object), ("signature", &pin.signature)] {
                if let Some(text) = text {
                    table.insert(key, value(text));
                }
            }
            table.insert("requires", value(pin.requires.iter().collect::<Array>()));
            table.insert("wheels", value(pin.wheels.iter().collect::<Array>()));
            pins.push(table);
        }
        if !pins.is_empty() {
            table.insert("pins", Item::ArrayOfTables(pins));
        }
        table
    }
}

/// One wheel a line, as uv writes them.
fn array(wheels: &[VendoredWheel]) -> Value {
    let mut array = Array::new();
    for wheel in wheels {
        let mut hashes = InlineTable::new();
        hashes.insert("sha256", wheel.sha256.as_str().into());
        let mut table = InlineTable::new();
        table.insert("name", wheel.file.as_str().into());
        table.insert("path", format!("{WHEELS}/{}", wheel.file).into());
        table.insert("size", i64::try_from(wheel.size).unwrap_or_default().into());
        table.insert("hashes", Value::InlineTable(hashes));
        let mut table = Value::InlineTable(table);
        table.decor_mut().set_prefix("\n    ");
        array.push_formatted(table);
    }
    array.set_trailing_comma(true);
    array.set_trailing("\n");
    Value::Array(array)
}
