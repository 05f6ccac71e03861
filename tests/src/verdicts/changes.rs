//! Random changes to manifests.

use fastrand::Rng;

use super::{manifest::Manifest, world::World};

const REQUIREMENTS: [&str; 22] = [
    "alpha-lib",
    "alpha-lib>=1.0",
    "alpha-lib >=1, <2",
    "alpha_lib>=1,<2",
    "Alpha.Lib ~= 1.0",
    "alpha-lib==1.1",
    "beta-lib",
    "beta-lib; sys_platform == 'win32'",
    "beta-lib ; python_version < '3.9'",
    "beta-lib>1; python_version >= '3.10' and sys_platform != 'win32'",
    "beta-lib[nothing]",
    "gamma-lib",
    "gamma-lib[x,y]>=1",
    "gamma-lib!=1.0",
    "gamma-lib (>=1.0)",
    "one",
    "one; sys_platform == 'linux'",
    "two",
    "pinned",
    "app[x1]",
    "app[x1,x2]",
    "missing-lib",
];

const SETTINGS: [(&str, &[&str]); 17] = [
    ("constraint-dependencies", &["[\"alpha-lib<2\"]", "[\"beta-lib<2\", \"gamma-lib\"]", "[]"]),
    ("override-dependencies", &["[\"alpha-lib==1.0\"]", "[\"unused-lib==1\"]", "[]"]),
    ("build-constraint-dependencies", &["[\"setuptools<99\"]", "[]"]),
    ("environments", &["[\"sys_platform == 'linux'\"]", "[\"sys_platform == 'linux'\", \"sys_platform == 'darwin'\"]"]),
    ("required-environments", &["[\"sys_platform == 'linux'\"]"]),
    ("resolution", &["\"lowest\"", "\"lowest-direct\"", "\"highest\""]),
    ("prerelease", &["\"allow\"", "\"disallow\"", "\"if-necessary\""]),
    ("fork-strategy", &["\"fewest\"", "\"requires-python\""]),
    ("exclude-newer", &["\"2035-01-01\"", "\"2036-01-01T00:00:00Z\""]),
    ("dependency-metadata", &["[{ name = \"alpha-lib\", version = \"1.0\", requires-dist = [\"gamma-lib\"] }]", "[]"]),
    ("default-groups", &["[\"g1\"]", "[]", "\"all\""]),
    ("dev-dependencies", &["[\"gamma-lib\"]", "[]"]),
    ("package", &["true", "false"]),
    ("conflicts", &["[[{ extra = \"x1\" }, { extra = \"x2\" }]]", "[[{ extra = \"x1\" }, { group = \"g1\" }]]", "[]"]),
    ("managed", &["true"]),
    ("index-strategy", &["\"unsafe-best-match\""]),
    ("no-build-isolation-package", &["[\"alpha-lib\"]"]),
];

fn one_of<'a, T>(rng: &mut Rng, items: &'a [T]) -> &'a T {
    &items[rng.usize(..items.len())]
}

/// Makes one change. Returns it in words.
pub(super) fn change(world: &mut World) -> String {
    let remotes = [world.remote("one"), world.remote("pinned")];
    let directories: Vec<_> = match world.directory() {
        "" => world.manifests.keys().filter(|directory| *directory != "prod").cloned().collect(),
        directory => vec![directory.to_owned()],
    };
    // The root, most of the time.
    let number = if world.rng.u8(..3) > 0 { 0 } else { world.rng.usize(..directories.len()) };
    let directory = directories[number].clone();
    if world.directory().is_empty() && world.rng.u8(..6) == 0 {
        return members(world);
    }
    let World { rng, manifests, .. } = world;
    let Some(manifest) = manifests.get_mut(&directory) else { return "nothing".to_owned() };
    let what = match rng.u8(..16) {
        0..=3 => requirements(rng, manifest),
        4 | 5 => extras(rng, manifest),
        6 | 7 => groups(rng, manifest),
        8..=10 => sources(rng, manifest, &remotes),
        11 | 12 => settings(rng, manifest),
        13 => indexes(rng, manifest),
        14 => project(rng, manifest),
        _ => "another spelling".to_owned(),
    };
    format!("{directory}/pyproject.toml: {what}")
}

fn requirements(rng: &mut Rng, manifest: &mut Manifest) -> String {
    let dependencies = &mut manifest.dependencies;
    match rng.u8(..5) {
        0 if !dependencies.is_empty() => {
            let gone = dependencies.swap_remove(rng.usize(..dependencies.len()));
            format!("`{gone}` is removed")
        }
        1 if !dependencies.is_empty() => {
            let moved = dependencies.swap_remove(rng.usize(..dependencies.len()));
            manifest.extras.entry("x1".to_owned()).or_default().push(moved.clone());
            format!("`{moved}` is moved into an extra")
        }
        2 => {
            rng.shuffle(dependencies);
            "dependencies in another order".to_owned()
        }
        _ => {
            let added = (*one_of(rng, &REQUIREMENTS)).to_owned();
            let name = |text: &str| text.split([' ', '>', '=', '<', '~', '!', ';', '[', '(']).next().map(str::to_owned);
            // A second requirement on the same package now and then.
            if rng.bool() {
                dependencies.retain(|other| name(other) != name(&added));
            }
            dependencies.push(added.clone());
            format!("`{added}` is added")
        }
    }
}

fn extras(rng: &mut Rng, manifest: &mut Manifest) -> String {
    let name = (*one_of(rng, &["x1", "x2", "all"])).to_owned();
    match rng.u8(..4) {
        0 => {
            manifest.extras.remove(&name);
            format!("no extra `{name}`")
        }
        1 => {
            manifest.extras.insert(name.clone(), Vec::new());
            format!("an empty extra `{name}`")
        }
        _ => {
            let own = format!("{}[{}]", manifest.name, one_of(rng, &["x1", "x2"]));
            let added = if name == "all" && rng.bool() { own } else { (*one_of(rng, &REQUIREMENTS)).to_owned() };
            manifest.extras.entry(name.clone()).or_default().push(added.clone());
            format!("`{added}` in the extra `{name}`")
        }
    }
}

fn groups(rng: &mut Rng, manifest: &mut Manifest) -> String {
    let name = (*one_of(rng, &["g1", "g2", "dev"])).to_owned();
    match rng.u8(..5) {
        0 => {
            manifest.groups.remove(&name);
            format!("no group `{name}`")
        }
        1 => {
            manifest.groups.insert(name.clone(), Vec::new());
            format!("an empty group `{name}`")
        }
        2 => {
            let included = one_of(rng, &["g1", "g2"]);
            let entry = format!("{{ include-group = \"{included}\" }}");
            manifest.groups.entry(name.clone()).or_default().push(entry);
            format!("the group `{name}` includes `{included}`")
        }
        _ => {
            let own = format!("{}[x1]", manifest.name);
            let added = if rng.u8(..4) == 0 { own } else { (*one_of(rng, &REQUIREMENTS)).to_owned() };
            manifest.groups.entry(name.clone()).or_default().push(added.clone());
            format!("`{added}` in the group `{name}`")
        }
    }
}

fn sources(rng: &mut Rng, manifest: &mut Manifest, remotes: &[String; 2]) -> String {
    let package = (*one_of(rng, &["alpha-lib", "beta-lib", "one", "one", "two", "pinned", "pinned"])).to_owned();
    let remote = &remotes[usize::from(package == "pinned")];
    let directory = if package == "pinned" { ", subdirectory = \"py pkgs/pinned\"" } else { "" };
    let git = |rest: &str| format!("{{ git = \"{remote}\"{rest}{directory} }}");
    let sources = [
        "{ workspace = true }".to_owned(),
        "{ workspace = true, editable = false }".to_owned(),
        "{ path = \"packages/two\" }".to_owned(),
        "{ path = \"packages/one\", editable = true }".to_owned(),
        "{ index = \"other\" }".to_owned(),
        "{ index = \"small\" }".to_owned(),
        "[{ index = \"other\", extra = \"x1\" }]".to_owned(),
        "[{ index = \"other\", marker = \"sys_platform == 'linux'\" }]".to_owned(),
        "[{ index = \"other\", group = \"g1\" }, { index = \"small\", extra = \"x2\" }]".to_owned(),
        git(", tag = \"v0.1.0\""),
        git(", tag = \"v0.1.1\""),
        git(", tag = \"v0.2.0\""),
        git(", branch = \"main\""),
        git(""),
        format!("{{ git = \"{remote}\", tag = \"v0.1.0\", subdirectory = \"\" }}"),
        format!("{{ git = \"{remote}\", tag = \"v0.1.0\", subdirectory = \"inner\" }}"),
        format!("{{ git = \"{remote}/\", tag = \"v0.1.0\"{directory} }}"),
    ];
    if rng.u8(..5) == 0 {
        manifest.sources.remove(&package);
        return format!("no source of `{package}`");
    }
    let source = one_of(rng, &sources).clone();
    manifest.sources.insert(package.clone(), source.clone());
    format!("the source of `{package}` is {source}")
}

fn settings(rng: &mut Rng, manifest: &mut Manifest) -> String {
    let (key, values) = one_of(rng, &SETTINGS);
    if rng.u8(..3) == 0 {
        manifest.settings.remove(*key);
        return format!("no `{key}`");
    }
    let value = one_of(rng, values);
    manifest.settings.insert((*key).to_owned(), (*value).to_owned());
    format!("{key} = {value}")
}

fn indexes(rng: &mut Rng, manifest: &mut Manifest) -> String {
    match rng.u8(..3) {
        0 => {
            manifest.indexes.reverse();
            "indexes in another order".to_owned()
        }
        1 if manifest.indexes.len() == 2 => {
            let (small, other) = (manifest.indexes[0].1.clone(), manifest.indexes[1].1.clone());
            (manifest.indexes[0].1, manifest.indexes[1].1) = (other, small);
            "the indexes swap their URLs".to_owned()
        }
        _ => {
            for (_, url) in &mut manifest.indexes {
                *url = if url.ends_with('/') { url.trim_end_matches('/').to_owned() } else { format!("{url}/") };
            }
            "slashes at the end of indexes".to_owned()
        }
    }
}

fn project(rng: &mut Rng, manifest: &mut Manifest) -> String {
    match rng.u8(..4) {
        0 => {
            let version = (*one_of(rng, &["0.1.0", "0.1", "0.2.0", "v0.2.0", "0.3.0.dev1"])).to_owned();
            manifest.version = Some(version.clone());
            format!("version {version}")
        }
        1 => {
            manifest.version = None;
            "a dynamic version".to_owned()
        }
        2 if manifest.name.starts_with("app") => {
            manifest.name = if manifest.name == "app" { "app-b".to_owned() } else { "app".to_owned() };
            format!("the name {}", manifest.name)
        }
        _ => {
            manifest.python = String::from(*one_of(rng, &[">=3.10", ">=3.9", ">=3.11", ">=3.10,<4", " >= 3.10 "]));
            format!("requires-python {}", manifest.python)
        }
    }
}

/// Changes what the members are.
fn members(world: &mut World) -> String {
    let mut rng = world.rng.fork();
    match rng.u8(..8) {
        0 => {
            world.leftovers.push("old".to_owned());
            "a directory without a manifest".to_owned()
        }
        1 => {
            world.leftovers.clear();
            "no directories without a manifest".to_owned()
        }
        2 => {
            world.manifests.insert("packages/three".to_owned(), Manifest::new("three"));
            "another member".to_owned()
        }
        3 => {
            world.manifests.insert("packages/one/nested".to_owned(), Manifest::new("nested"));
            "a manifest in a member".to_owned()
        }
        4 => {
            let Some(moved) = world.manifests.remove("packages/two") else { return "nothing".to_owned() };
            world.manifests.insert("packages/renamed".to_owned(), moved);
            "the directory of a member has another name".to_owned()
        }
        5 => {
            let gone =
                *one_of(&mut rng, &["packages/three", "packages/renamed", "packages/one/nested", "packages/two"]);
            world.manifests.remove(gone);
            format!("{gone} is gone")
        }
        6 => {
            let root = world.manifests.get_mut("").expect("the root");
            root.members = match rng.u8(..3) {
                0 => vec!["packages/*".to_owned()],
                1 => vec!["packages/*".to_owned(), "packages/one/*".to_owned()],
                _ => vec!["packages/one".to_owned(), "packages/t*".to_owned(), "packages/renamed".to_owned()],
            };
            format!("members = {:?}", root.members)
        }
        _ => {
            let root = world.manifests.get_mut("").expect("the root");
            root.exclude = if root.exclude.is_empty() { vec!["packages/t*".to_owned()] } else { Vec::new() };
            format!("exclude = {:?}", root.exclude)
        }
    }
}
