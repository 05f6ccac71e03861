//! Prints changes to variables in the languages of shells and in file formats.

use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::{self, Write as _},
};

use uvenv_core::{
    Variables,
    error::Diagnostic,
    report::{EnvReport, Variable, VariableChange},
};

use crate::cli::{EnvFormat, Shell};

/// The form in which variables are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// POSIX: bash, zsh and other shells with the same syntax.
    Posix,
    Fish,
    Powershell,
    Dotenv,
    Json,
    Github,
}

/// Why variables cannot be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormError {
    #[error("the value of `{name}` contains a line break: {value:?}")]
    LineBreak { name: String, value: String },
    #[error("the value of `{name}` cannot be quoted in a {format} file: {value:?}")]
    Unquotable { name: String, format: &'static str, value: String },
    #[error("cannot write `{path}`, the file that `GITHUB_PATH` names: {source}")]
    GithubPath { path: String, source: io::Error },
}

impl Diagnostic for FormError {
    fn code(&self) -> &'static str {
        match self {
            Self::LineBreak { .. } => "line-break",
            Self::Unquotable { .. } => "unquotable-value",
            Self::GithubPath { .. } => "not-writable",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::LineBreak { .. } => "use paths without line breaks".to_owned(),
            Self::Unquotable { .. } => "use paths without quotes, or `--format json`".to_owned(),
            Self::GithubPath { .. } => "run the command in a step of a workflow, or unset `GITHUB_PATH`".to_owned(),
        })
    }
}

impl Form {
    /// Returns the requested form, or else that of the user's shell.
    pub(crate) fn new(shell: Option<Shell>, format: Option<EnvFormat>, variables: &Variables) -> Self {
        match (format, shell) {
            (Some(EnvFormat::Dotenv), _) => Self::Dotenv,
            (Some(EnvFormat::Json), _) => Self::Json,
            (Some(EnvFormat::Github), _) => Self::Github,
            (None, Some(Shell::Bash | Shell::Zsh)) => Self::Posix,
            (None, Some(Shell::Fish)) => Self::Fish,
            (None, Some(Shell::Powershell)) => Self::Powershell,
            (None, None) => Self::of_user(variables.get("SHELL")),
        }
    }

    fn of_user(shell: Option<&str>) -> Self {
        let name = shell.map(|shell| shell.rsplit(['/', '\\']).next().unwrap_or(shell).trim_end_matches(".exe"));
        match name {
            Some("fish") => Self::Fish,
            Some("pwsh" | "powershell") => Self::Powershell,
            None if cfg!(windows) => Self::Powershell,
            _ => Self::Posix,
        }
    }

    /// Returns the text. `variables` are the variables before the changes.
    pub(crate) fn render(self, report: &EnvReport, variables: &Variables) -> Result<String, FormError> {
        for variable in &report.variables {
            let value = variable.value.as_deref().unwrap_or_default();
            if value.contains(['\n', '\r', '\0']) {
                return Err(FormError::LineBreak { name: variable.name.clone(), value: value.to_owned() });
            }
        }
        if self == Self::Json {
            return Ok(json(report));
        }
        let mut text = String::new();
        for variable in &report.variables {
            let line = match self {
                Self::Posix => Some(posix(variable)),
                Self::Fish => Some(fish(variable)),
                Self::Powershell => Some(powershell(variable)),
                Self::Dotenv => file_line(variable, variables, dotenv)?,
                Self::Github if variable.name == "PATH" && variables.get(GITHUB_PATH).is_some() => None,
                Self::Github | Self::Json => file_line(variable, variables, |_, value| Ok(value.to_owned()))?,
            };
            if let Some(line) = line {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{line}");
            }
        }
        Ok(text)
    }

    /// Writes what a format needs in addition to its text: GitHub has a separate file for the directories of `PATH`.
    /// Directories that earlier steps wrote to that file would otherwise come before a `PATH` that is set directly.
    pub(crate) fn store_path(self, report: &EnvReport, variables: &Variables) -> Result<(), FormError> {
        let (Self::Github, Some(path)) = (self, variables.get(GITHUB_PATH)) else { return Ok(()) };
        let search = report.variables.iter().filter(|variable| variable.name == "PATH");
        // Each line is placed before the lines above it.
        let directories = search.flat_map(|variable| variable.directories.iter().rev());
        let lines: String = directories.flat_map(|directory| [directory.as_str(), "\n"]).collect();
        let file = OpenOptions::new().append(true).create(true).open(path);
        let stored = file.and_then(|mut file| file.write_all(lines.as_bytes()));
        stored.map_err(|source| FormError::GithubPath { path: path.to_owned(), source })
    }
}

/// The variable that names the file with directories for `PATH` in later steps of a workflow.
const GITHUB_PATH: &str = "GITHUB_PATH";

fn posix(variable: &Variable) -> String {
    let Variable { name, .. } = variable;
    let quote = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
    match variable.change {
        VariableChange::Unset => format!("unset {name}"),
        VariableChange::Set => format!("export {name}={}", quote(value(variable))),
        VariableChange::Prepend => {
            let first = quote(&joined(variable));
            format!("case \"${{{name}-}}:\" in {first}:*) ;; *) export {name}={first}\"${{{name}:+:${name}}}\" ;; esac")
        }
    }
}

fn fish(variable: &Variable) -> String {
    let Variable { name, directories, .. } = variable;
    let quote = |value: &str| format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"));
    match variable.change {
        VariableChange::Unset => format!("set -e {name}"),
        VariableChange::Set => format!("set -gx {name} {}", quote(value(variable))),
        VariableChange::Prepend => {
            let quoted: Vec<_> = directories.iter().map(|directory| quote(directory.as_str())).collect();
            // In fish, variables whose names end in `PATH` are lists.
            format!("test \"${name}[1]\" = {}; or set -gx {name} {} ${name}", quoted[0], quoted.join(" "))
        }
    }
}

fn powershell(variable: &Variable) -> String {
    let Variable { name, directories, .. } = variable;
    match variable.change {
        VariableChange::Unset => format!("Remove-Item -ErrorAction Ignore Env:{name}"),
        VariableChange::Set => format!("$env:{name} = {}", in_powershell(value(variable))),
        VariableChange::Prepend => {
            let quoted: Vec<_> = directories.iter().map(|directory| in_powershell(directory.as_str())).collect();
            let ours = format!("@({})", quoted.join(", "));
            let separator = "[IO.Path]::PathSeparator";
            let others =
                format!("@(\"$env:{name}\" -split {separator} | Where-Object {{ $_ -and {ours} -cnotcontains $_ }})");
            format!("$env:{name} = ({ours} + {others}) -join {separator}")
        }
    }
}

/// Doubles every character that PowerShell treats as a quote.
fn in_powershell(value: &str) -> String {
    let mut quoted = String::from("'");
    for character in value.chars() {
        quoted.push(character);
        if matches!(character, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(character);
        }
    }
    quoted + "'"
}

/// Returns `NAME=value`. A variable to unset gets an empty value if it is set, because Python treats that as unset.
fn file_line(
    variable: &Variable,
    variables: &Variables,
    quote: impl Fn(&Variable, &str) -> Result<String, FormError>,
) -> Result<Option<String>, FormError> {
    let Variable { name, .. } = variable;
    Ok(match &variable.value {
        Some(value) => Some(format!("{name}={}", quote(variable, value)?)),
        None => variables.get_os(name).map(|_| format!("{name}=")),
    })
}

/// Uses single quotes: all readers of such files take the text in them literally, but they cannot be escaped.
fn dotenv(variable: &Variable, value: &str) -> Result<String, FormError> {
    if value.contains('\'') {
        let (name, value) = (variable.name.clone(), value.to_owned());
        return Err(FormError::Unquotable { name, format: "dotenv", value });
    }
    Ok(format!("'{value}'"))
}

fn json(report: &EnvReport) -> String {
    let values = report.variables.iter().map(|variable| (variable.name.clone(), variable.value.clone().into()));
    let mut text = serde_json::Value::Object(values.collect()).to_string();
    text.push('\n');
    text
}

fn value(variable: &Variable) -> &str {
    variable.value.as_deref().unwrap_or_default()
}

/// Joins the directories of a search path. Only systems that do not have such shells use a different separator.
fn joined(variable: &Variable) -> String {
    variable.directories.iter().map(|directory| directory.as_str()).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: &str = r#"/a b/it's "$HOME" `id` \ ’%*!é"#;

    fn variable(name: &str, change: VariableChange, value: Option<&str>) -> Variable {
        let directories = match change {
            VariableChange::Prepend => vec![ODD.into(), "/second".into()],
            VariableChange::Set | VariableChange::Unset => Vec::new(),
        };
        Variable { name: name.to_owned(), change, directories, value: value.map(str::to_owned) }
    }

    fn report(variables: Vec<Variable>) -> EnvReport {
        EnvReport {
            profile: uvenv_core::Profile::Dev,
            backend: None,
            environment: "/code/.venv".into(),
            python: uvenv_core::report::PythonInfo { path: "/usr/bin/python3.11".into(), version: "3.11.7".to_owned() },
            variables,
            cargo_config: None,
        }
    }

    fn rendered(form: Form, variables: Vec<Variable>) -> String {
        let present = [("CONDA_PREFIX", "/conda"), ("PATH", "/usr/bin")].into_iter().collect();
        form.render(&report(variables), &present).unwrap()
    }

    /// Evaluates `script` in a shell, if that shell is installed, and returns the output of `then`.
    #[expect(clippy::disallowed_methods, reason = "a test asks the real shells")]
    fn evaluated(shell: &str, script: &str, then: &str) -> Option<String> {
        let said = std::process::Command::new(shell).args(["-c", &format!("{script}\n{then}")]).output().ok()?;
        assert!(said.status.success(), "{shell}: {}\n{script}", String::from_utf8_lossy(&said.stderr));
        Some(String::from_utf8(said.stdout).unwrap())
    }

    #[cfg(unix)]
    #[test]
    fn shells_evaluate_the_output_to_the_exact_values() {
        let changes = || {
            vec![
                variable("UVENV_TEST", VariableChange::Set, Some(ODD)),
                variable("PATH", VariableChange::Prepend, None),
                variable("NEW_PATH", VariableChange::Prepend, None),
                variable("PYTHONHOME", VariableChange::Unset, None),
            ]
        };
        let posix = rendered(Form::Posix, changes());
        let before = "PATH=/usr/bin:/bin; export PYTHONHOME=/somewhere; unset NEW_PATH; set -eu";
        let print = r#"printf '%s|' "$UVENV_TEST" "$PATH" "$NEW_PATH" "${PYTHONHOME-unset}""#;
        let expected = format!("{ODD}|{ODD}:/second:/usr/bin:/bin|{ODD}:/second|unset|");
        // Evaluating it twice has the same effect as evaluating it once.
        let asked =
            ["bash", "zsh", "dash", "sh"].map(|shell| evaluated(shell, &format!("{before}\n{posix}{posix}"), print));
        assert!(asked.iter().flatten().count() > 0, "some shell is there");
        assert!(asked.iter().flatten().all(|said| *said == expected), "{asked:?}\n{posix}");

        let fish = rendered(Form::Fish, changes());
        let before = "set -gx PATH /usr/bin /bin; set -gx PYTHONHOME /somewhere";
        let print =
            r#"set -q PYTHONHOME; or set PYTHONHOME unset; printf '%s|' "$UVENV_TEST" "$PATH" "$NEW_PATH" $PYTHONHOME"#;
        let said = evaluated("fish", &format!("{before}\n{fish}{fish}"), print);
        assert!(said.is_none_or(|said| said == expected));

        let powershell = rendered(Form::Powershell, changes());
        let before = "$env:PATH = '/usr/bin:/bin'; $env:PYTHONHOME = '/somewhere'";
        let print = "if ($null -eq $env:PYTHONHOME) { $home_ = 'unset' }; \
                     [Console]::Out.Write(\"$env:UVENV_TEST|$env:PATH|$env:NEW_PATH|$home_|\")";
        let said = evaluated("pwsh", &format!("{before}\n{powershell}{powershell}"), print);
        assert!(said.is_none_or(|said| said == expected));
    }

    #[test]
    fn quotes_values_for_each_format() {
        let set = |form| rendered(form, vec![variable("A", VariableChange::Set, Some(r"it's \ ’"))]);
        assert_eq!(set(Form::Posix), "export A='it'\\''s \\ ’'\n");
        assert_eq!(set(Form::Fish), "set -gx A 'it\\'s \\\\ ’'\n");
        assert_eq!(set(Form::Powershell), "$env:A = 'it''s \\ ’’'\n");
        assert_eq!(set(Form::Github), "A=it's \\ ’\n");
        assert_eq!(set(Form::Json), "{\"A\":\"it's \\\\ ’\"}\n");
    }

    #[test]
    fn file_formats_have_full_values_and_unset_only_set_variables() {
        let changes = || {
            vec![
                variable("PATH", VariableChange::Prepend, Some("/e/bin:/usr/bin")),
                variable("CONDA_PREFIX", VariableChange::Unset, None),
                variable("PYTHONHOME", VariableChange::Unset, None),
            ]
        };
        assert_eq!(rendered(Form::Dotenv, changes()), "PATH='/e/bin:/usr/bin'\nCONDA_PREFIX=\n");
        assert_eq!(rendered(Form::Github, changes()), "PATH=/e/bin:/usr/bin\nCONDA_PREFIX=\n");
        let json = rendered(Form::Json, changes());
        assert_eq!(json, "{\"CONDA_PREFIX\":null,\"PATH\":\"/e/bin:/usr/bin\",\"PYTHONHOME\":null}\n");
    }

    #[test]
    fn rejects_values_that_a_format_cannot_represent() {
        let refused = |form: Form, value| {
            let report = report(vec![variable("A", VariableChange::Set, Some(value))]);
            form.render(&report, &Variables::default()).unwrap_err().code()
        };
        for form in [Form::Posix, Form::Fish, Form::Powershell, Form::Dotenv, Form::Json, Form::Github] {
            assert_eq!(refused(form, "a\nB=1"), "line-break");
        }
        assert_eq!(refused(Form::Dotenv, "it's"), "unquotable-value");
    }

    #[test]
    fn detects_the_shell_from_its_executable_name() {
        for (shell, form) in [
            (Some("/bin/bash"), Form::Posix),
            (Some("/usr/bin/zsh"), Form::Posix),
            (Some("/opt/bin/fish"), Form::Fish),
            (Some(r"C:\Program Files\PowerShell\7\pwsh.exe"), Form::Powershell),
            (Some("/bin/unknown"), Form::Posix),
        ] {
            assert_eq!(Form::of_user(shell), form, "{shell:?}");
        }
    }
}
