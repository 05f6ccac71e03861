//! Runs the operations of the core for a parsed command line.

mod bundle;
mod check;
mod image;
mod init;
mod lock_and_sync;
mod promote;
mod sbom;
mod vendor;
mod verify;

use std::path::Path;

use camino::Utf8PathBuf;
use clap::Args;
use uvenv_core::{
    Error, Monorepo, Profile, Variables,
    cargo::FeatureSelection,
    monorepo,
    native::CargoProfile,
    ops::{
        self, BackendRequest, EnvRequest, KernelPlan, KernelRequest, LockMode, ProfileRequest, RunRequest, Session,
        Settings, SyncRequest,
    },
    report::Message,
    uv::{self, Appearance},
};

use crate::{
    Program,
    cli::{self, Backend, Command, Global, Kernel, Uvenv, Verbosity},
    exit_code, new,
    output::{Form, Output, script},
};

pub(crate) fn run(
    cli: Box<Uvenv>,
    variables: &Variables,
    program: &Program,
    output: &mut Output,
) -> uvenv_core::Result<u8> {
    let context = Context::new(&cli.global, variables, program)?;
    match cli.command {
        Command::Lock(args) => return context.lock(&args, output),
        Command::Sync(args) => return context.sync(args, output),
        Command::Run(args) => return context.run(args, output),
        Command::Env(args) => context.env(args, output),
        Command::Status(_) => context.status(output),
        Command::Check(args) => return context.check(&args, output),
        Command::Promote(args) => context.promote(&args, output),
        Command::Diff(args) => context.diff(&args, output),
        Command::Verify(args) => return context.verify(args, output),
        Command::Vendor(args) => context.vendor(args, output),
        Command::Bundle(args) => context.bundle(args, output),
        Command::OpenBundle(args) => {
            let opened = context.open_bundle(&args)?;
            return Ok(crate::run_within(opened, program));
        }
        Command::Image(args) => context.image(args, output),
        Command::Sbom(args) => context.sbom(args, output),
        Command::Init(args) => context.init(&args, output),
        Command::AddPackage(args) => context.add_package(&args, output),
        Command::Explain(args) => check::explain(&args, output),
        Command::Backend(Backend::List) => context.list_backends(output),
        Command::Backend(Backend::Detect) => context.detect_backend(output),
        Command::Kernel(Kernel::Install(args)) => context.install_kernel(*args, output),
        Command::Kernel(Kernel::List(args)) => context.list_kernels(&args, output),
        Command::Kernel(Kernel::Remove(args)) => context.remove_kernels(&args, output),
        Command::New(args) => context.new_monorepo(&args, output),
        Command::Completions(args) => {
            print_completions(args.shell);
            Ok(())
        }
    }?;
    Ok(exit_code::SUCCESS)
}

struct Context<'a> {
    program: &'a Program,
    session: Session,
    manifest: Option<Utf8PathBuf>,
}

impl<'a> Context<'a> {
    fn new(global: &Global, variables: &Variables, program: &'a Program) -> uvenv_core::Result<Self> {
        let here = std::env::current_dir().map_err(monorepo::unusable_directory("."))?;
        let mut directory = utf8(&here)?;
        let named = match &global.directory {
            Some(path) => Some(utf8(path)?),
            None => uv::variables::working_directory(variables).map(Utf8PathBuf::from),
        };
        if let Some(path) = named {
            let path = directory.join(path);
            directory = path.canonicalize_utf8().map_err(monorepo::unusable_directory(&path))?;
            // uv, cargo and other programs resolve relative paths from this directory.
            std::env::set_current_dir(&directory).map_err(monorepo::unusable_directory(&directory))?;
        }
        let manifest = global.manifest.manifest_path.as_deref().map(|path| Ok::<_, Error>(directory.join(utf8(path)?)));
        let offline = global.offline || uv::variables::is_offline(variables);
        let manifest = manifest.transpose()?;
        let mut settings = Settings::new(variables.clone(), directory, offline);
        let verbosity = global.verbosity(variables);
        settings.appearance = Appearance {
            quiet: verbosity == Verbosity::Quiet,
            verbose: match verbosity {
                Verbosity::Verbose(level) => level.saturating_sub(1),
                Verbosity::Quiet | Verbosity::Normal => 0,
            },
            color: global.color(variables).for_uv(),
        };
        settings.show_commands = matches!(verbosity, Verbosity::Verbose(_));
        settings.companion_uv = program.companion_uv.as_deref().map(utf8).transpose()?;
        Ok(Self { program, session: Session::new(settings), manifest })
    }

    fn monorepo(&self) -> uvenv_core::Result<Monorepo> {
        self.anywhere().monorepo(&self.session)
    }

    /// Returns a request for which no option names a profile.
    fn anywhere(&self) -> ProfileRequest {
        ProfileRequest { manifest: self.manifest.clone(), ..ProfileRequest::default() }
    }

    /// Returns the request for the profile that `--profile` or `--project` names.
    fn target(&self, args: &cli::OneProfile) -> uvenv_core::Result<ProfileRequest> {
        let project = self.project(args.project.as_deref(), args.profile)?;
        Ok(ProfileRequest { project, profile: args.profile, ..self.anywhere() })
    }

    /// Returns the project that `--project` names, or else `UV_PROJECT`, unless a profile is named.
    fn project(&self, flag: Option<&Path>, profile: Option<Profile>) -> uvenv_core::Result<Option<Utf8PathBuf>> {
        let variables = &self.session.settings.variables;
        if let Some(project) = flag {
            return Ok(Some(self.path(project)?));
        }
        if profile.is_some() || self.manifest.is_some() || Monorepo::profile_of_variables(variables)?.is_some() {
            return Ok(None);
        }
        Ok(uv::variables::project(variables).map(|project| self.session.settings.directory.join(project)))
    }

    fn path(&self, path: &Path) -> uvenv_core::Result<Utf8PathBuf> {
        Ok(self.session.settings.directory.join(utf8(path)?))
    }

    /// Returns the monorepo and the profile that `--profile` or `--project` names.
    fn profile(&self, args: &cli::OneProfile) -> uvenv_core::Result<(Monorepo, Profile)> {
        self.target(args)?.find(&self.session)
    }

    fn run(&self, args: cli::Run, output: &mut Output) -> uvenv_core::Result<u8> {
        let target = self.target(&args.profile)?;
        let no_sync = args.no_sync || uv::variables::is_without_sync(&self.session.settings.variables);
        let request = RunRequest {
            sync: SyncRequest { keep_extraneous: true, ..self.sync_request(args.selection, true)? },
            no_sync,
            env_files: match (args.env_file, args.no_env_file) {
                (_, true) => Vec::new(),
                (files, false) if files.is_empty() => {
                    uv::variables::env_files(&self.session.settings.variables).map(str::to_owned).collect()
                }
                (files, false) => files,
            },
            command: args.command,
        };
        let prepared = request.prepare(&self.session, &target, |_, _| ());
        self.warn_of_session(output);
        let (report, command) = prepared?;
        // The output belongs to the command: an environment that was already up to date is not worth a line.
        if let Some(report) = report.filter(|report| report.changed || output.is_json()) {
            output.message(&Message::SyncFinished(report));
        }
        let status = command.exec()?;
        Ok(u8::try_from(status & 0xff).unwrap_or(exit_code::FAILURE))
    }

    fn env(&self, args: cli::Env, output: &mut Output) -> uvenv_core::Result<()> {
        let (monorepo, profile) = self.profile(&args.environment.profile)?;
        let backend = BackendRequest::keeping(args.environment.backend);
        let mut report = EnvRequest { backend }.variables(&monorepo, &self.session, profile)?;
        if args.write_cargo_config {
            let launcher = self.launcher()?;
            let other = ops::write_cargo_config(&monorepo, &self.session, &mut report, &launcher)?;
            if let Some(other) = other {
                output.warning(&other);
            }
        } else if !output.is_json() {
            let form = Form::new(args.shell, args.format, &self.session.settings.variables);
            let text = form.render(&report, &self.session.settings.variables).and_then(|text| {
                form.store_path(&report, &self.session.settings.variables)?;
                Ok(text)
            });
            let text = text?;
            script(&text);
            return Ok(());
        }
        output.message(&Message::Environment(report));
        Ok(())
    }

    /// Returns the command that starts this program again.
    fn launcher(&self) -> uvenv_core::Result<Vec<String>> {
        self.program.launcher.iter().map(|word| Ok(utf8(Path::new(word))?.into_string())).collect()
    }

    /// Prints the warnings of an operation, even if it failed later.
    fn warn_of_session(&self, output: &mut Output) {
        for warning in self.session.take_warnings() {
            output.warning(&*warning);
        }
    }

    fn sync_request(&self, args: cli::Selection, keep: bool) -> uvenv_core::Result<SyncRequest> {
        let lock = LockMode::new(args.frozen, args.locked, args.allow_stale, &self.session.settings.variables);
        let cli::BackendArgs { backend, features, crates } = args.backend;
        let directory = || ops::vendored_directory(&self.session.settings.variables);
        let vendored = args.vendored.map(|path| utf8(&path)).transpose()?.or_else(directory);
        Ok(SyncRequest {
            lock,
            vendored: vendored.map(|path| self.session.settings.directory.join(path)),
            backend: BackendRequest {
                choice: backend,
                features: FeatureSelection {
                    packages: crates.package,
                    workspace: crates.workspace || crates.all,
                    exclude: crates.exclude,
                    features: features.features,
                    all_features: features.all_features,
                    no_default_features: features.no_default_features,
                },
                decided: None,
                keep,
            },
            extras: args.extra,
            groups: args.group,
            no_default_groups: args.no_default_groups,
            packages: args.packages,
            all_packages: args.all_packages,
            python: args.python,
            recreate: args.recreate,
            cargo_profile: match (args.release, args.debug) {
                (true, _) => Some(CargoProfile::Release),
                (false, true) => Some(CargoProfile::Debug),
                (false, false) => None,
            },
            ..SyncRequest::default()
        })
    }

    fn status(&self, output: &mut Output) -> uvenv_core::Result<()> {
        let monorepo = self.monorepo()?;
        output.message(&Message::Status(ops::status(&monorepo, &self.session)));
        Ok(())
    }

    fn list_backends(&self, output: &mut Output) -> uvenv_core::Result<()> {
        let report = ops::list(&self.monorepo()?, &self.session)?;
        output.message(&Message::Backends(report));
        Ok(())
    }

    fn detect_backend(&self, output: &mut Output) -> uvenv_core::Result<()> {
        // The driver can be detected outside a monorepo too.
        let monorepo = match &self.manifest {
            Some(_) => Some(self.monorepo()?),
            None => Monorepo::find(&self.session.settings.directory)?,
        };
        let report = ops::detect(monorepo.as_ref())?;
        output.message(&Message::BackendDetected(report));
        Ok(())
    }

    fn install_kernel(&self, args: cli::KernelInstall, output: &mut Output) -> uvenv_core::Result<()> {
        let (monorepo, profile) = self.profile(&args.profile)?;
        warn(&monorepo, profile, output);
        let request = KernelRequest {
            name: args.name,
            display_name: args.display_name,
            prefix: self.prefix(&args.prefix)?,
            launcher: self.launcher()?,
            sync: self.sync_request(args.selection, true)?,
        };
        let plan = KernelPlan::new(&monorepo, &self.session, profile, &request)?;
        let installed = plan.execute(&self.session);
        self.warn_of_session(output);
        output.message(&Message::KernelInstalled(installed?));
        Ok(())
    }

    fn list_kernels(&self, args: &cli::KernelList, output: &mut Output) -> uvenv_core::Result<()> {
        let prefix = self.prefix(&args.prefix)?;
        output.message(&Message::Kernels(ops::list_kernels(&self.session, prefix.as_deref())?));
        Ok(())
    }

    /// Removes kernels. If one cannot be removed, the others still are.
    fn remove_kernels(&self, args: &cli::KernelRemove, output: &mut Output) -> uvenv_core::Result<()> {
        let prefix = self.prefix(&args.prefix)?;
        let mut failed: Option<Error> = None;
        for name in &args.names {
            match ops::remove_kernel(&self.session, name, prefix.as_deref()) {
                Ok(report) => output.message(&Message::KernelRemoved(report)),
                Err(error) => {
                    if let Some(earlier) = failed.replace(error) {
                        output.error(&*earlier);
                    }
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn prefix(&self, args: &cli::KernelPrefix) -> uvenv_core::Result<Option<Utf8PathBuf>> {
        args.prefix.as_deref().map(|prefix| Ok(self.session.settings.directory.join(utf8(prefix)?))).transpose()
    }

    fn new_monorepo(&self, args: &cli::New, output: &mut Output) -> uvenv_core::Result<()> {
        let request = new::Request {
            path: self.session.settings.directory.join(utf8(&args.path)?),
            packages: new::Packages::Starter,
            local_remotes: args.local_remotes,
        };
        let report = new::lay_out(&request, &self.session.settings.variables)?;
        output.message(&Message::NewFinished(report));
        Ok(())
    }
}

/// Prints completions for `cargo-uvenv`, which takes the same arguments as `cargo uvenv`. Completions for `cargo` would
/// replace cargo's own.
fn print_completions(shell: clap_complete::Shell) {
    let mut command = Uvenv::augment_args(clap::Command::new("cargo-uvenv"));
    let mut completions = Vec::new();
    clap_complete::generate(shell, &mut command, "cargo-uvenv", &mut completions);
    // For bash, clap_complete encodes the `-` of our name in the same way as the step to a subcommand, but not
    // everywhere.
    script(&String::from_utf8_lossy(&completions).replace("cargo__subcmd__uvenv", "cargo__uvenv"));
}

fn warn(monorepo: &Monorepo, profile: Profile, output: &mut Output) {
    for warning in ops::warnings(monorepo, profile) {
        output.warning(&warning);
    }
}

fn utf8(path: &Path) -> uvenv_core::Result<Utf8PathBuf> {
    monorepo::utf8_path(path.to_owned())
}
