//! Changes to a monorepo and its environment.

use std::{fs, os::unix::fs::symlink};

use super::{
    around,
    files::tamper,
    installed, links,
    packages::{self, manifest, member},
    settings,
    world::World,
};

/// A kind of change: its weight, name and function. The function returns what it did, or `None` if it does not apply.
pub(super) type Change = (u32, &'static str, fn(&mut World) -> Option<String>);

/// Changes that uv ignores, so that uvenv should answer without it.
const IDLE: [Change; 5] = [
    (6, "nothing", |_| Some("nothing".to_owned())),
    (4, "a source file", packages::source_file),
    (2, "an unrelated file", packages::unrelated_file),
    (2, "a file of a distribution that uv does not read", installed::unread),
    (1, "an unrelated variable", |world| Some(around::variable(world, &settings::OTHER_VARIABLES))),
];

/// Changes that may matter.
const ACTIVE: [Change; 39] = [
    (10, "a manifest is edited", packages::edit_manifest),
    (6, "the file of a manifest", |world| {
        let path = manifest(world);
        let text = fs::read_to_string(&path).unwrap_or_default();
        tamper(world, &path, &text)
    }),
    (4, "the lockfile", around::lockfile),
    (5, "a file of settings", around::settings_file),
    (2, "a file of a Python version", around::python_version),
    (1, "a pyproject.toml elsewhere", packages::stray_manifest),
    (2, "Cargo.toml", |world| {
        let path = if world.rng.bool() { "Cargo.toml" } else { "crates/kernels/Cargo.toml" };
        let path = world.root.join(path);
        let text = fs::read_to_string(&path).ok()?.replace("[\"cu124\"]", "[\"cu128\"]");
        tamper(world, &path, &text)
    }),
    (5, "what cache keys name", packages::cache_key),
    (3, "the folder src", packages::source_folder),
    (2, "a new member", packages::new_member),
    (2, "a member is gone", |world| {
        let directory = member(world);
        directory.is_dir().then(|| world.put_aside(&directory))?;
        Some(format!("{directory} is gone"))
    }),
    (1, "a member is away and back", |world| {
        let directory = member(world);
        directory.is_dir().then(|| fs::rename(&directory, directory.with_extension("away")))?.ok()?;
        fs::rename(directory.with_extension("away"), &directory).ok()?;
        Some(format!("{directory} is away and back"))
    }),
    (1, "a member behind a link", |world| {
        let directory = member(world);
        let aside = directory.is_dir().then(|| world.put_aside(&directory))?;
        symlink(aside, &directory).ok()?;
        Some(format!("{directory} is a link to what it was"))
    }),
    (2, "a directory behind a link", links::moved_behind_a_link),
    (3, "a link leads elsewhere", links::leads_elsewhere),
    (1, "a directory is replaced", links::replaced),
    (1, "a directory is gone", links::gone),
    (2, "a project behind a link", links::project_behind_a_link),
    (1, "a folder without a manifest", packages::stray_folder),
    (6, "a file of a distribution that uv reads", installed::read_file),
    (2, "a distribution", installed::distribution),
    (1, "something strange among the packages", installed::strange),
    (1, "pyvenv.cfg", installed::pyvenv),
    (2, "the environment's interpreter", installed::interpreter),
    (2, "the base interpreter", installed::base),
    (1, "the environment", installed::environment),
    (3, "uv pip", installed::uv_pip),
    (1, "pip", installed::pip),
    (1, "a tag is moved", around::move_tag),
    (3, "the profile", |world| {
        let profiles = &world.layout.profiles;
        world.request.profile = profiles[world.rng.usize(..profiles.len())];
        world.request.project = None;
        Some(format!("the profile is {}", world.request.profile))
    }),
    (2, "the backend", |world| {
        let backends = [Some("cu124"), Some("cu128"), Some("none"), Some("auto"), None];
        let backend = backends[world.rng.usize(..if world.layout.backends { 5 } else { return None })];
        world.request.backend = backend;
        Some(format!("the backend is {backend:?}"))
    }),
    (4, "a flag", around::flag),
    (1, "--python", |world| {
        let python = [None, None, Some("3.11"), Some("3.12"), Some("3"), Some("python3")][world.rng.usize(..6)];
        world.request.python = python;
        Some(format!("the Python is {python:?}"))
    }),
    (2, "the directory", |world| {
        let directories = ["", "packages/pkg-0", "packages/pkg-0/src", "packages"];
        world.request.directory = directories[world.rng.usize(..directories.len())].into();
        world.request.by_flag = world.rng.bool() && world.root.join(&world.request.directory).is_dir();
        Some(format!("the directory is {:?}, by -C: {}", world.request.directory, world.request.by_flag))
    }),
    (3, "what can be written", |world| {
        let directories = [None, Some(world.root.clone()), Some(world.project()), Some(world.environment())];
        world.request.read_only.clone_from(&directories[world.rng.usize(..directories.len())]);
        Some(format!("{:?} is read-only", world.request.read_only))
    }),
    (8, "a variable", |world| Some(around::variable(world, &settings::VARIABLES))),
    (6, "a variable is unset", |world| {
        let names: Vec<_> = world.request.variables.keys().copied().collect();
        let name = names.get(world.rng.usize(..names.len().max(1)))?;
        world.request.variables.remove(name);
        Some(format!("{name} is unset"))
    }),
    (2, "a file is switched twice", |world| {
        let path = manifest(world);
        let text = fs::read(&path).ok()?;
        fs::write(&path, "").ok()?;
        fs::write(&path, text).ok()?;
        Some(format!("{path} was empty for a moment"))
    }),
    (1, "a linked environment", |world| {
        let environment = world.environment();
        let aside = environment.with_file_name(".environment");
        let is_there = environment.is_dir() && !environment.is_symlink() && !aside.exists();
        is_there.then(|| fs::rename(&environment, &aside))?.ok()?;
        symlink(&aside, &environment).ok()?;
        Some(format!("{environment} is a link"))
    }),
];

/// Makes a change and returns its kind and details.
pub(super) fn change(world: &mut World) -> (&'static str, String) {
    let idle = world.rng.u8(..100) < 55;
    let changes = if idle { &IDLE[..] } else { &ACTIVE[..] };
    loop {
        let sum: u32 = changes.iter().map(|(weight, ..)| weight).sum();
        let mut number = world.rng.u32(..sum);
        let (_, kind, act) = changes
            .iter()
            .find(|(weight, ..)| {
                let found = number < *weight;
                number = number.saturating_sub(*weight);
                found
            })
            .expect("the number is less than the sum");
        if let Some(done) = act(world) {
            return (kind, done);
        }
    }
}
