//! `env`: the variables that programs need to use a profile's environment, for a shell or for cargo's configuration.

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BackendRequest, Session, SyncRequest,
    run::{activate, existing_environment},
};
use crate::{
    cargo::{CargoConfigValues, OtherRunner},
    environment::{Activation, Audience, SyncRecord, VariableEdit},
    manifest,
    model::{Profile, Variables},
    monorepo::Monorepo,
    process::on_path,
    report::{CargoConfig, EnvReport, PythonInfo, Variable, VariableChange},
};

/// A request for the variables of an environment.
#[derive(Clone, Debug, Default)]
pub struct EnvRequest {
    /// Which environment to use, if there is one per backend.
    pub backend: BackendRequest,
}

impl EnvRequest {
    /// Returns the variables. The environment is not changed.
    pub fn variables(&self, monorepo: &Monorepo, session: &Session, profile: Profile) -> crate::Result<EnvReport> {
        let request = SyncRequest { backend: self.backend.clone(), ..SyncRequest::default() };
        let environment = existing_environment(monorepo, session, profile, &request)?;
        let (activation, base) = activate(session, &environment, profile, Audience::Shell)?;
        let (major, minor, micro) = base.version;
        Ok(EnvReport {
            profile,
            backend: SyncRecord::read(&environment).and_then(|record| record.backend?.into_name()),
            environment: environment.root().to_owned(),
            python: PythonInfo { path: base.executable, version: format!("{major}.{minor}.{micro}") },
            variables: changed(&activation, &session.settings.variables),
            cargo_config: None,
        })
    }
}

/// Returns the changes of an activation, with the value that each variable has afterwards, starting from `variables`.
pub(super) fn changed(activation: &Activation, variables: &Variables) -> Vec<Variable> {
    let values = activation.values(variables);
    let changes = activation.changes.iter().zip(values);
    changes
        .map(|((name, change), (_, value))| Variable {
            name: (*name).to_owned(),
            change: match change {
                VariableEdit::Set(_) => VariableChange::Set,
                VariableEdit::Prepend(_) => VariableChange::Prepend,
                VariableEdit::Unset => VariableChange::Unset,
            },
            directories: match change {
                VariableEdit::Prepend(directories) => directories.clone(),
                VariableEdit::Set(_) | VariableEdit::Unset => Vec::new(),
            },
            value: value.map(|value| value.to_string_lossy().into_owned()),
        })
        .collect()
}

/// Merges the variables that plain cargo needs into the monorepo's cargo configuration. `launcher` is the command that
/// starts this program.
pub fn write_cargo_config(
    monorepo: &Monorepo,
    session: &Session,
    report: &mut EnvReport,
    launcher: &[String],
) -> crate::Result<Option<OtherRunner>> {
    let mut variables =
        vec![("PYO3_PYTHON", report.python.path.to_string()), ("UVENV_PROFILE", report.profile.to_string())];
    if let (Some(backend), true) = (&report.backend, monorepo.config.env_per_backend) {
        variables.push(("UVENV_BACKEND", backend.to_string()));
    }
    let settings = CargoConfigValues { variables, runner: runner(monorepo, session, launcher) };
    let written = settings.write(&monorepo.root, &session.settings.variables)?;
    report.cargo_config = Some(CargoConfig { path: written.path, changed: written.changed });
    Ok(written.other_runner)
}

/// Returns the command with which cargo starts programs. It names the monorepo, because a test runs in the directory of
/// its crate, where another project may be nearer.
fn runner(monorepo: &Monorepo, session: &Session, launcher: &[String]) -> Vec<String> {
    let manifest = monorepo.root.join(manifest::FILE_NAME);
    let words = ["run", "--manifest-path", manifest.as_str(), "--no-sync", "--"];
    name_of(session, launcher).into_iter().chain(words.map(str::to_owned)).collect()
}

/// Returns the command for this program. It is only the name if `PATH` leads to this program, because cargo searches
/// `PATH` too.
fn name_of(session: &Session, launcher: &[String]) -> Vec<String> {
    const NAME: &str = "cargo-uvenv";
    let found = on_path(&session.settings.variables, NAME).next();
    let by_name = match launcher {
        [program] => {
            let program = Utf8Path::new(program);
            let is = |other: Utf8PathBuf| other.canonicalize().ok() == program.canonicalize().ok();
            program.file_stem() != Some(NAME) || found.is_some_and(is)
        }
        // A script with that name starts the same module.
        _ => found.is_some(),
    };
    if by_name { vec![NAME.to_owned()] } else { launcher.to_vec() }
}
