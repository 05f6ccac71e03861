//! The text of a lock in a vendored directory.

use std::collections::BTreeMap;

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{Facts, OwnTable, PinFacts, Pylock, SCHEMA, ToolTable, VendoredWheel, sealed};
use crate::vendor::WHEELS;

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
        let own = OwnTable { schema: SCHEMA, checksum: String::new(), facts: facts.clone() };
        sealed(&format!("{document}\n{}", own.text()))
    }
}

impl OwnTable {
    fn text(self) -> String {
        let tables = BTreeMap::from([("tool", ToolTable { uvenv: self })]);
        toml::to_string(&tables).unwrap_or_default()
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
