//! Changes to the packages of a monorepo.

use std::{fs, process::Command};

use camino::Utf8PathBuf;

use super::{
    files::tamper,
    layout::package_manifest,
    settings,
    world::{World, remove},
};
use crate::programs::run;

pub(super) fn member(world: &mut World) -> Utf8PathBuf {
    let number = world.rng.usize(..world.layout.members.len());
    world.root.join("packages").join(&world.layout.members[number])
}

pub(super) fn manifest(world: &mut World) -> Utf8PathBuf {
    let directory = match world.rng.u8(..8) {
        0..=2 => world.project(),
        3 => world.root.join("libs/lib-path"),
        _ => member(world),
    };
    directory.join("pyproject.toml")
}

pub(super) fn edit_manifest(world: &mut World) -> Option<String> {
    let path = manifest(world);
    let text = fs::read_to_string(&path).ok()?;
    let (what, text) = settings::edited(&mut world.rng, &text)?;
    world.keep(&path);
    fs::write(&path, text).ok()?;
    Some(format!("{path} says {what}"))
}

pub(super) fn source_file(world: &mut World) -> Option<String> {
    let directory = member(world);
    let module = directory.file_name()?.replace('-', "_");
    let path = directory.join("src").join(module);
    path.is_dir().then_some(())?;
    let name = ["__init__.py", "more.py", "__pycache__/more.cpython-311.pyc"][world.rng.usize(..3)];
    let path = path.join(name);
    fs::create_dir_all(path.parent()?).ok()?;
    fs::write(&path, format!("VALUE = {}\n", world.rng.u32(..))).ok()?;
    Some(format!("{path} is written"))
}

pub(super) fn unrelated_file(world: &mut World) -> Option<String> {
    let name = ["README.md", "notes.txt", "tests/test_all.py", "scripts/run.sh"][world.rng.usize(..4)];
    let path = world.root.join(name);
    tamper(world, &path, "anything 1\n")
}

pub(super) fn cache_key(world: &mut World) -> Option<String> {
    let directory = member(world);
    let names =
        ["setup.py", "setup.cfg", "data/one.txt", "data/three.txt", "data/deep/four.txt", ".hidden.txt", "src/x.txt"];
    let path = directory.join(names[world.rng.usize(..names.len())]);
    let path = if world.rng.u8(..8) == 0 { world.root.join("shared.txt") } else { path };
    let text = if path.extension() == Some("cfg") { "[metadata]\n" } else { "# nothing 1\n" };
    directory.is_dir().then_some(())?;
    tamper(world, &path, text)
}

pub(super) fn source_folder(world: &mut World) -> Option<String> {
    let path = member(world).join(["src", "data"][world.rng.usize(..2)]);
    path.is_dir().then_some(())?;
    let away = path.with_extension("away");
    match world.rng.u8(..3) {
        0 => {
            fs::rename(&path, &away).and_then(|()| fs::rename(&away, &path)).ok()?;
            Some(format!("{path} is away and back"))
        }
        1 => {
            let aside = world.put_aside(&path);
            run(Command::new("cp").args(["-R", aside.as_str(), path.as_str()]));
            Some(format!("{path} is a copy of what it was"))
        }
        _ => {
            world.put_aside(&path);
            Some(format!("{path} is gone"))
        }
    }
}

pub(super) fn new_member(world: &mut World) -> Option<String> {
    let directory = world.root.join("packages/pkg-new");
    let path = directory.join("pyproject.toml");
    world.keep(&path);
    world.keep(&directory);
    let name = ["pkg-new", "pkg-0", "alpha-lib"][world.rng.usize(..3)];
    fs::create_dir_all(directory.join("src/pkg_new")).ok()?;
    fs::write(directory.join("src/pkg_new/__init__.py"), "").ok()?;
    fs::write(&path, package_manifest(name, "0.1.0", "")).ok()?;
    Some(format!("{directory} is a member called {name}"))
}

pub(super) fn stray_folder(world: &mut World) -> Option<String> {
    let names = ["packages/stray", "packages/.hidden", "packages/file.txt", "packages/left/__pycache__"];
    let path = world.root.join(names[world.rng.usize(..names.len())]);
    world.keep(&path);
    world.keep(&world.root.join("packages/left"));
    if path.exists() {
        remove(&path);
        return Some(format!("{path} is gone"));
    }
    if path.extension().is_some() { fs::write(&path, "") } else { fs::create_dir_all(&path) }.ok()?;
    Some(format!("{path} is made"))
}

pub(super) fn stray_manifest(world: &mut World) -> Option<String> {
    let root = world.root.clone();
    let places = [root.join("libs"), root.join("packages"), root.parent()?.to_owned(), root.join("packages/pkg-0/src")];
    let texts = [
        "[project]\nname = \"stray\"\nversion = \"1\"\n",
        "[tool.uv]\nresolution = \"lowest\"\n",
        "[project]\nname = \"stray\"\nversion = \"1\"\n\n[tool.uv.workspace]\nmembers = [\"*\"]\n",
        "= broken",
    ];
    let (place, text) = (world.rng.usize(..places.len()), world.rng.usize(..texts.len()));
    tamper(world, &places[place].join("pyproject.toml"), texts[text])
}
