//! The extension module behind `import uvenv`: stateless functions. Each one performs one operation of the core on the
//! monorepo of a directory, and returns the command line's JSON output, including `reason`, as dicts and lists.
//!
//! The Python part turns the results into reports, and has the documentation.

mod call;
mod convert;
mod failure;
mod listener;
mod request;

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use cargo_uvenv::Program;
use pyo3::prelude::*;
use uvenv_core::{
    Monorepo, Variables,
    monorepo::unusable_directory,
    ops::{
        self, AddPackagePlan, BackendRequest, BundleRequest, DiffSide, EnvRequest, InitPlan, KernelPlan, LockPlan,
        PromotePlan, RunRequest, SbomRequest, SyncPlan, SyncRequest, VendorRequest, VerifyRequest,
    },
    report::Message,
};

use crate::{
    call::{Call, companion_uv},
    convert::to_python,
    request::{Check, Image, Kernel, Lock, Promote, Running, Selection, choice},
};

/// Native part of the `uvenv` package.
#[pymodule(gil_used = false)]
mod _uvenv {
    #[pymodule_export]
    use super::{
        add_package, backends, bundle, check, detect, diff, discover, env, image, importable, init, install_kernel,
        list_kernels, lock, main, plan, profiles, promote, remove_kernel, run, sbom, status, sync, vendor, verify,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = uvenv_core::VERSION;
}

/// Returns `root`, `directory` and `profile` of the monorepo that contains `path`; `profile` is the one whose directory
/// contains `path`.
#[pyfunction]
fn discover(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    call::without_session(py, move || {
        let path = convert::utf8(path)?;
        let (monorepo, directory) = if path.is_file() {
            let directory = path.parent().unwrap_or(&path).to_owned();
            (Monorepo::discover_manifest(&path)?, directory)
        } else {
            (Monorepo::discover(&path)?, path)
        };
        let directory = directory.canonicalize_utf8().map_err(unusable_directory(&directory))?;
        let profile = monorepo.profile_at(&directory);
        Ok(serde_json::json!({ "root": monorepo.root, "directory": directory, "profile": profile }))
    })
}

/// Returns the profiles of a monorepo, with the pins of each.
#[pyfunction]
fn profiles(py: Python<'_>, call: Call) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, |call| Ok(ops::profiles(&call.monorepo()?, &call.session)?))
}

/// Runs `lock`.
#[pyfunction]
fn lock(py: Python<'_>, call: Call, request: Lock) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let request = request.request()?;
        let (monorepo, profile) = call.profile()?;
        let plan = LockPlan::new(&monorepo, &call.session, profile, &request)?;
        Ok(Message::LockFinished(plan.execute(&call.session)?))
    })
}

/// Runs `sync`.
#[pyfunction]
fn sync(py: Python<'_>, call: Call, selection: Selection) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let request = selection.request(&call.session.settings.variables, false)?;
        let on_discovered = |monorepo: &Monorepo, profile| call.warn(monorepo, profile);
        Ok(Message::SyncFinished(request.sync(&call.session, &call.target()?, on_discovered)?))
    })
}

/// Runs `sync --dry-run`.
#[pyfunction]
fn plan(py: Python<'_>, call: Call, selection: Selection) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let request = SyncRequest { dry_run: true, ..selection.request(&call.session.settings.variables, false)? };
        let (monorepo, profile) = call.profile()?;
        let plan = SyncPlan::new(&monorepo, &call.session, profile, &request)?;
        Ok(Message::SyncPlanned(plan.dry_run(&call.session)?))
    })
}

/// The variables that differ for a command; `None` for a variable that is unset.
type ChildVariables = BTreeMap<String, Option<OsString>>;

/// Runs `run` up to the start of the command. Returns the command and its arguments, and the variables that differ from
/// `variables`, those of the caller.
#[pyfunction]
fn run(
    py: Python<'_>,
    call: Call,
    selection: Selection,
    command: Vec<OsString>,
    no_sync: bool,
    variables: BTreeMap<String, OsString>,
) -> PyResult<(Vec<OsString>, ChildVariables)> {
    call.detached(py, move |call| {
        let request = RunRequest {
            sync: SyncRequest { keep_extraneous: true, ..selection.request(&call.session.settings.variables, true)? },
            no_sync: no_sync || uvenv_core::uv::variables::is_without_sync(&call.session.settings.variables),
            env_files: uvenv_core::uv::variables::env_files(&call.session.settings.variables)
                .map(str::to_owned)
                .collect(),
            command,
        };
        let (_, command) =
            request.prepare(&call.session, &call.target()?, |monorepo, profile| call.warn(monorepo, profile))?;
        let words = command.words().map(OsString::from).collect();
        let changes = command.changes(&Variables::from_iter(variables));
        Ok((words, changes.into_iter().collect()))
    })
}

/// Runs `env`.
#[pyfunction]
fn env(py: Python<'_>, call: Call, backend: Option<String>) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let backend = BackendRequest::keeping(choice(backend)?);
        let (monorepo, profile) = call.profile()?;
        let report = EnvRequest { backend }.variables(&monorepo, &call.session, profile)?;
        Ok(Message::Environment(report))
    })
}

/// Returns whether the running `python` can import from an environment, and from where.
#[pyfunction]
fn importable(py: Python<'_>, call: Call, backend: Option<String>, python: Running) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let backend = BackendRequest::keeping(choice(backend)?);
        let request = SyncRequest { backend, ..SyncRequest::default() };
        let (monorepo, profile) = call.profile()?;
        Ok(ops::importable(&monorepo, &call.session, profile, &request, &python.into())?)
    })
}

/// Runs `kernel install`.
#[pyfunction]
fn install_kernel(py: Python<'_>, call: Call, selection: Selection, kernel: Kernel) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let request = kernel.request(selection.request(&call.session.settings.variables, false)?)?;
        let (monorepo, profile) = call.profile()?;
        let report = KernelPlan::new(&monorepo, &call.session, profile, &request)?.execute(&call.session)?;
        Ok(Message::KernelInstalled(report))
    })
}

/// Runs `kernel list`; the result includes the table.
#[pyfunction]
fn list_kernels(py: Python<'_>, call: Call, prefix: Option<PathBuf>) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, |call| {
        let prefix = prefix.map(convert::utf8).transpose()?;
        Ok(Message::Kernels(ops::list_kernels(&call.session, prefix.as_deref())?))
    })?;
    with_text(py, &message)
}

/// Runs `kernel remove`.
#[pyfunction]
fn remove_kernel(py: Python<'_>, call: Call, name: String, prefix: Option<PathBuf>) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let prefix = prefix.map(convert::utf8).transpose()?;
        Ok(Message::KernelRemoved(ops::remove_kernel(&call.session, &name, prefix.as_deref())?))
    })
}

/// Runs `status`; the result includes the table.
#[pyfunction]
fn status(py: Python<'_>, call: Call) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, |call| Ok(Message::Status(ops::status(&call.monorepo()?, &call.session))))?;
    with_text(py, &message)
}

/// Runs `backend list`; the result includes the table.
#[pyfunction]
fn backends(py: Python<'_>, call: Call) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, |call| Ok(Message::Backends(ops::list(&call.monorepo()?, &call.session)?)))?;
    with_text(py, &message)
}

/// Runs `backend detect`; the result includes the text of the command line.
#[pyfunction]
fn detect(py: Python<'_>, call: Call) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, |call| {
        // The driver can be detected outside a monorepo too.
        let monorepo = Monorepo::find(&call.session.settings.directory)?;
        Ok(Message::BackendDetected(ops::detect(monorepo.as_ref())?))
    })?;
    with_text(py, &message)
}

/// Runs `check`; the result includes the text of the command line.
#[pyfunction]
fn check(py: Python<'_>, call: Call, request: Check) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, move |call| {
        let request = request.request()?;
        Ok(Message::CheckFinished(request.check(&call.monorepo()?, &call.session)?))
    })?;
    with_text(py, &message)
}

/// Runs `promote`; the result includes the table.
#[pyfunction]
fn promote(py: Python<'_>, call: Call, request: Promote) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, move |call| {
        let request = request.request()?;
        let monorepo = call.monorepo()?;
        let plan = PromotePlan::new(&monorepo, &call.session, &request)?;
        let report = if request.dry_run { plan.dry_run() } else { plan.execute(&call.session)? };
        Ok(Message::PromoteFinished(report))
    })?;
    with_text(py, &message)
}

/// Runs `init`.
#[pyfunction]
fn init(py: Python<'_>, call: Call, git: Option<String>) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        Ok(Message::InitFinished(
            InitPlan::new(&call.monorepo()?, &call.session, git.as_deref())?.execute(&call.session)?,
        ))
    })
}

/// Runs `add-package`.
#[pyfunction]
fn add_package(py: Python<'_>, call: Call, path: PathBuf, git: Option<String>) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let path = convert::utf8(path)?;
        let report = AddPackagePlan::new(&call.monorepo()?, &path, git.as_deref())?.execute(&call.session)?;
        Ok(Message::PackageAdded(report))
    })
}

/// Runs `diff`; the result includes the tables.
#[pyfunction]
fn diff(py: Python<'_>, call: Call, a: String, b: Option<String>) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, |call| {
        let (from, to) = DiffSide::pair(&a, b.as_deref())?;
        Ok(Message::DiffFinished(ops::diff(&call.monorepo()?, &call.session, &from, &to)?))
    })?;
    with_text(py, &message)
}

/// Runs `vendor`.
#[pyfunction]
fn vendor(
    py: Python<'_>,
    call: Call,
    backends: Vec<String>,
    pythons: Vec<String>,
    platforms: Vec<String>,
    more: (bool, bool),
    output: PathBuf,
) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let backends =
            backends.into_iter().filter_map(|name| choice(Some(name)).transpose()).collect::<Result<_, _>>()?;
        let request = VendorRequest {
            backends,
            pythons,
            platforms,
            with_uv: more.0,
            with_build_requirements: more.1,
            output: convert::utf8(output)?,
        };
        let (monorepo, profile) = call.profile()?;
        Ok(Message::VendorFinished(request.vendor(&monorepo, &call.session, profile)?))
    })
}

/// Runs `image`.
#[pyfunction]
fn image(py: Python<'_>, call: Call, image: Image) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let request = image.request()?;
        Ok(Message::ImageFinished(request.make(&call.session, &call.target()?)?))
    })
}

/// Runs `bundle`.
#[pyfunction]
fn bundle(
    py: Python<'_>,
    call: Call,
    backend: Option<String>,
    vendored: Option<PathBuf>,
    launcher: PathBuf,
    output: PathBuf,
) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let request = BundleRequest {
            backend: BackendRequest { choice: choice(backend)?, ..BackendRequest::default() },
            vendored: vendored.map(convert::utf8).transpose()?,
            launcher: convert::utf8(launcher)?,
            output: convert::utf8(output)?,
        };
        Ok(Message::BundleFinished(request.make(&call.session, &call.target()?)?))
    })
}

/// Runs `sbom`.
#[pyfunction]
fn sbom(
    py: Python<'_>,
    call: Call,
    backend: Option<String>,
    vendored: Option<PathBuf>,
    output: Option<PathBuf>,
) -> PyResult<Bound<'_, PyAny>> {
    call.work(py, move |call| {
        let backend = BackendRequest::keeping(choice(backend)?);
        let vendored = vendored.map(convert::utf8).transpose()?;
        let output = output.map(convert::utf8).transpose()?;
        let (monorepo, profile) = call.profile()?;
        let request = SbomRequest { backend, vendored, output };
        Ok(Message::SbomFinished(request.describe(&monorepo, &call.session, profile)?))
    })
}

/// Runs `verify`; the result includes the table.
#[pyfunction]
fn verify(
    py: Python<'_>,
    call: Call,
    backend: Option<String>,
    fast: bool,
    vendored: Option<PathBuf>,
) -> PyResult<(Bound<'_, PyAny>, String)> {
    let message = call.detached(py, move |call| {
        let backend = BackendRequest::keeping(choice(backend)?);
        let vendored = vendored.map(convert::utf8).transpose()?;
        let (monorepo, profile) = call.profile()?;
        let request = VerifyRequest { backend, fast, vendored };
        Ok(Message::VerifyFinished(request.verify(&monorepo, &call.session, profile)?))
    })?;
    with_text(py, &message)
}

fn with_text<'py>(py: Python<'py>, message: &Message) -> PyResult<(Bound<'py, PyAny>, String)> {
    Ok((to_python(py, message)?, cargo_uvenv::text(message)))
}

/// Runs the command line `args`, whose first element is the program's name, and returns the exit status.
#[pyfunction]
fn main(py: Python<'_>, args: Vec<OsString>, launcher: Vec<OsString>) -> u8 {
    let program = Program { launcher, companion_uv: companion_uv(py) };
    py.detach(|| cargo_uvenv::run(args, &program))
}
