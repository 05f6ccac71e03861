//! Which modules of a crate import which: what `use` and paths in its sources name, read by syn.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use camino::{Utf8Path, Utf8PathBuf};
use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};
use syn::{
    Attribute, Item, ItemUse, UseTree, Visibility,
    visit::{self, Visit},
};

/// The modules of a crate, each a file, by their names from the crate's root: `ops::sync`.
#[derive(Debug, Default)]
pub struct Modules {
    modules: BTreeMap<String, Module>,
}

/// What a file defines and names, without its tests.
#[derive(Debug, Default)]
struct Module {
    items: BTreeSet<String>,
    /// What its `use` items bring in, by the name that it has here.
    uses: BTreeMap<String, Vec<String>>,
    /// The paths that it names.
    paths: BTreeSet<Vec<String>>,
}

impl Modules {
    /// Those below `sources`, the directory of a crate's `lib.rs`.
    pub fn read(sources: &Utf8Path) -> Self {
        let mut modules = Self::default();
        for path in rust_files(sources) {
            let relative = path.strip_prefix(sources).expect("below the sources").with_extension("");
            let name = relative.as_str().replace('/', "::");
            let name = name.strip_suffix("::mod").unwrap_or(&name);
            let name = if name == "lib" || name == "main" { "" } else { name };
            let text = fs::read_to_string(&path).expect("a source can be read");
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let mut module = Module::default();
            file.items.iter().for_each(|item| module.visit_item(item));
            modules.modules.insert(name.to_owned(), module);
        }
        modules
    }

    /// The names of the modules right below the root.
    pub fn top_level(&self) -> BTreeSet<&str> {
        self.modules.keys().filter(|name| !name.is_empty()).map(|name| top(name)).collect()
    }

    /// What the modules import: each pair once, but for a module and what is in it.
    fn imports(&self) -> BTreeSet<(&str, &str)> {
        let mut imports = BTreeSet::new();
        for (name, module) in &self.modules {
            for path in module.paths.iter().chain(module.uses.values()) {
                let target = self.absolute(name, path).and_then(|path| self.owner(&path, 0));
                imports.extend(target.filter(|target| !is_within(name, target)).map(|target| (name.as_str(), target)));
            }
        }
        imports
    }

    /// The imports between the modules right below the root.
    pub fn between_top_level(&self) -> BTreeSet<(&str, &str)> {
        let imports = self.imports().into_iter().map(|(from, to)| (top(from), top(to)));
        imports.filter(|(from, to)| from != to && !from.is_empty() && !to.is_empty()).collect()
    }

    /// The modules that import each other, directly or through others.
    pub fn circles(&self) -> Vec<Vec<&str>> {
        let graph: DiGraphMap<&str, ()> = self.imports().into_iter().collect();
        let mut circles: Vec<_> = tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1).collect();
        for circle in &mut circles {
            circle.sort_unstable();
        }
        circles.sort();
        circles
    }

    /// A path from the crate's root; `None` if it leads to another crate.
    fn absolute(&self, module: &str, path: &[String]) -> Option<Vec<String>> {
        let mut base: Vec<_> = module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (base, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            first if self.modules.contains_key(&join(&base, first)) => {}
            _ => return None,
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// The module that defines what `path` leads to: that of the file, or where a `use` in it has it from.
    fn owner(&self, path: &[String], depth: usize) -> Option<&str> {
        let (name, rest) = (0..=path.len()).rev().find_map(|end| {
            let (name, _) = self.modules.get_key_value(&path[..end].join("::"))?;
            Some((name, &path[end..]))
        })?;
        let module = &self.modules[name];
        let Some(item) = rest.first().filter(|item| !module.items.contains(*item)) else { return Some(name) };
        let imported = module.uses.get(item).filter(|_| depth < 8);
        let through = imported.and_then(|path| self.owner(&self.absolute(name, path)?, depth + 1));
        through.or(Some(name))
    }
}

fn join(base: &[String], name: &str) -> String {
    base.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("::")
}

fn top(name: &str) -> &str {
    name.split("::").next().unwrap_or(name)
}

/// Whether one of the two modules is in the other.
fn is_within(one: &str, other: &str) -> bool {
    let below = |inner: &str, outer: &str| {
        inner == outer || outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"))
    };
    below(one, other) || below(other, one)
}

/// The sources below a directory, without those of tests.
fn rust_files(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = directory.read_dir_utf8().expect("the directory can be read");
    entries
        .map(|entry| entry.expect("the directory can be read").into_path())
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension() == Some("rs") && path.file_name() != Some("tests.rs"))
        .collect()
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        attribute.path().is_ident("cfg") && (text == "test" || text.starts_with("all (test"))
    })
}

impl<'a> Visit<'a> for Module {
    fn visit_item(&mut self, item: &'a Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Mod(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            Item::Impl(item) => (&item.attrs, None),
            _ => return,
        };
        if is_test(attributes) {
            return;
        }
        self.items.extend(name.map(ToString::to_string));
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        let is_exported = !matches!(item.vis, Visibility::Inherited);
        flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
            // Where it comes from counts for who takes it from here.
            if !is_exported {
                self.paths.insert(path.clone());
            }
            self.uses.insert(name, path);
        });
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        // A name alone is of this file.
        if path.segments.len() > 1 {
            self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}

/// Calls `found` with each name that a tree brings in, and the whole path behind it.
fn flatten(tree: &UseTree, before: &mut Vec<String>, found: &mut dyn FnMut(String, Vec<String>)) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            found(before.last().cloned().unwrap_or_default(), before.clone());
        }
        UseTree::Name(name) => found(name.ident.to_string(), [&before[..], &[name.ident.to_string()]].concat()),
        UseTree::Rename(rename) => {
            found(rename.rename.to_string(), [&before[..], &[rename.ident.to_string()]].concat());
        }
        UseTree::Glob(_) => found("*".to_owned(), before.clone()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
    }
}
