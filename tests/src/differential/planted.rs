//! Checks that the differential test can fail.

use std::{
    fs::{self, File},
    time::SystemTime,
};

use fastrand::Rng;
use serde_json::{Value, json};

use super::world::{World, remove};

/// A change that makes an environment out of date.
type Change = (&'static str, fn(&mut World));

const CHANGES: [Change; 6] = [
    ("a manifest of what is installed is touched", |world| {
        let file = File::options().append(true).open(world.root.join(MANIFEST)).expect("it is there");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("it is ours");
    }),
    ("a member has another dependency", |world| {
        world.fixture.replace(MANIFEST, "dependencies = [", "dependencies = [\"beta-lib\", ");
    }),
    ("settings cannot be read", |world| world.fixture.write("uv.toml", "= broken")),
    ("a distribution is gone", |world| {
        let path = world.site_packages().expect("it is synced").join("pkg_1-0.1.2.dist-info");
        fs::remove_dir_all(path).expect("it is installed");
    }),
    ("the lockfile is gone", |world| fs::remove_file(world.lockfile()).expect("it is locked")),
    ("the environment's Python is gone", |world| {
        fs::remove_file(world.environment().join("bin/python")).expect("it is there");
        fs::remove_file(world.environment().join("bin/python3")).expect("it is there");
    }),
];

const MANIFEST: &str = "packages/pkg-1/pyproject.toml";

/// Whether the test notices that an environment is not up to date which is said to be, after each of some changes that are
/// known to count.
///
/// # Panics
///
/// Where it does not, or where it takes an environment that is up to date for one that is not.
pub fn notices_what_is_false() {
    let mut seeds = Rng::with_seed(0);
    let mut world = World::new(seeds.u64(..));
    while world.layout.members.len() < 2 || world.layout.backends {
        world = World::new(seeds.u64(..));
    }
    world.request.shared.push("--all-packages".to_owned());
    for (what, change) in CHANGES {
        let manifest = world.fixture.read(MANIFEST);
        let report = at_rest(&mut world);
        assert_eq!(world.uv_would(&report), None, "nothing is to be done before: {what}");
        change(&mut world);
        assert!(world.uv_would(&report).is_some(), "not noticed: {what}");
        world.fixture.write(MANIFEST, manifest);
        remove(&world.root.join("uv.toml"));
    }
}

/// Syncs until there is nothing to do, and returns the report to claim.
fn at_rest(world: &mut World) -> Value {
    world.sync();
    world.sync();
    json!({ "environment": world.environment(), "backend": null })
}
