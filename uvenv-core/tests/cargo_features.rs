//! Random workspaces and selections: which of the backends' features are on, as uvenv sees it and as cargo says it.
#![cfg(feature = "full")]

use std::{collections::BTreeSet, fmt::Write, fs, process::Command};

use camino::Utf8Path;
use proptest::prelude::*;
use uvenv_core::{
    Name, Variables,
    cargo::{FeatureSelection, Features},
};

const CRATES: [&str; 3] = ["app", "middle", "kernels"];
const BACKENDS: [&str; 2] = ["cu124", "cu128"];

/// A crate, and how it depends on those that follow it.
#[derive(Clone, Debug)]
struct Crate {
    default: Vec<&'static str>,
    gpu: Vec<String>,
    dependencies: Vec<Option<Dependency>>,
}

#[derive(Clone, Debug)]
struct Dependency {
    table: &'static str,
    default_features: bool,
    optional: bool,
    features: Vec<&'static str>,
}

fn subset(of: &[&'static str]) -> impl Strategy<Value = Vec<&'static str>> + use<> {
    prop::sample::subsequence(of.to_vec(), 0..=of.len())
}

fn dependency() -> impl Strategy<Value = Option<Dependency>> {
    let table = prop::sample::select(vec!["dependencies", "build-dependencies", "dev-dependencies"]);
    let dependency = (table, any::<bool>(), any::<bool>(), subset(&["cu124", "cu128", "gpu"]));
    prop::option::weighted(
        0.7,
        dependency.prop_map(|(table, default_features, optional, features)| Dependency {
            table,
            default_features,
            // Cargo knows no optional dev-dependencies.
            optional: optional && table != "dev-dependencies",
            features,
        }),
    )
}

fn workspace() -> impl Strategy<Value = Vec<Crate>> {
    let one = |index: usize| {
        let dependencies = prop::collection::vec(dependency(), CRATES.len() - index - 1);
        (subset(&["cu124", "cu128", "gpu"]), subset(&BACKENDS), dependencies).prop_flat_map(
            move |(default, gpu, dependencies)| {
                let forwards: Vec<String> = dependencies
                    .iter()
                    .zip(&CRATES[index + 1..])
                    .filter(|(dependency, _)| dependency.as_ref().is_some_and(|found| found.table == "dependencies"))
                    .flat_map(|(_, name)| [format!("{name}/cu124"), format!("{name}/gpu")])
                    .collect();
                let count = forwards.len();
                prop::sample::subsequence(forwards, 0..=count).prop_map(move |forwards| Crate {
                    default: default.clone(),
                    gpu: gpu.iter().map(ToString::to_string).chain(forwards).collect(),
                    dependencies: dependencies.clone(),
                })
            },
        )
    };
    (one(0), one(1), one(2)).prop_map(|(a, b, c)| vec![a, b, c])
}

fn selection() -> impl Strategy<Value = FeatureSelection> {
    let packages = subset(&CRATES);
    let features = subset(&["cu124", "cu128", "gpu"]);
    (packages, any::<bool>(), features, prop::bool::weighted(0.2), any::<bool>()).prop_map(
        |(packages, workspace, features, all_features, no_default_features)| FeatureSelection {
            workspace: workspace && packages.is_empty(),
            packages: packages.into_iter().map(str::to_owned).collect(),
            exclude: Vec::new(),
            features: features.into_iter().map(str::to_owned).collect(),
            all_features,
            no_default_features,
        },
    )
}

fn lay_out(root: &Utf8Path, crates: &[Crate]) {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Cargo.toml", &format!("[workspace]\nresolver = \"3\"\nmembers = {CRATES:?}\n"));
    for (index, (name, found)) in CRATES.iter().zip(crates).enumerate() {
        let mut text = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        let _ =
            write!(text, "[features]\ncu124 = []\ncu128 = []\ngpu = {:?}\ndefault = {:?}\n", found.gpu, found.default);
        for (dependency, target) in found.dependencies.iter().zip(&CRATES[index + 1..]) {
            let Some(Dependency { table, default_features, optional, features }) = dependency else { continue };
            let _ = write!(
                text,
                "[{table}.{target}]\npath = \"../{target}\"\ndefault-features = {default_features}\noptional = {optional}\n\
                 features = {features:?}\n"
            );
        }
        let text = text.replace("optional = false\n", "");
        write(&format!("{name}/Cargo.toml"), &text);
        write(&format!("{name}/src/lib.rs"), "");
        // Without a build script, build-dependencies are in cargo's tree but in no build.
        write(&format!("{name}/build.rs"), "fn main() {}\n");
    }
}

/// What `cargo tree` says of the same selection: `crate/feature`.
fn ask_cargo(root: &Utf8Path, selection: &FeatureSelection) -> BTreeSet<String> {
    #[expect(clippy::disallowed_methods, reason = "the oracle is the program itself")]
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--prefix=none", "--edges=no-dev", "--no-dedupe", "--format={p}|{f}"]);
    cargo.args(selection.packages.iter().map(|package| format!("--package={package}")));
    cargo.args(selection.features.iter().map(|feature| format!("--features={feature}")));
    let flags = [
        (selection.workspace, "--workspace"),
        (selection.all_features, "--all-features"),
        (selection.no_default_features, "--no-default-features"),
    ];
    cargo.args(flags.iter().filter(|(on, _)| *on).map(|(_, flag)| flag));
    let output = cargo.current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let active = text.lines().filter_map(|line| line.split_once('|')).flat_map(|(package, features)| {
        let name = package.split(' ').next().unwrap_or_default().to_owned();
        features.split(',').filter(|feature| BACKENDS.contains(feature)).map(move |feature| format!("{name}/{feature}"))
    });
    active.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn features_match_what_cargo_resolves(crates in workspace(), selection in selection()) {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        lay_out(root, &crates);
        let backends: Vec<_> = BACKENDS.iter().filter_map(|name| Name::parse(name)).collect();
        let features = Features::read(&root.join("Cargo.toml"), true, &Variables::from_process()).unwrap();
        let claims = features.claims(&selection, &backends).unwrap();
        let found: BTreeSet<_> =
            claims.selected.iter().map(|claim| format!("{}/{}", claim.package, claim.backend)).collect();
        prop_assert_eq!(found, ask_cargo(root, &selection), "{:?}", selection);
    }
}
