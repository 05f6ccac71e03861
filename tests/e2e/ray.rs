//! Ray: the environments of a monorepo on the nodes of a cluster.

use std::fs;

use uvenv_tests::{Cpython, Monorepo, PythonHome, Uv};

/// The Ray of the cluster and of the environments.
const RAY: &str = "2.60.0";

#[test]
fn cluster_runs_profiles_and_backends() {
    let monorepo = Monorepo::new(Uv::Newest).package_in_subdirectory("print-utils");
    let monorepo = monorepo.package_using("bench-utils", ["print-utils"]).remotes().backends(["cu124", "cu128"]);
    let repo = monorepo.build();
    for manifest in ["pyproject.toml", "prod/pyproject.toml"] {
        let text = repo.read(manifest);
        // Ray needs a newer Python than the other packages.
        let text = text.replace(">=3.9", ">=3.10");
        repo.write(manifest, text.replacen("\ndependencies = [", &format!("\ndependencies = [\"ray=={RAY}\", "), 1));
    }
    repo.uvenv(["lock", "--profile", "dev", "--profile", "prod"]).ok();
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu124", "--backend", "cu128"]).ok();
    // Dev comes from uv's cache on a node that has one.
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    let home = PythonHome::with_ray(Cpython::like(repo.python_version()), RAY);
    let nodes = repo.temporary().join("nodes");
    fs::create_dir(&nodes).unwrap();
    let program = home.environment().python();
    let script = include_str!("../src/ray_cluster.py");
    let (root, vendored) = (repo.root(), repo.root().join("vendored"));
    let arguments = ["-c", script, root.as_str(), vendored.as_str(), nodes.as_str(), Uv::Newest.path().as_str()];
    // The paths of sockets must be short.
    let cluster = repo.script(&program, arguments).env("RAY_TMPDIR", repo.temporary().join("r"));
    let said = cluster.with_system().with_loopback_alone().ok();
    assert_eq!(said.stdout().matches("ok: ").count(), 12, "{said}");
}
