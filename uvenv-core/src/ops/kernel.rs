//! `kernel`: Jupyter kernels that always start in a profile's environment.
//!
//! A kernel is started with `cargo uvenv run`, which brings the environment up to date first. So it has the backend that it
//! was installed for even if the environment was synced with another in the meantime, the variables that `run` gives to
//! programs, and the signals of Jupyter, because `run` becomes the kernel. It needs no network where nothing has changed.

mod kernelspec;

use camino::{Utf8Path, Utf8PathBuf};

pub use self::kernelspec::JupyterError;
use self::kernelspec::{KernelSpec, Kernels, Owner};
use super::{LockMode, Session, SyncPlan, SyncRequest};
use crate::{
    backend::Choice,
    environment::{Distributions, Environment},
    manifest,
    model::{Name, Profile},
    monorepo::Monorepo,
    report::{KernelReport, KernelState, KernelsReport},
};

/// A kernel to install.
#[derive(Clone, Debug, Default)]
pub struct KernelRequest {
    /// Its name; else one made of the project's, the profile's and the backend's.
    pub name: Option<String>,
    /// What people see; else made of the same.
    pub display_name: Option<String>,
    /// Where Jupyter is installed; else the kernel is the user's.
    pub prefix: Option<Utf8PathBuf>,
    /// The words that start the command line of uvenv, before its arguments.
    pub launcher: Vec<String>,
    /// What the environment is to have.
    pub sync: SyncRequest,
}

/// Installs a kernel, after bringing the environment up to date.
///
/// # Errors
///
/// `missing-ipykernel` where the environment has nothing to start, `kernel-exists` where the name is somebody else's, and
/// those of a sync.
pub fn install_kernel(
    monorepo: &Monorepo,
    session: &Session,
    profile: Profile,
    request: &KernelRequest,
) -> crate::Result<KernelReport> {
    // As `run` will do it.
    let sync = SyncRequest { keep_extraneous: true, ..request.sync.clone() };
    let plan = SyncPlan::new(monorepo, session, profile, &sync)?;
    let kernels = Kernels::at(request.prefix.as_deref(), &session.variables)?;
    let kernel = kernel(monorepo, session, &plan, request, &kernels)?;
    check_name(&kernels, &kernel)?;
    plan.execute(session)?;
    check_ipykernel(monorepo, &plan)?;
    kernels.install(&kernel)?;
    report(&kernel).ok_or_else(|| JupyterError::Foreign { name: kernel.name, path: kernel.path }.into())
}

/// uvenv's kernels: those in `prefix`, else all that Jupyter finds.
pub fn list_kernels(session: &Session, prefix: Option<&Utf8Path>) -> crate::Result<KernelsReport> {
    let places = match prefix {
        Some(prefix) => vec![Kernels::at(Some(prefix), &session.variables)?],
        None => Kernels::search_path(&session.variables),
    };
    Ok(KernelsReport { kernels: places.iter().flat_map(Kernels::list).filter_map(|kernel| report(&kernel)).collect() })
}

/// Removes a kernel of uvenv's: from `prefix`, else from where the user's are.
///
/// # Errors
///
/// `unknown-kernel` where there is none of that name, `not-a-uvenv-kernel` where it is somebody else's.
pub fn remove_kernel(session: &Session, name: &str, prefix: Option<&Utf8Path>) -> crate::Result<KernelReport> {
    let kernels = Kernels::at(prefix, &session.variables)?;
    let Some(kernel) = kernels.find(name) else {
        let ours = kernels.list().into_iter().filter(|kernel| kernel.owner.is_some());
        let available = ours.map(|kernel| kernel.name).collect();
        let directory = kernels.directory().to_owned();
        return Err(JupyterError::Unknown { name: name.to_owned(), directory, available }.into());
    };
    let Some(report) = report(&kernel) else {
        return Err(JupyterError::Foreign { name: kernel.name, path: kernel.path }.into());
    };
    kernel.remove()?;
    Ok(report)
}

/// The kernel that is asked for.
fn kernel(
    monorepo: &Monorepo,
    session: &Session,
    plan: &SyncPlan<'_>,
    request: &KernelRequest,
    kernels: &Kernels,
) -> Result<KernelSpec, JupyterError> {
    let profile = plan.context.profile;
    let choice = plan.selection.choice();
    let project = monorepo.dev.project.as_ref().map_or("uvenv", |project| project.name.value.as_str());
    let words = [Some(profile.to_string()), choice.as_ref().map(Choice::to_string)];
    let words: Vec<_> = words.into_iter().flatten().collect();
    let name = request.name.clone().unwrap_or_else(|| format!("{project}-{}", words.join("-")));
    let display_name = request.display_name.clone().unwrap_or_else(|| format!("{project} ({})", words.join(", ")));
    let owner = Owner {
        root: monorepo.root.clone(),
        profile,
        backend: choice.as_ref().map(Choice::to_string),
        version: crate::VERSION.to_owned(),
    };
    let argv = argv(monorepo, session, plan, choice.as_ref(), request);
    KernelSpec::new(kernels, &name, display_name, argv, owner)
}

/// The command that starts it. The monorepo is named, since a kernel starts in the directory of its notebook.
fn argv(
    monorepo: &Monorepo,
    session: &Session,
    plan: &SyncPlan<'_>,
    backend: Option<&Choice>,
    request: &KernelRequest,
) -> Vec<String> {
    let manifest = monorepo.root.join(manifest::FILE_NAME);
    let run = ["uvenv", "run", "--manifest-path", manifest.as_str(), "--profile", plan.context.profile.as_str()];
    let backend = backend.into_iter().flat_map(|choice| ["--backend".to_owned(), choice.to_string()]);
    let kernel = ["--", "python", "-m", "ipykernel_launcher", "-f", "{connection_file}"];
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let selection = selection(&request.sync, session);
    request.launcher.iter().cloned().chain(words(&run)).chain(backend).chain(selection).chain(words(&kernel)).collect()
}

/// What of a request belongs to the environment that the kernel is to have whenever it starts.
fn selection(sync: &SyncRequest, session: &Session) -> Vec<String> {
    let flags = [
        (matches!(sync.lock, LockMode::Locked), "--locked"),
        (matches!(sync.lock, LockMode::Frozen { .. }), "--frozen"),
        (matches!(sync.lock, LockMode::Frozen { allow_stale: true }), "--allow-stale"),
        (sync.no_default_groups, "--no-default-groups"),
        (sync.all_packages, "--all-packages"),
    ];
    let flags = flags.into_iter().filter(|(is_on, _)| *is_on).map(|(_, flag)| flag.to_owned());
    let extras = sync.extras.iter().map(|name| format!("--extra={name}"));
    let groups = sync.groups.iter().map(|name| format!("--group={name}"));
    let packages = sync.packages.iter().map(|name| format!("--package={name}"));
    // A path is one as seen from here, and the kernel starts elsewhere.
    let is_path = |python: &str| python.contains(std::path::is_separator);
    let absolute = |python: &String| {
        if is_path(python) { session.directory.join(python).into() } else { python.clone() }
    };
    let python = sync.python.as_ref().map(|python| format!("--python={}", absolute(python)));
    flags.chain(extras).chain(groups).chain(packages).chain(python).collect()
}

/// Refuses a name that another kernel has. One of the same monorepo and profile is replaced, and one whose monorepo is gone.
fn check_name(kernels: &Kernels, kernel: &KernelSpec) -> Result<(), JupyterError> {
    let Some(there) = kernels.find(&kernel.name) else { return Ok(()) };
    let owner = match (&there.owner, &kernel.owner) {
        (None, _) => "is not uvenv's".to_owned(),
        (Some(owner), Some(ours)) if owner.root == ours.root && owner.profile == ours.profile => {
            return Ok(());
        }
        (Some(owner), _) if !owner.is_there() => return Ok(()),
        (Some(owner), _) => format!("is for {} of `{}`", owner.profile, owner.root),
    };
    Err(JupyterError::Exists { name: there.name, owner, path: there.path })
}

fn check_ipykernel(monorepo: &Monorepo, plan: &SyncPlan) -> crate::Result<()> {
    let environment = Environment::new(plan.environment.clone());
    let distributions = Distributions::read(&environment)?;
    if distributions.iter().any(|distribution| distribution.name.as_str() == "ipykernel") {
        return Ok(());
    }
    let project = monorepo.relative(&plan.context.paths.directory).to_owned();
    let (environment, profile) = (plan.environment.clone(), plan.context.profile);
    let backend = plan.selection.choice().map(|choice| choice.to_string());
    Err(JupyterError::NoIpykernel { environment, profile, backend, project }.into())
}

/// What there is to say of a kernel of uvenv's.
fn report(kernel: &KernelSpec) -> Option<KernelReport> {
    let owner = kernel.owner.as_ref()?;
    Some(KernelReport {
        name: kernel.name.clone(),
        display_name: kernel.display_name.clone(),
        path: kernel.path.clone(),
        root: owner.root.clone(),
        profile: owner.profile,
        backend: owner.backend.as_deref().filter(|backend| *backend != "none").and_then(Name::parse),
        command: kernel.argv.clone(),
        state: if owner.is_there() { KernelState::Ready } else { KernelState::NoMonorepo },
    })
}
