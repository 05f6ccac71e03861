//! Directories as a whole, and links on the way to what uv reads.

use std::{fs, os::unix::fs::symlink, process::Command};

use camino::{Utf8Path, Utf8PathBuf};

use super::{settings, world::World};
use crate::programs::run;

/// Directories of a monorepo that can be somewhere else.
const DIRECTORIES: [&str; 6] = ["packages", "packages/pkg-0", "libs", "libs/lib-path", "prod", "crates"];

fn one_of(world: &mut World, is_right: impl Fn(&Utf8Path) -> bool) -> Option<Utf8PathBuf> {
    let directories: Vec<_> =
        DIRECTORIES.iter().map(|path| world.root.join(path)).filter(|path| is_right(path)).collect();
    directories.get(world.rng.usize(..directories.len().max(1))).cloned()
}

/// Copies a directory to another place, where a manifest in it may be edited.
fn copy(world: &mut World, directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let copy = world.new_place();
    run(Command::new("cp").args(["-R", directory.as_str(), copy.as_str()]));
    let manifest = copy.join("pyproject.toml");
    if let Ok(text) = fs::read_to_string(&manifest)
        && world.rng.bool()
    {
        let (_, text) = settings::edited(&mut world.rng, &text)?;
        fs::write(&manifest, text).ok()?;
    }
    Some(copy)
}

/// A directory becomes a link to what it was.
pub(super) fn moved_behind_a_link(world: &mut World) -> Option<String> {
    let directory = one_of(world, |path| path.is_dir() && !path.is_symlink())?;
    let aside = world.put_aside(&directory);
    symlink(&aside, &directory).ok()?;
    Some(format!("{directory} is a link to what it was"))
}

/// A link leads to a copy of what it led to, or nowhere.
pub(super) fn leads_elsewhere(world: &mut World) -> Option<String> {
    let link = one_of(world, |path| path.is_symlink() && path.exists())?;
    let target = link.canonicalize_utf8().ok()?;
    let target = if world.rng.u8(..4) == 0 { world.new_place() } else { copy(world, &target)? };
    world.keep(&link);
    fs::remove_file(&link).ok()?;
    symlink(&target, &link).ok()?;
    Some(format!("{link} leads to {target}"))
}

/// A directory is replaced by a copy.
pub(super) fn replaced(world: &mut World) -> Option<String> {
    let directory = one_of(world, |path| path.is_dir() && !path.is_symlink())?;
    let copy = copy(world, &directory)?;
    world.put_aside(&directory);
    fs::rename(copy, &directory).ok()?;
    Some(format!("{directory} is a copy of what it was"))
}

/// A directory is gone.
pub(super) fn gone(world: &mut World) -> Option<String> {
    let directory = one_of(world, |path| path.is_dir() && !path.is_symlink())?;
    world.put_aside(&directory);
    Some(format!("{directory} is gone"))
}

/// The request goes through a link to the project, which may lead elsewhere later.
pub(super) fn project_behind_a_link(world: &mut World) -> Option<String> {
    let link = world.fixture.temporary().join("project");
    let project = world.project();
    if link.is_symlink() {
        fs::remove_file(&link).ok()?;
    }
    symlink(&project, &link).ok()?;
    world.request.project = (world.request.project.is_none() || world.rng.bool()).then_some(link);
    Some(format!("the project is {:?}", world.request.project))
}
