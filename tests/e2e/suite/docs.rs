//! The documentation is correct: its commands run, and its codes, options and messages match the program.
//!
//! Each line of a `console` block that starts with `$ ` is run, in order, in one shell per page. The words after
//! `console` describe the block. `ci`: its commands are lines of `.ci/run`; `exits=2`: its last exit code; `shows`:
//! the rest of the block is the output of its last command, with `...` for omitted lines.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use uvenv_tests::{Fixture, Invocation, Monorepo, Uv, cargo_uvenv, modules::Modules};

/// The repository.
fn repository() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn page(path: &str) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages in `docs` and at the root of the repository.
fn pages() -> Vec<Utf8PathBuf> {
    let docs = repository().join("docs").read_dir_utf8().unwrap();
    let docs = docs.map(|entry| entry.unwrap().into_path()).filter(|path| path.extension() == Some("md"));
    let others = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| repository().join(name));
    docs.chain(others).collect()
}

#[derive(Debug, Default)]
struct Block {
    /// The words after `console`.
    words: Vec<String>,
    /// The commands, each with its line number.
    commands: Vec<(usize, String)>,
    /// The text after the last command.
    output: String,
}

impl Block {
    fn is(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    fn status(&self) -> i32 {
        let status = self.words.iter().find_map(|word| word.strip_prefix("exits="));
        status.map_or(0, |status| status.parse().unwrap())
    }
}

/// The `console` blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(words) = line.strip_prefix("```console") else { continue };
        let mut block = Block { words: words.split_whitespace().map(str::to_owned).collect(), ..Block::default() };
        for (index, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
            if let Some(command) = line.strip_prefix("$ ") {
                block.commands.push((index + 1, command.to_owned()));
                block.output.clear();
            } else {
                writeln!(block.output, "{line}").unwrap();
            }
        }
        assert!(!block.commands.is_empty(), "a block without a command: {words}");
        blocks.push(block);
    }
    blocks
}

/// Runs the commands of a page in `directory`, in one shell.
fn run_page(repo: &Fixture, path: &str, directory: &Utf8Path) {
    run_page_after(repo, path, directory, "");
}

/// The same, after the shell line `preparation`.
pub(super) fn run_page_after(repo: &Fixture, path: &str, directory: &Utf8Path, preparation: &str) {
    let blocks = blocks(&page(path));
    let blocks: Vec<_> = blocks.iter().filter(|block| !block.is("ci")).collect();
    assert!(!blocks.is_empty(), "{path} has commands");
    let outputs = repo.temporary().join("outputs");
    fs::create_dir_all(&outputs).unwrap();
    // After the fixture's programs, those that cargo and people expect on `PATH`: rustdoc, a linker, `ls`.
    let toolchain = Utf8Path::new(env!("CARGO")).parent().unwrap();
    let mut script = format!("PATH=\"$PATH:{toolchain}:/usr/bin:/bin\"\n{preparation}\n");
    for block in &blocks {
        for (line, command) in &block.commands {
            writeln!(script, "{{ {command}\n}} >'{outputs}/{line}' 2>&1; echo $? >'{outputs}/{line}.status'").unwrap();
        }
    }
    shell(repo, &script).within(directory.as_str()).run();
    for block in &blocks {
        let last = block.commands.last().unwrap().0;
        for (line, command) in &block.commands {
            let said = fs::read_to_string(outputs.join(line.to_string())).unwrap();
            let status = fs::read_to_string(outputs.join(format!("{line}.status"))).unwrap();
            let expected = if *line == last { block.status() } else { 0 };
            assert_eq!(status.trim(), expected.to_string(), "{path}:{line}: {command}\n{said}");
            if *line == last && block.is("shows") {
                snapbox::assert_data_eq!(shown(repo, &said), block.output.clone());
            }
        }
    }
}

fn shell<'a>(repo: &'a Fixture, script: &str) -> Invocation<'a> {
    repo.program("sh", ["-c", script]).on_path(cargo_uvenv().parent().unwrap())
}

/// The output as it would be with Python 3.11.7 in a directory `/code`.
fn shown(repo: &Fixture, said: &str) -> String {
    let said = said.replace(repo.temporary().as_str(), "").replace(repo.python_version(), "3.11.7");
    said.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A fixture with a monorepo created by `new`, and the path of that monorepo.
fn laid_out() -> (Fixture, Utf8PathBuf) {
    let repo = Monorepo::new(Uv::Newest).build();
    let path = repo.temporary().join("code/bench");
    repo.uvenv(["new", path.as_str(), "--local-remotes"]).ok();
    (repo, path)
}

#[test]
fn commands_of_the_readme_run() {
    let repo = Monorepo::new(Uv::Newest).build();
    let directory = repo.temporary().join("code");
    fs::create_dir(&directory).unwrap();
    run_page(&repo, "README.md", &directory);
}

#[test]
fn commands_of_the_command_reference_run() {
    let (repo, directory) = laid_out();
    // One of the commands is uv.
    let uv = Uv::Newest.path().parent().unwrap();
    run_page_after(&repo, "docs/commands.md", &directory, &format!("PATH=\"{uv}:$PATH\""));
}

#[test]
fn commands_of_the_check_page_run() {
    let (repo, directory) = laid_out();
    run_page(&repo, "docs/check.md", &directory);
}

#[test]
fn commands_of_the_page_about_jobs_run() {
    let (repo, directory) = laid_out();
    repo.uvenv(["lock", "--all-profiles"]).within(&directory).ok();
    run_page(&repo, "docs/ci.md", &directory);
}

#[test]
fn commands_of_the_releasing_page_run() {
    let (repo, directory) = laid_out();
    repo.uvenv(["lock", "--all-profiles"]).within(directory.as_str()).ok();
    run_page(&repo, "docs/releasing.md", &directory);
}

#[test]
fn commands_of_the_configuration_page_run() {
    let (repo, directory) = laid_out();
    run_page(&repo, "docs/configuration.md", &directory);
}

#[test]
fn commands_of_the_json_page_run() {
    let (repo, directory) = laid_out();
    run_page(&repo, "docs/json.md", &directory);
}

#[test]
fn commands_of_the_quick_answers_page_run() {
    let (repo, directory) = laid_out();
    run_page(&repo, "docs/quick-answers.md", &directory);
}

#[cfg(unix)]
#[test]
fn commands_of_the_vendoring_page_run() {
    let (repo, directory) = laid_out();
    repo.uvenv(["lock", "--all-profiles"]).within(directory.as_str()).ok();
    let uv = Uv::Newest.path().parent().unwrap();
    run_page_after(&repo, "docs/vendoring.md", &directory, &format!("PATH=\"{uv}:$PATH\""));
}

#[cfg(target_os = "linux")]
#[test]
fn commands_of_the_page_about_containers_run() {
    let (repo, directory) = laid_out();
    repo.uvenv(["lock", "--all-profiles"]).within(directory.as_str()).ok();
    // What makes the base is on the page as well.
    assert!(page("docs/containers.md").contains(&format!("{} ../debian.tar", uvenv_tests::DEBIAN_BASE.join(" "))));
    fs::copy(uvenv_tests::debian_base().join("rootfs.tar"), directory.with_file_name("debian.tar")).unwrap();
    run_page(&repo, "docs/containers.md", &directory);
}

#[cfg(target_os = "linux")]
#[test]
fn commands_of_the_page_about_clusters_run() {
    let (repo, directory) = laid_out();
    repo.uvenv(["lock", "--all-profiles"]).within(directory.as_str()).ok();
    run_page(&repo, "docs/clusters.md", &directory);
}

#[test]
fn commands_of_the_hyperbench_readme_run() {
    let (repo, directory) = laid_out();
    run_page(&repo, "examples/hyperbench/README.md", &directory);
}

#[test]
fn commands_of_the_build_scripts_page_run() {
    let (repo, variables) = super::build_script::documented();
    run_page_after(&repo, "docs/build-scripts.md", &repo.root(), &variables);
}

#[cfg(unix)]
#[test]
fn commands_of_the_pyo3_page_run() {
    let (repo, variables) = super::embed::documented();
    run_page_after(&repo, "docs/pyo3.md", &repo.root(), &variables);
}

#[test]
fn commands_of_the_native_packages_page_run() {
    let repo = Monorepo::new(Uv::Newest).native().build();
    run_page(&repo, "docs/native-packages.md", &repo.root());
}

/// The tests above run all pages with commands, except for commands that CI runs.
#[test]
fn every_documented_command_is_tested() {
    let run_above = [
        "README.md",
        "docs/build-scripts.md",
        "docs/check.md",
        "docs/ci.md",
        "docs/clusters.md",
        "docs/commands.md",
        "docs/configuration.md",
        "docs/containers.md",
        "docs/json.md",
        "docs/native-packages.md",
        "docs/pyo3.md",
        "docs/quick-answers.md",
        "docs/releasing.md",
        "docs/vendoring.md",
    ];
    // Pages that need the wheel.
    let by_python = page("python/tests/test_docs.py");
    let ci = page(".ci/run");
    for path in pages() {
        let path = path.strip_prefix(repository()).unwrap();
        for block in blocks(&page(path.as_str())) {
            for (line, command) in &block.commands {
                let is_run = if block.is("ci") {
                    // CI installs what it has already compiled.
                    ci.lines().any(|line| line.strip_suffix(" --debug").unwrap_or(line) == command)
                } else {
                    run_above.contains(&path.as_str())
                        || by_python.contains(&format!("\"{}\"", path.file_name().unwrap()))
                };
                assert!(is_run, "{path}:{line}: {command}");
            }
        }
    }
}

#[test]
fn links_between_pages_resolve() {
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                assert!(path.parent().unwrap().join(target).exists(), "{path}: {link}");
            }
        }
    }
}

/// The string literals in the bodies of functions named `code`.
fn codes_of_the_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for sources in ["uvenv-core/src", "cargo-uvenv/src"] {
        for path in rust_files(&repository().join(sources)) {
            let text = fs::read_to_string(path).unwrap();
            for rest in text.split("fn code(&self) -> &'static str {\n").skip(1) {
                let body = rest.split("\n    }\n").next().unwrap();
                codes.extend(body.split('"').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
    codes
}

fn rust_files(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = directory.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension() == Some("rs"))
        .collect()
}

#[test]
fn every_error_code_is_documented() {
    let page = page("docs/errors.md");
    let explained: BTreeSet<_> =
        page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).map(str::to_owned).collect();
    let codes = codes_of_the_sources();
    assert!(codes.contains("backend-required") && codes.contains("destination-exists"), "{codes:?}");
    assert_eq!(codes, explained);
}

/// The modules of the core, in the order of the list on the architecture page.
fn documented_modules() -> Vec<String> {
    let page = page("docs/architecture.md");
    let list = page.split("```modules\n").nth(1).unwrap().split("```").next().unwrap();
    list.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn modules_import_only_from_those_below() {
    let documented = documented_modules();
    let modules = Modules::read(&repository().join("uvenv-core/src"));
    assert_eq!(modules.top_level(), documented.iter().map(String::as_str).collect(), "the list and the sources");
    let place = |name: &str| documented.iter().position(|module| module == name);
    let imports = modules.between_top_level();
    assert!(imports.contains(&("ops", "environment")) && imports.contains(&("uv", "process")), "imports are seen");
    let upwards: Vec<_> = imports.into_iter().filter(|(from, to)| place(from) > place(to)).collect();
    assert!(upwards.is_empty(), "{upwards:?}");
}

#[test]
fn modules_do_not_import_each_other_in_circles() {
    for sources in ["uvenv-core/src", "cargo-uvenv/src", "python/src"] {
        let modules = Modules::read(&repository().join(sources));
        let circles = modules.circles();
        assert!(circles.is_empty(), "{sources}: {circles:#?}");
    }
}

/// The long names of the options in a command's help.
fn options(help: &str) -> BTreeSet<&str> {
    let of_line = |line: &str| line.trim_start().starts_with('-');
    let lines = help.lines().filter(|line| of_line(line));
    lines
        .filter_map(|line| line.split([' ', ',', '[']).find(|word| word.starts_with("--")))
        .map(|word| word.trim_end_matches(['.', ']']))
        .collect()
}

#[test]
fn every_option_is_documented() {
    let repo = Monorepo::new(Uv::Newest).build();
    // `check` has a page of its own.
    let pages = ["docs/commands.md", "docs/check.md"].map(page).concat();
    for command in [
        &[][..],
        &["lock"],
        &["sync"],
        &["run"],
        &["env"],
        &["status"],
        &["check"],
        &["promote"],
        &["diff"],
        &["init"],
        &["sbom"],
        &["vendor"],
        &["image"],
        &["bundle"],
        &["add-package"],
        &["explain"],
        &["backend", "list"],
        &["backend", "detect"],
        &["new"],
    ] {
        let help = repo.uvenv(command).args(["--help"]).ok();
        for option in options(help.stdout()) {
            assert!(pages.contains(&format!("`{option}")), "the pages do not tell of {option} of {command:?}");
        }
    }
}

/// The README's claims about plain uv and about uvenv.
#[test]
fn plain_uv_behaves_as_the_readme_says() {
    for uv in [Uv::Newest, Uv::Oldest] {
        let repo = Monorepo::new(uv).package("bench-utils").backends(["cu124", "cu128"]).remotes().build();
        let torch = || repo.environment("dev").version("torch");
        for variable in ["UNRELATED", "UV_TORCH_BACKEND"] {
            repo.uv(["sync", "--extra", "cu124"]).ok();
            assert_eq!(torch().as_deref(), Some("2.6.0+cu124"));
            repo.uv(["sync"]).env(variable, "cu128").ok();
            assert_eq!(torch(), None);
        }
        repo.uvenv(["sync"]).env("UV_TORCH_BACKEND", "cu128").ok();
        assert_eq!(torch().as_deref(), Some("2.6.0+cu128"));
        repo.untouched_by(|| repo.uvenv(["sync"]).refused("backend-required"));

        repo.uv(["sync", "--project", "prod", "--extra", "cu124"]).ok();
        repo.replace("prod/pyproject.toml", "\"v0.1.2\"", "\"v0.1.3\"");
        repo.uv(["sync", "--project", "prod", "--extra", "cu124", "--frozen"]).ok();
        repo.assert_from_tag("prod", "v0.1.2", &["bench-utils"]);
        let refusal =
            repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124", "--frozen"]).fails("stale-lockfile");
        refusal.names(["bench-utils", "v0.1.2", "v0.1.3"]);
    }
}

#[test]
fn plain_uv_run_changes_the_backend() {
    let manifest = "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.10\"\n\
                    dependencies = [\"nvidia-cuda-runtime-cu12\"]\n\
                    optional-dependencies = { cu124 = [\"nvidia-cuda-runtime-cu12==12.4.127\"], \
                    cu128 = [\"nvidia-cuda-runtime-cu12==12.8.90\"] }\n\
                    [tool.uv]\nconflicts = [[{ extra = \"cu124\" }, { extra = \"cu128\" }]]\n";
    for uv in [Uv::Newest, Uv::Oldest] {
        let repo = Monorepo::new(uv).file("pyproject.toml", manifest).build();
        let runtime = || repo.environment("dev").version("nvidia-cuda-runtime-cu12").unwrap();
        repo.uvenv(["sync", "--backend", "cu124"]).ok();
        repo.uvenv(["run", "--", "python", "-c", ""]).ok();
        assert_eq!(runtime(), "12.4.127");
        repo.uv(["run", "python", "-c", ""]).ok();
        assert_ne!(runtime(), "12.4.127");
    }
}

/// The JSON messages of all commands, in a monorepo with something to report.
fn messages() -> Vec<Value> {
    let (repo, directory) = laid_out();
    let manifest = directory.join("pyproject.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text + "unused = { path = \"unused\" }\n").unwrap();
    let in_it = |arguments: &[&str]| repo.uvenv(arguments).within(directory.as_str());
    let mut messages = vec![in_it(&["sync"]).refused("backend-required").json];
    messages.extend(in_it(&["check"]).arg_json().ends(1).reports());
    for arguments in [
        &["status"][..],
        &["lock", "--all-profiles"],
        &["sync", "--profile", "prod", "--backend", "cu124", "--dry-run"],
        &["sync", "--profile", "prod", "--backend", "cu124"],
        &["sync", "--backend", "cu128"],
        &["vendor", "--profile", "prod", "--backend", "cu124"],
        &["sbom", "--profile", "prod"],
        &["env", "--write-cargo-config"],
        &["status"],
        &["promote", "--to", "prod", "--dry-run"],
        &["diff", "staging", "prod"],
        &["init"],
        &["add-package", "packages/bench-utils"],
        &["explain", "backend-required"],
        &["backend", "list"],
        &["backend", "detect"],
        &["new", "../another", "--local-remotes"],
    ] {
        messages.extend(in_it(arguments).json().reports());
    }
    #[cfg(target_os = "linux")]
    {
        let base = uvenv_tests::debian_base().join("layout");
        let image = ["image", "--profile", "prod", "--backend", "cu124", "--base", base.as_str(), "-o", "../image"];
        messages.extend(in_it(&image).json().reports());
        let vendor = ["vendor", "--profile", "prod", "--backend", "cu124", "--with-uv"];
        messages.extend(in_it(&vendor).json().reports());
        let bundle = ["bundle", "--profile", "prod", "--backend", "cu124", "-o", "../prod.run"];
        messages.extend(in_it(&bundle).json().reports());
    }
    fs::write(directory.join("prod/.venv/bin/tool"), "").unwrap();
    messages.extend(in_it(&["verify", "--profile", "prod"]).arg_json().ends(1).reports());
    repo.uv(["add", "--no-sync", "--group", "notebook", "ipykernel"]).within(directory.as_str()).ok();
    for arguments in [
        &["kernel", "install", "--backend", "cu128", "--group", "notebook"][..],
        &["kernel", "list"],
        &["kernel", "remove", "bench-dev-cu128"],
    ] {
        messages.extend(in_it(arguments).json().reports());
    }
    messages
}

#[test]
fn messages_match_the_schema() {
    let schema: Value = serde_json::from_str(&page("docs/messages.schema.json")).unwrap();
    let variants = schema["oneOf"].as_array().unwrap();
    let mut unseen: BTreeSet<_> =
        variants.iter().map(|variant| &variant["properties"]["reason"]["const"]).map(Value::to_string).collect();
    for message in messages() {
        let variant = variants.iter().find(|variant| variant["properties"]["reason"]["const"] == message["reason"]);
        let variant = variant.unwrap_or_else(|| panic!("no schema: {message}"));
        Schema { root: &schema }.check(variant, &message).unwrap_or_else(|problem| panic!("{problem}\n{message}"));
        unseen.remove(&message["reason"].to_string());
    }
    assert!(unseen.is_empty(), "no message is one of {unseen:?}");
}

/// The part of JSON Schema that our schema uses.
struct Schema<'a> {
    root: &'a Value,
}

impl Schema<'_> {
    fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if let Value::Array(choices) =
            [&schema["anyOf"], &schema["oneOf"]].into_iter().find(|choices| choices.is_array()).unwrap_or(&Value::Null)
        {
            let fits = choices.iter().any(|choice| self.check(choice, value).is_ok());
            return if fits { Ok(()) } else { Err(format!("{value} fits none of {choices:?}")) };
        }
        if schema["const"].is_string() && schema["const"] != *value {
            return Err(format!("{value} is not {}", schema["const"]));
        }
        match value {
            Value::Object(fields) => self.check_fields(schema, fields),
            Value::Array(items) => items.iter().try_for_each(|item| self.check(&self.resolved(schema)["items"], item)),
            _ => self.check_type(schema, value),
        }
    }

    fn check_type(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            _ => "string",
        };
        let resolved = self.resolved(schema);
        if resolved["oneOf"].is_array() {
            return self.check(resolved, value);
        }
        let is_one = match &resolved["type"] {
            Value::Array(names) => names.iter().any(|other| other == name),
            other => other == name,
        };
        if is_one { Ok(()) } else { Err(format!("{value} is not of {schema}")) }
    }

    /// Checks the fields of an object: all required ones are present, and none is undocumented.
    fn check_fields(&self, schema: &Value, fields: &serde_json::Map<String, Value>) -> Result<(), String> {
        let parts = [schema, self.resolved(schema)];
        if parts[1]["oneOf"].is_array() {
            return self.check(parts[1], &Value::Object(fields.clone()));
        }
        for name in parts.iter().filter_map(|part| part["required"].as_array()).flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("there is no {name}"));
            }
        }
        // The object of another specification.
        if parts[1]["additionalProperties"] == true {
            return Ok(());
        }
        fields.iter().try_for_each(|(name, value)| {
            let described = parts.iter().find_map(|part| part["properties"].get(name));
            let described = described.ok_or_else(|| format!("`{name}` is not described"))?;
            self.check(described, value).map_err(|problem| format!("{name}: {problem}"))
        })
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => &self.root["$defs"][reference.trim_start_matches("#/$defs/")],
            None => schema,
        }
    }
}

/// The example's packages pass their own tests in the dev environment, through `cargo uvenv run`.
#[test]
fn example_packages_pass_their_tests() {
    let repo = Fixture::example();
    let packages = repo.root().join("packages").read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let packages: Vec<_> = packages.filter(|path| path.join("tests").is_dir()).collect();
    assert_eq!(packages.len(), 4, "{packages:?}");
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    for package in packages {
        let run = repo.uvenv(["run", "--", "python", "-m", "unittest", "discover", "tests"]);
        let said = run.within(package.as_str()).ok();
        assert!(said.stderr().contains("\nOK"), "{said}");
    }
}
