//! `kernel`: Jupyter kernels that always start in a profile's environment.
//!
//! A kernel is started with `cargo uvenv run`, which first brings the environment up to date. The kernel therefore has
//! the backend for which it was installed, even if the environment was synced with another one in the meantime. It also
//! gets the variables that `run` sets for programs, and Jupyter's signals, because `run` becomes the kernel process. If
//! nothing has changed, it needs no network.

mod kernelspec;

use camino::{Utf8Path, Utf8PathBuf};

use self::kernelspec::{JupyterError, KernelSpec, Kernels, Owner};
use super::{LockMode, Session, SyncPlan, SyncRequest};
use crate::{
    backend::Choice,
    environment::{Distributions, Environment},
    manifest,
    model::Profile,
    monorepo::Monorepo,
    report::{KernelReport, KernelState, KernelsReport},
};

/// A kernel to install.
#[derive(Clone, Debug, Default)]
pub struct KernelRequest {
    /// Its name; by default made from the names of the project, the profile and the backend.
    pub name: Option<String>,
    /// The name that people see; by default made from the same names.
    pub display_name: Option<String>,
    /// Where Jupyter is installed; by default the kernel is installed for the user.
    pub prefix: Option<Utf8PathBuf>,
    /// The first words of the command line that starts uvenv, before its arguments.
    pub launcher: Vec<String>,
    /// How to sync the environment.
    pub sync: SyncRequest,
}

/// A kernel that is ready to be installed.
#[derive(Debug)]
pub struct KernelPlan<'m> {
    sync: SyncPlan<'m>,
    kernels: Kernels,
    kernel: KernelSpec,
}

impl<'m> KernelPlan<'m> {
    /// Plans to install a kernel for `profile`.
    ///
    /// # Errors
    ///
    /// `kernel-exists` if another kernel has the name, and the errors of planning a sync.
    pub fn new(
        monorepo: &'m Monorepo,
        session: &Session,
        profile: Profile,
        request: &KernelRequest,
    ) -> crate::Result<Self> {
        // `run` does the same.
        let sync = SyncRequest { keep_extraneous: true, ..request.sync.clone() };
        let sync = SyncPlan::new(monorepo, session, profile, &sync)?;
        let kernels = Kernels::at(request.prefix.as_deref(), &session.settings.variables)?;
        let kernel = kernel(monorepo, session, &sync, request, &kernels)?;
        check_name(&kernels, &kernel)?;
        Ok(Self { sync, kernels, kernel })
    }

    /// Brings the environment up to date and installs the kernel.
    ///
    /// # Errors
    ///
    /// `missing-ipykernel` if the environment does not contain `ipykernel`, and the errors of a sync.
    pub fn execute(self, session: &Session) -> crate::Result<KernelReport> {
        self.sync.execute(session)?;
        check_ipykernel(&self.sync)?;
        session.warn(self.competitor(session));
        self.kernels.install(&self.kernel)?;
        let Self { kernel, .. } = self;
        report(&kernel).ok_or_else(|| JupyterError::Foreign { name: kernel.name, path: kernel.path }.into())
    }
}

impl KernelPlan<'_> {
    /// Finds another kernel that starts with another backend in the same environment.
    fn competitor(&self, session: &Session) -> Option<JupyterError> {
        let context = &self.sync.context;
        if context.monorepo.config.env_per_backend {
            return None;
        }
        let ours = self.kernel.owner.as_ref()?;
        let places = std::iter::once(self.kernels.clone()).chain(Kernels::search_path(&session.settings.variables));
        let mut others = places.flat_map(|place| place.list()).filter_map(|other| Some((other.name, other.owner?)));
        let (name, owner) = others.find(|(name, owner)| {
            let is_same = (&owner.root, owner.profile) == (&ours.root, ours.profile);
            *name != self.kernel.name && is_same && owner.backend != ours.backend
        })?;
        let words = |choice: Option<&Choice>| choice.map_or_else(|| "none".to_owned(), Choice::to_string);
        Some(JupyterError::SharedEnvironment {
            name: self.kernel.name.clone(),
            other: name,
            environment: context.monorepo.relative(&self.sync.environment).to_owned(),
            backends: [words(ours.backend.as_ref()), words(owner.backend.as_ref())],
        })
    }
}

/// Returns the kernels of uvenv: those in `prefix`, or all that Jupyter finds.
pub fn list_kernels(session: &Session, prefix: Option<&Utf8Path>) -> crate::Result<KernelsReport> {
    let places = match prefix {
        Some(prefix) => vec![Kernels::at(Some(prefix), &session.settings.variables)?],
        None => Kernels::search_path(&session.settings.variables),
    };
    Ok(KernelsReport { kernels: places.iter().flat_map(Kernels::list).filter_map(|kernel| report(&kernel)).collect() })
}

/// Removes a kernel of uvenv: from `prefix`, or from the user's kernels.
///
/// # Errors
///
/// `unknown-kernel` if there is no kernel with that name, `not-a-uvenv-kernel` if it was not installed by uvenv.
pub fn remove_kernel(session: &Session, name: &str, prefix: Option<&Utf8Path>) -> crate::Result<KernelReport> {
    let kernels = Kernels::at(prefix, &session.settings.variables)?;
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

/// Returns the requested kernel.
fn kernel(
    monorepo: &Monorepo,
    session: &Session,
    plan: &SyncPlan<'_>,
    request: &KernelRequest,
    kernels: &Kernels,
) -> crate::Result<KernelSpec> {
    let profile = plan.context.profile;
    let choice = plan.selection.choice();
    let project = monorepo.dev.project.as_ref().map_or("uvenv", |project| project.name.value.as_str());
    let words = [Some(profile.to_string()), choice.as_ref().map(Choice::to_string)];
    let words: Vec<_> = words.into_iter().flatten().collect();
    let name = request.name.clone().unwrap_or_else(|| format!("{project}-{}", words.join("-")));
    let display_name = request.display_name.clone().unwrap_or_else(|| format!("{project} ({})", words.join(", ")));
    let owner =
        Owner { root: monorepo.root.clone(), profile, backend: choice.clone(), version: crate::VERSION.to_owned() };
    let argv = argv(monorepo, session, plan, choice.as_ref(), request);
    KernelSpec::new(kernels, &name, display_name, argv, owner)
}

/// Returns the command that starts the kernel. It names the monorepo, because a kernel starts in the directory of its
/// notebook.
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

/// Returns the arguments for the part of the request that applies whenever the kernel starts.
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
    // A relative path refers to the current directory, but the kernel starts elsewhere.
    let is_path = |python: &str| python.contains(std::path::is_separator);
    let absolute = |python: &String| {
        if is_path(python) { session.settings.directory.join(python).into() } else { python.clone() }
    };
    let python = sync.python.as_ref().map(|python| format!("--python={}", absolute(python)));
    flags.chain(extras).chain(groups).chain(packages).chain(python).collect()
}

/// Rejects a name that another kernel has. A kernel of the same monorepo and profile, or of a monorepo that no longer
/// exists, may be replaced.
fn check_name(kernels: &Kernels, kernel: &KernelSpec) -> crate::Result<()> {
    let Some(there) = kernels.find(&kernel.name) else { return Ok(()) };
    let owner = match (&there.owner, &kernel.owner) {
        (None, _) => "was not installed by uvenv".to_owned(),
        (Some(owner), Some(ours)) if owner.root == ours.root && owner.profile == ours.profile => {
            return Ok(());
        }
        (Some(owner), _) if !owner.is_there() => return Ok(()),
        (Some(owner), _) => format!("is for {} of `{}`", owner.profile, owner.root),
    };
    Err(JupyterError::Exists { name: there.name, owner, path: there.path }.into())
}

fn check_ipykernel(plan: &SyncPlan<'_>) -> crate::Result<()> {
    let environment = Environment::new(plan.environment.clone());
    let distributions = Distributions::read(&environment)?;
    if distributions.iter().any(|distribution| distribution.name.as_str() == "ipykernel") {
        return Ok(());
    }
    let project = plan.context.monorepo.relative(&plan.context.paths.directory).to_owned();
    let (environment, profile) = (plan.environment.clone(), plan.context.profile);
    let backend = plan.selection.choice();
    Err(JupyterError::NoIpykernel { environment, profile, backend, project }.into())
}

/// Returns the report of a kernel of uvenv.
fn report(kernel: &KernelSpec) -> Option<KernelReport> {
    let owner = kernel.owner.as_ref()?;
    Some(KernelReport {
        name: kernel.name.clone(),
        display_name: kernel.display_name.clone(),
        path: kernel.path.clone(),
        root: owner.root.clone(),
        profile: owner.profile,
        backend: owner.backend.clone().and_then(Choice::into_name),
        command: kernel.argv.clone(),
        state: if owner.is_there() { KernelState::Ready } else { KernelState::NoMonorepo },
    })
}
