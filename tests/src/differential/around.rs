//! Changes around the packages: lockfiles, settings, tags and the request.

use std::fs;

use super::{files::tamper, packages::member, settings, world::World};
use crate::programs::{git, run};

pub(super) fn lockfile(world: &mut World) -> Option<String> {
    let path = world.lockfile();
    let text = fs::read_to_string(&path).ok()?;
    let text = match world.rng.u8(..4) {
        0 => text.replacen("version = \"1.0\"", "version = \"1.1\"", 1),
        1 => text.replacen("version = 1\n", "version = 99\n", 1),
        2 => format!("{text}\n# more\n"),
        _ => text,
    };
    tamper(world, &path, &text)
}

pub(super) fn settings_file(world: &mut World) -> Option<String> {
    let (home, root) = (world.fixture.temporary().join("home"), world.root.clone());
    let places = [
        root.join("uv.toml"),
        root.parent()?.join("uv.toml"),
        home.join(".config/uv/uv.toml"),
        member(world).join("uv.toml"),
        world.project().join("uv.toml"),
    ];
    let path = places[world.rng.usize(..places.len())].clone();
    let setting = settings::setting(&mut world.rng);
    tamper(world, &path, &format!("{setting}\n"))
}

pub(super) fn python_version(world: &mut World) -> Option<String> {
    let home = world.fixture.temporary().join("home/.config/uv");
    let directory = [world.project(), world.root.clone(), home, member(world)][world.rng.usize(..4)].clone();
    let name = [".python-version", ".python-versions"][world.rng.usize(..2)];
    let text = ["3.11\n", "3.12\n", "# nothing\n", "3.99\n", "python3\n", ">=3.10\n"][world.rng.usize(..6)];
    tamper(world, &directory.join(name), text)
}

pub(super) fn move_tag(world: &mut World) -> Option<String> {
    let remotes = world.fixture.temporary().join("remotes");
    let found = remotes.read_dir_utf8().ok()?.flatten().map(|entry| entry.path().to_owned()).min()?;
    run(git().args(["-C", found.as_str(), "tag", "--force", "v0.1.2", "main~1"]));
    Some(format!("v0.1.2 of {found} is another"))
}

pub(super) fn flag(world: &mut World) -> Option<String> {
    let member = member(world).file_name()?.to_owned();
    match world.rng.u8(..10) {
        0 => world.request.frozen = !world.request.frozen,
        1 => world.request.locked = !world.request.locked,
        2 => world.request.shared.clear(),
        number => {
            let flag = ["--extra=plots", "--group=docs", "--no-default-groups", "--all-packages", "--offline"];
            let flag = flag
                .get(usize::from(number - 3))
                .map_or_else(|| format!("--package={member}"), |flag| (*flag).to_owned());
            match world.request.shared.iter().position(|other| *other == flag) {
                Some(place) => drop(world.request.shared.remove(place)),
                None => world.request.shared.push(flag),
            }
        }
    }
    if world.request.frozen && world.request.locked {
        world.request.locked = false;
    }
    let request = &world.request;
    Some(format!("the flags are {:?}, frozen: {}, locked: {}", request.shared, request.frozen, request.locked))
}

/// Sets one of the variables.
pub(super) fn variable(world: &mut World, variables: &[(&'static str, &'static [&'static str])]) -> String {
    let (name, values) = variables[world.rng.usize(..variables.len())];
    let value = values[world.rng.usize(..values.len())];
    world.request.variables.insert(name, value.to_owned());
    format!("{name} is {value:?}")
}
