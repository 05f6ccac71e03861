//! How long it takes to find out that a native package is up to date: `cargo bench -p uvenv-core --bench native`. It is
//! built first, with the uv that `UVENV_UV` names or that is on `PATH`.

use std::{fmt::Write, fs};

use camino::Utf8Path;
use uvenv_core::{
    Monorepo, Profile, Variables,
    backend::Choice,
    ops::{BackendRequest, Session, Settings, SyncPlan, SyncRequest},
};

fn main() {
    divan::main();
}

/// One package with so many crates of 20 files behind it.
#[divan::bench(args = [1, 40, 200], sample_count = 20)]
fn judge(bencher: divan::Bencher<'_, '_>, crates: usize) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = Utf8Path::from_path(directory.path()).expect("a UTF-8 path").canonicalize_utf8().expect("it exists");
    lay_out(&root, crates);
    let monorepo = Monorepo::discover(&root).expect("a monorepo");
    let mut settings = Settings::new(Variables::from_process(), root, false);
    settings.appearance.quiet = true;
    let session = Session::new(settings);
    let request = SyncRequest {
        backend: BackendRequest { choice: Some(Choice::None), ..BackendRequest::default() },
        ..SyncRequest::default()
    };
    let plan = SyncPlan::new(&monorepo, &session, Profile::Dev, &request).expect("a plan");
    plan.execute(&session).expect("uv and cargo build it");
    // What was changed a moment ago is read each time.
    std::thread::sleep(std::time::Duration::from_secs(3));
    plan.execute(&session).expect("uv finds nothing to do");
    bencher.bench_local(|| {
        let rebuilds = plan.rebuilds(&session).expect("it can be judged");
        assert!(rebuilds.is_empty(), "{rebuilds:?}");
    });
}

fn lay_out(root: &Utf8Path, crates: usize) {
    let write = |path: String, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    let project = "[project]\nname = \"native\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\
                   [build-system]\nrequires = [\"maturin>=1.7,<2\"]\nbuild-backend = \"maturin\"\n\
                   [tool.maturin]\nbindings = \"bin\"\n";
    write("pyproject.toml".into(), project);
    write("src/main.rs".into(), "fn main() {}\n");
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    let mut manifest = package("native") + "[workspace]\nmembers = [\"crates/*\"]\n[dependencies]\n";
    for number in 0..crates {
        let name = format!("c{number}");
        let _ = writeln!(manifest, "{name} = {{ path = \"crates/{name}\" }}");
        write(format!("crates/{name}/Cargo.toml"), &package(&name));
        let modules = (0..19).map(|module| format!("mod m{module};\n")).collect::<Vec<_>>().concat();
        write(format!("crates/{name}/src/lib.rs"), &modules);
        for module in 0..19 {
            write(format!("crates/{name}/src/m{module}.rs"), &"// What a file of usual size has.\n".repeat(100));
        }
    }
    write("Cargo.toml".into(), &manifest);
}
