//! Changes to an environment and its interpreters.

use std::{fs, os::unix::fs::symlink};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    files::replace,
    layout::LIBRARIES,
    world::{World, remove},
};
use crate::Index;

/// The folder of a distribution.
fn info(world: &mut World) -> Option<Utf8PathBuf> {
    let site_packages = world.site_packages()?;
    let entries = site_packages.read_dir_utf8().ok()?.flatten().map(|entry| entry.path().to_owned());
    let mut infos: Vec<_> = entries.filter(|path| path.extension() == Some("dist-info")).collect();
    infos.sort();
    (!infos.is_empty()).then(|| infos.swap_remove(world.rng.usize(..infos.len())))
}

pub(super) fn unread(world: &mut World) -> Option<String> {
    let name = ["METADATA", "RECORD", "INSTALLER", "REQUESTED"][world.rng.usize(..4)];
    let path = info(world)?.join(name);
    if world.rng.bool() && path.exists() {
        fs::remove_file(&path).ok()?;
    } else {
        replace(&path, b"anything\n").ok()?;
    }
    Some(format!("{path} is another, or gone"))
}

pub(super) fn read_file(world: &mut World) -> Option<String> {
    let name = ["WHEEL", "direct_url.json", "uv_cache.json", "uv_build.json"][world.rng.usize(..4)];
    let path = info(world)?.join(name);
    let texts = ["{}", "", "broken", "Wheel-Version: 1.0\nTag: cp27-none-win32\n", "{\"timestamp\":null}"];
    let text = texts[world.rng.usize(..texts.len())];
    let old = fs::read(&path);
    let what = match (world.rng.u8(..4), old) {
        (0, Ok(_)) => fs::remove_file(&path).map(|()| "gone".to_owned()),
        (1, Ok(old)) => replace(&path, &old).map(|()| "replaced by the same".to_owned()),
        (2, Ok(old)) => {
            let old = String::from_utf8_lossy(&old).replace("secs_since_epoch\":1", "secs_since_epoch\":2");
            replace(&path, old.as_bytes()).map(|()| "of another time".to_owned())
        }
        _ => replace(&path, text.as_bytes()).map(|()| format!("{text:?}")),
    };
    Some(format!("{path} is {}", what.ok()?))
}

pub(super) fn distribution(world: &mut World) -> Option<String> {
    let folder = info(world)?;
    let (name, _) = folder.file_name()?.split_once('-')?;
    match world.rng.u8(..4) {
        0 => {
            remove(&folder);
            Some(format!("{folder} is removed"))
        }
        1 => {
            let other = folder.with_file_name(format!("{name}-9.9.dist-info"));
            (!other.exists()).then(|| fs::rename(&folder, &other))?.ok()?;
            Some(format!("{folder} is called {other}"))
        }
        2 => {
            let away = folder.with_extension("away");
            fs::rename(&folder, &away).and_then(|()| fs::rename(&away, &folder)).ok()?;
            Some(format!("{folder} is away and back"))
        }
        _ => {
            let other = folder.with_file_name("stray_lib-1.0.dist-info");
            fs::create_dir_all(&other).ok()?;
            let metadata = "Metadata-Version: 2.1\nName: stray-lib\nVersion: 1.0\n";
            fs::write(other.join("METADATA"), metadata).ok()?;
            fs::write(other.join("RECORD"), "").ok()?;
            Some(format!("{other} is made"))
        }
    }
}

pub(super) fn strange(world: &mut World) -> Option<String> {
    let site_packages = world.site_packages()?;
    let names =
        ["~lpha-1.0.dist-info", "nover.dist-info", "old-1.0.egg-info", "x-bad version.dist-info", "x-1.egg-link"];
    let path = site_packages.join(names[world.rng.usize(..names.len())]);
    if path.exists() {
        remove(&path);
        return Some(format!("{path} is gone"));
    }
    if path.extension() == Some("egg-link") { fs::write(&path, "/nonexistent\n") } else { fs::create_dir(&path) }
        .ok()?;
    Some(format!("{path} is made"))
}

pub(super) fn pyvenv(world: &mut World) -> Option<String> {
    let path = world.environment().join("pyvenv.cfg");
    let text = fs::read_to_string(&path).ok()?;
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    let new = match world.rng.u8(..5) {
        0 => text.replace(&line("version")?, "version_info = 3.7.1"),
        1 => text.replace(&line("home")?, "home = /nonexistent"),
        2 => format!("{text}seed = true\n"),
        3 => text.clone(),
        _ => {
            fs::remove_file(&path).ok()?;
            return Some(format!("{path} is gone"));
        }
    };
    replace(&path, new.as_bytes()).ok()?;
    Some(format!("{path} is {new:?}"))
}

pub(super) fn interpreter(world: &mut World) -> Option<String> {
    let name = ["python", "python3"][world.rng.usize(..2)];
    let path = world.environment().join("bin").join(name);
    fs::symlink_metadata(&path).ok()?;
    let target = match world.rng.u8(..4) {
        0 => Some(Utf8PathBuf::from("/nonexistent/python3")),
        1 => None,
        _ => Some(world.bases[world.rng.usize(..world.bases.len())].join("python3")),
    };
    remove(&path);
    if let Some(target) = &target {
        symlink(target, &path).ok()?;
    }
    Some(format!("{path} leads to {target:?}"))
}

pub(super) fn base(world: &mut World) -> Option<String> {
    let base = world.bases[world.rng.usize(..world.bases.len())].join("python3");
    let other = world.bases[world.rng.usize(..world.bases.len())].clone();
    let content = fs::read(&base).ok()?;
    match world.rng.u8(..4) {
        0 => {
            fs::write(&base, &content).ok()?;
            Some(format!("{base} is written again"))
        }
        1 => {
            let (library, from) = (base.parent()?.with_file_name("lib"), other.with_file_name("lib"));
            let (library, from) = (library.as_path(), from.read_link_utf8().ok()?);
            world.keep(library);
            world.keep(&base);
            remove(library);
            symlink(&from, library).ok()?;
            fs::copy(from.with_file_name("bin").join("python3"), &base).ok()?;
            Some(format!("{base} is that of {from} now"))
        }
        2 => {
            world.put_aside(&base);
            Some(format!("{base} is gone"))
        }
        _ => {
            let new = base.with_extension("new");
            fs::copy(&base, &new).and_then(|_| fs::rename(&new, &base)).ok()?;
            Some(format!("{base} is replaced by the same"))
        }
    }
}

pub(super) fn environment(world: &mut World) -> Option<String> {
    let path = world.environment();
    match world.rng.u8(..4) {
        0 => {
            remove(&path);
            Some(format!("{path} is removed"))
        }
        1 => {
            let away = path.with_file_name(".environment-away");
            fs::rename(&path, &away).and_then(|()| fs::rename(&away, &path)).ok()?;
            Some(format!("{path} is away and back"))
        }
        2 => {
            fs::write(path.join("anything.txt"), "anything").ok()?;
            Some(format!("{path} has a file more"))
        }
        _ => {
            let site_packages = world.site_packages()?;
            let module = site_packages.join("alpha_lib/__init__.py");
            module.is_file().then(|| fs::remove_file(&module))?.ok()?;
            Some(format!("{module} is gone"))
        }
    }
}

/// Whether the environment can be installed into; otherwise uv and pip would change the base interpreter.
fn is_whole(environment: &Utf8Path) -> bool {
    environment.join("pyvenv.cfg").is_file() && environment.join("bin/python").exists()
}

pub(super) fn uv_pip(world: &mut World) -> Option<String> {
    let environment = world.environment();
    is_whole(&environment).then_some(())?;
    let library = LIBRARIES[world.rng.usize(..LIBRARIES.len())];
    let version = ["1.0", "1.1", "2.0"][world.rng.usize(..3)];
    let python = format!("--python={environment}/bin/python");
    let mut arguments = vec!["pip".to_owned()];
    if world.rng.u8(..3) == 0 {
        arguments.extend(["uninstall".to_owned(), python, library.to_owned()]);
    } else {
        let index = format!("--index-url={}", Index::url("small"));
        arguments.extend(["install".to_owned(), python, index, format!("{library}=={version}")]);
    }
    let done = world.called(world.fixture.uv(&arguments)).run();
    Some(format!("uv {arguments:?}: {:?}", done.status()))
}

pub(super) fn pip(world: &mut World) -> Option<String> {
    let environment = world.environment();
    is_whole(&environment).then_some(())?;
    let library = LIBRARIES[world.rng.usize(..LIBRARIES.len())];
    let python = format!("{environment}/bin/python");
    let mut arguments = vec!["-m", "pip", "--disable-pip-version-check", "--python", &python];
    let index = Index::url("small");
    if world.rng.bool() {
        arguments.extend(["uninstall", "--yes", library]);
    } else {
        arguments.extend(["install", "--index-url", &index, library]);
    }
    let done = world.fixture.program("python3", &arguments).run();
    Some(format!("python {arguments:?}: {:?}", done.status()))
}
