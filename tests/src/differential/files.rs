//! Changes to a file, regardless of its content.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    time::{Duration, SystemTime},
};

use camino::Utf8Path;

use super::world::{World, remove};

/// Makes a random change to the file at `path`, or creates it with `text` if it does not exist.
pub(super) fn tamper(world: &mut World, path: &Utf8Path, text: &str) -> Option<String> {
    world.keep(path);
    let Ok(content) = fs::read(path) else {
        fs::create_dir_all(path.parent()?).ok()?;
        remove(path);
        fs::write(path, text).ok()?;
        return Some(format!("{path} is made: {text:?}"));
    };
    let done = match world.rng.u8(..14) {
        0 => touch(path, SystemTime::now()),
        1 => touch(path, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)),
        2 => touch(path, SystemTime::now() + Duration::from_hours(24 * 365)),
        3 => fs::set_permissions(path, Permissions::from_mode(0o755)).map(|()| "made executable"),
        4 => fs::write(path, &content).map(|()| "written again"),
        5 => replace(path, &content).map(|()| "replaced by the same"),
        6 => linked(world, path).map(|()| "linked to, and the link removed"),
        7 => same_time(path, &same_size(&content)).map(|()| "edited, with the same time and size"),
        8 => fs::write(path, same_size(&content)).map(|()| "edited, with the same size"),
        9 => fs::remove_file(path).map(|()| "removed"),
        10 => fs::remove_file(path).and_then(|()| fs::write(path, &content)).map(|()| "removed and made again"),
        11 => behind_link(world, path).map(|()| "replaced by a link to the same"),
        12 => fs::write(path, [&content[..], b"\n# more\n"].concat()).map(|()| "edited"),
        _ => fs::write(path, text).map(|()| "written anew"),
    };
    Some(format!("{path} is {}", done.ok()?))
}

fn touch(path: &Utf8Path, time: SystemTime) -> std::io::Result<&'static str> {
    File::options().append(true).open(path)?.set_modified(time)?;
    Ok("touched, with another time")
}

/// Replaces the file by a new one, so that hard links to the old file are unaffected.
pub(super) fn replace(path: &Utf8Path, content: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, content)?;
    fs::rename(new, path)
}

fn linked(world: &World, path: &Utf8Path) -> std::io::Result<()> {
    let other = world.fixture.temporary().join("link");
    remove(&other);
    fs::hard_link(path, &other)?;
    fs::remove_file(other)
}

fn same_time(path: &Utf8Path, content: &[u8]) -> std::io::Result<()> {
    let time = fs::metadata(path)?.modified()?;
    fs::write(path, content)?;
    File::options().append(true).open(path)?.set_modified(time)
}

/// Changes the last digit of the file.
fn same_size(content: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    if let Some(digit) = content.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *digit = if *digit == b'9' { b'0' } else { *digit + 1 };
    }
    content
}

fn behind_link(world: &mut World, path: &Utf8Path) -> std::io::Result<()> {
    let aside = world.put_aside(path);
    symlink(aside, path)
}
