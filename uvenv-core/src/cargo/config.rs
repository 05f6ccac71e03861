//! `.cargo/config.toml`: merges in the settings that make plain cargo use an environment, and keeps everything else.
//!
//! `[env]` alone is not enough. Cargo sets the library path of the programs that it runs, and `PATH` is always set, so
//! only a forced value would take effect. But a forced value would also override an environment that was requested in
//! another way. Therefore, programs that cargo runs go through a runner, `cargo uvenv run`.

use std::{fs, path::Path};

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{Array, InlineTable, Item, Table, TableLike, value};

use super::{CargoError, files};
use crate::{
    fs::atomic,
    model::{Diagnostic, Place, Variables},
    toml::{BYTE_ORDER_MARK, File, Spanned},
};

/// The `cfg` that matches every target. Cargo accepts at most one matching `cfg` with a runner.
const ANY_TARGET: &str = "cfg(all())";

/// The name of our program, which identifies our own runner.
const PROGRAM: &str = "cargo-uvenv";

/// The settings to write to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CargoConfigValues {
    /// The variables for `[env]`.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// The runner for all targets.
    pub(crate) runner: Vec<String>,
}

/// The result of writing the file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Written {
    /// The file.
    pub path: Utf8PathBuf,
    /// Whether it has changed.
    pub changed: bool,
    /// An existing runner that is not ours; in that case, ours was not written.
    pub other_runner: Option<OtherRunner>,
}

/// A runner that is not ours.
#[derive(Debug, thiserror::Error)]
#[error("`{}` sets its own runner, so programs that cargo runs do not use the environment", place.path())]
pub struct OtherRunner {
    place: Place,
    runner: String,
}

impl Diagnostic for OtherRunner {
    fn code(&self) -> &'static str {
        "other-runner"
    }

    fn help(&self) -> Option<String> {
        let Self { runner, .. } = self;
        Some(format!(
            "make the runner start `{runner}` followed by its own command, or use `cargo uvenv run -- cargo …`"
        ))
    }

    fn place(&self) -> Option<&Place> {
        Some(&self.place)
    }
}

impl CargoConfigValues {
    /// Merges the settings into the configuration in `root`.
    pub(crate) fn write(&self, root: &Utf8Path, variables: &Variables) -> crate::Result<Written> {
        let path = existing(root).unwrap_or_else(|| root.join(".cargo/config.toml"));
        let file = if path.exists() { File::read(&path)? } else { File { path: path.clone(), text: "".into() } };
        let mut other = self.other_runner(&file)?;
        for path in further_configurations(root, variables) {
            // Cargo itself reports files that it cannot read.
            other = other.or_else(|| self.other_runner(&File::read(&path).ok()?).ok()?);
        }
        let merged = self.merged(&file, other.is_none())?;
        let changed = merged != *file.text;
        if changed {
            fs::create_dir_all(path.parent().unwrap_or(&path))
                .and_then(|()| atomic::replace(&path, &merged))
                .map_err(|source| CargoError::ConfigNotWritable { path: path.clone(), source })?;
        }
        Ok(Written { path, changed, other_runner: other })
    }

    fn other_runner(&self, file: &File) -> crate::Result<Option<OtherRunner>> {
        let document = file.parse()?;
        let Some(targets) = document.root().get("target")? else { return Ok(None) };
        for (name, target) in targets.entries()? {
            let Some(runner) = target.get("runner")? else { continue };
            if name != ANY_TARGET || !runner.strings().is_ok_and(|words| is_ours(&words)) {
                return Ok(Some(OtherRunner { place: runner.place(), runner: self.runner.join(" ") }));
            }
        }
        Ok(None)
    }

    /// Returns the text of `file` with the settings merged in.
    fn merged(&self, file: &File, with_runner: bool) -> crate::Result<String> {
        if let Some(env) = file.parse()?.root().get("env")? {
            env.entries()?;
        }
        let mut document = file.editable()?;
        let gap = if document.is_empty() { "" } else { "\n" };
        if let Some(env) = table(document.as_item_mut(), "env", gap) {
            for (name, wanted) in &self.variables {
                if env.get(name).and_then(Item::as_str) != Some(wanted) {
                    put(env, name, value(wanted.as_str()));
                }
            }
        }
        if with_runner
            && let Some(target) = table(document.entry("target").or_insert_with(implicit), ANY_TARGET, "\n")
            && target.get("runner").and_then(strings).as_ref() != Some(&self.runner)
        {
            put(target, "runner", value(self.runner.iter().collect::<Array>()));
        }
        let text = document.to_string();
        Ok(if file.text.starts_with(BYTE_ORDER_MARK) { format!("{BYTE_ORDER_MARK}{text}") } else { text })
    }
}

/// Returns the table `key` in `parent`, in the same form as the parent. If it is missing, creates it after `gap`.
fn table<'a>(parent: &'a mut Item, key: &str, gap: &str) -> Option<&'a mut dyn TableLike> {
    let made = if parent.is_inline_table() {
        value(InlineTable::new())
    } else {
        let mut table = Table::new();
        table.decor_mut().set_prefix(gap);
        Item::Table(table)
    };
    parent.as_table_like_mut()?.entry(key).or_insert(made).as_table_like_mut()
}

/// Creates a table that is written only through its subtables.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

/// Replaces a value and keeps its comment.
fn put(table: &mut dyn TableLike, key: &str, mut item: Item) {
    let decor = table.get(key).and_then(Item::as_value).map(|old| old.decor().clone());
    if let (Some(decor), Some(new)) = (decor, item.as_value_mut()) {
        *new.decor_mut() = decor;
    }
    table.insert(key, item);
}

fn strings(item: &Item) -> Option<Vec<String>> {
    item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Whether a runner was written by an earlier call.
fn is_ours(words: &[Spanned<String>]) -> bool {
    let program = words.first().and_then(|word| Path::new(&word.value).file_stem());
    program.is_some_and(|name| name == PROGRAM) && words.last().is_some_and(|word| word.value == "--")
}

/// Returns the configuration file of a directory, if there is one.
fn existing(directory: &Utf8Path) -> Option<Utf8PathBuf> {
    files::CONFIGURATION.map(|name| directory.join(name)).into_iter().find(|path| path.is_file())
}

/// Returns the other configuration files that cargo merges with that of `root`: those in parent directories and the one
/// in cargo's home directory.
fn further_configurations(root: &Utf8Path, variables: &Variables) -> Vec<Utf8PathBuf> {
    let above = root.ancestors().skip(1).filter_map(existing);
    let home = files::cargo_home(variables);
    let of_home = home
        .and_then(|home| ["config", "config.toml"].map(|name| home.join(name)).into_iter().find(|path| path.is_file()));
    above.chain(of_home).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TestTree;

    struct Root {
        path: TestTree,
    }

    impl Root {
        /// Creates a directory that contains its own home directory, in which cargo has no configuration.
        fn with(files: &[(&str, &str)]) -> Self {
            Self { path: TestTree::with(files) }
        }

        fn write(&self, python: &str) -> crate::Result<Written> {
            let runner = ["cargo-uvenv", "run", "--no-sync", "--"].map(str::to_owned).to_vec();
            let settings = CargoConfigValues { variables: vec![("PYO3_PYTHON", python.to_owned())], runner };
            let home = self.path.join("home");
            let variables = [("CARGO_HOME", home.as_str())].into_iter().collect();
            settings.write(&self.path.join("repo"), &variables)
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.path.join(name)).unwrap()
        }
    }

    const RUNNER: &str = "\n[target.\"cfg(all())\"]\nrunner = [\"cargo-uvenv\", \"run\", \"--no-sync\", \"--\"]\n";

    /// Returns the result of merging into `before`. A second call must not change it.
    fn merged(before: &str) -> String {
        let root = Root::with(&[("repo/.cargo/config.toml", before)]);
        assert!(root.write("/p/python").unwrap().changed);
        let after = root.read("repo/.cargo/config.toml");
        assert!(!root.write("/p/python").unwrap().changed, "{after}");
        assert_eq!(root.read("repo/.cargo/config.toml"), after);
        after.parse::<toml_edit::DocumentMut>().unwrap();
        after
    }

    #[test]
    fn creates_a_missing_configuration() {
        let root = Root::with(&[("repo/Cargo.toml", "")]);
        let written = root.write("/p/python").unwrap();
        assert!(written.changed && written.other_runner.is_none());
        assert_eq!(root.read("repo/.cargo/config.toml"), format!("[env]\nPYO3_PYTHON = \"/p/python\"\n{RUNNER}"));
    }

    #[test]
    fn keeps_everything_else_unchanged() {
        let before = "# ours\n[alias]\nt  =  'test'   # short\n\n[target.wasm32-wasip1]\nrustflags = [ ]\n";
        assert_eq!(merged(before), format!("{before}{RUNNER}\n[env]\nPYO3_PYTHON = \"/p/python\"\n"));
        let before = "\u{feff}[build]\njobs = 2";
        let expected = format!("{before}\n\n[env]\nPYO3_PYTHON = \"/p/python\"\n{RUNNER}");
        assert_eq!(merged(before), expected);
    }

    #[test]
    fn extends_tables_in_their_own_style() {
        let env = "[env]\nA = \"1\" # first\n";
        assert_eq!(merged(env), format!("{env}PYO3_PYTHON = \"/p/python\"\n{RUNNER}"));
        let inline = merged("env = { A = \"1\" }\n");
        assert_eq!(inline, format!("env = {{ A = \"1\" , PYO3_PYTHON = \"/p/python\" }}\n{RUNNER}"));
        let dotted = merged("env.A = \"1\"\n");
        assert_eq!(dotted, format!("env.A = \"1\"\nenv.PYO3_PYTHON = \"/p/python\"\n{RUNNER}"));
        let targets = merged("target = { 'cfg(unix)' = { linker = \"cc\" } }\n");
        assert!(targets.contains("\"cfg(all())\" = { runner = ["), "{targets}");
    }

    #[test]
    fn replaces_a_value_and_keeps_its_comment() {
        let after = merged("[env]\nPYO3_PYTHON = { value = \"old\", force = true } # mine\nB = \"2\"\n");
        assert_eq!(after, format!("[env]\nPYO3_PYTHON = \"/p/python\" # mine\nB = \"2\"\n{RUNNER}"));
        let after = merged("[env.PYO3_PYTHON]\nvalue = \"old\"\n");
        assert!(after.contains("PYO3_PYTHON = \"/p/python\"") && !after.contains("old"), "{after}");
    }

    #[test]
    fn updates_an_earlier_runner_of_uvenv() {
        let after = merged("[target.'cfg(all())']\nrunner = [\"/old/cargo-uvenv\", \"run\", \"--\"]\n");
        assert!(
            after.starts_with("[target.'cfg(all())']\nrunner = [\"cargo-uvenv\", \"run\", \"--no-sync\""),
            "{after}"
        );
    }

    #[test]
    fn keeps_a_custom_runner() {
        for target in ["cfg(all())", "cfg(unix)", "x86_64-unknown-linux-gnu"] {
            let before = format!("[target.'{target}']\nrunner = \"valgrind\"\n");
            let root = Root::with(&[("repo/.cargo/config.toml", &before)]);
            let written = root.write("/p/python").unwrap();
            let other = written.other_runner.unwrap();
            assert_eq!(other.place().unwrap().line(), 2);
            assert_eq!(root.read("repo/.cargo/config.toml"), format!("{before}\n[env]\nPYO3_PYTHON = \"/p/python\"\n"));
        }
        for further in [".cargo/config.toml", "home/config"] {
            let root = Root::with(&[(further, "[target.'cfg(unix)']\nrunner = ['valgrind']\n")]);
            let written = root.write("/p/python").unwrap();
            assert!(written.other_runner.unwrap().to_string().contains(further));
            assert!(!root.read("repo/.cargo/config.toml").contains("runner"));
        }
    }

    #[test]
    fn writes_the_file_that_cargo_reads() {
        let root = Root::with(&[("repo/.cargo/config", "# old\n"), ("repo/.cargo/config.toml", "# new\n")]);
        assert_eq!(root.write("/p/python").unwrap().path, root.path.join("repo/.cargo/config"));
        assert_eq!(root.read("repo/.cargo/config.toml"), "# new\n");
    }

    #[cfg(unix)]
    #[test]
    fn keeps_symbolic_links() {
        let root = Root::with(&[("shared.toml", "# shared\n"), ("repo/.cargo/credentials.toml", "")]);
        let link = root.path.join("repo/.cargo/config.toml");
        std::os::unix::fs::symlink(root.path.join("shared.toml"), &link).unwrap();
        root.write("/p/python").unwrap();
        assert!(link.is_symlink() && root.read("shared.toml").contains("PYO3_PYTHON"));
    }

    #[test]
    fn rejects_invalid_configuration_with_its_place() {
        for (text, code, line) in [
            ("[env]\nA = \n", "invalid-toml", 2),
            ("\nenv = 1\n", "invalid-value", 2),
            ("target = []\n", "invalid-value", 1),
            ("[target]\nx = 1\n", "invalid-value", 2),
        ] {
            let root = Root::with(&[("repo/.cargo/config.toml", text)]);
            let error = root.write("/p/python").unwrap_err();
            assert_eq!((error.code(), error.place().unwrap().line()), (code, line), "{text}");
            assert_eq!(root.read("repo/.cargo/config.toml"), text);
        }
    }

    #[test]
    fn never_replaces_a_read_only_file() {
        let root = Root::with(&[("repo/.cargo/config.toml", "# mine\n")]);
        let path = root.path.join("repo/.cargo/config.toml");
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        assert_eq!(root.write("/p/python").unwrap_err().code(), "cargo-config-not-writable");
        assert_eq!(root.read("repo/.cargo/config.toml"), "# mine\n");
    }
}
