//! The command-line interface: its arguments and help texts.

mod bundle;
mod check;
mod diff;
mod image;
mod init;
mod promote;
mod sbom;
mod vendor;
mod verify;

use std::{ffi::OsString, path::PathBuf};

use clap::{
    ArgAction, Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_cargo::style::CLAP_STYLING;
use uvenv_core::{Name, Profile, Variables, backend::Choice};

pub(crate) use self::{
    bundle::{Bundle, OpenBundle},
    check::{Check, Explain},
    diff::Diff,
    image::Image,
    init::{AddPackage, Init},
    promote::Promote,
    sbom::Sbom,
    vendor::Vendor,
    verify::Verify,
};

/// What cargo sees: a subcommand of its own name.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", styles = CLAP_STYLING)]
pub(crate) enum Cargo {
    Uvenv(Box<Uvenv>),
}

/// Dev, staging and prod Python environments for monorepos that mix Rust and Python.
#[derive(Debug, Args)]
#[command(
    version,
    after_help = "\
Examples:
  cargo uvenv lock --all-profiles                  lock dev, staging and prod
  cargo uvenv sync --backend cu124                 the dev environment, with CUDA 12.4
  cargo uvenv sync --profile prod --backend auto   prod, with the backend that fits the GPU driver
  cargo uvenv run -- pytest                        run a command in the dev environment"
)]
pub(crate) struct Uvenv {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[command(mut_arg("PATH", |arg| arg.global(true).help("Path to a Cargo.toml or pyproject.toml in the monorepo")))]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    /// Change to DIR before running the command
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// Output format: for people, or one JSON object per line
    #[arg(long, global = true, value_parser = formats(&[]), default_value = "human", value_name = "FORMAT")]
    pub(crate) message_format: MessageFormat,
    // `CARGO_TERM_COLOR` and `CARGO_TERM_QUIET` have a lower priority than all of these flags. With clap's own support
    // for variables, they would conflict with the flags.
    /// When to use colors
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    color: Option<Color>,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print the uv commands that are run; repeat to print the log of uv too
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Disable network access
    #[arg(long, global = true)]
    pub(crate) offline: bool,
}

/// How much output is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose(u8),
}

impl Global {
    pub(crate) fn verbosity(&self, variables: &Variables) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) if variables.is_on("CARGO_TERM_QUIET") => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, level) => Verbosity::Verbose(level),
        }
    }

    pub(crate) fn color(&self, variables: &Variables) -> Color {
        self.color.unwrap_or_else(|| Color::of(variables))
    }
}

/// How outcomes are printed. All commands support the first two formats; the others are available only for the commands
/// that add them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    Human,
    Json,
    Sarif,
    Github,
    Markdown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Lock(Lock),
    Sync(Sync),
    Run(Run),
    Env(Env),
    Status(Status),
    Check(Check),
    Promote(Promote),
    Diff(Diff),
    Verify(Verify),
    Vendor(Vendor),
    Image(Image),
    Bundle(Bundle),
    #[command(hide = true)]
    OpenBundle(OpenBundle),
    Sbom(Sbom),
    Init(Init),
    AddPackage(AddPackage),
    Explain(Explain),
    #[command(subcommand)]
    Backend(Backend),
    #[command(subcommand)]
    Kernel(Kernel),
    New(New),
    Completions(Completions),
}

/// Which profile: by its name or by its manifest.
#[derive(Debug, Args)]
pub(crate) struct OneProfile {
    /// Profile to use; defaults to `UVENV_PROFILE`, then to the profile of the current directory
    #[arg(long, value_name = "PROFILE", value_parser = profiles(), conflicts_with = "project")]
    pub(crate) profile: Option<Profile>,
    /// Select the profile by its manifest: a directory, or the pyproject.toml in it
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) project: Option<PathBuf>,
}

/// An environment that was synced: of which profile, with which backend.
#[derive(Debug, Args)]
pub(crate) struct ExistingEnvironment {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// The GPU backend that the environment must have, or whose environment is meant
    #[arg(long, value_name = "NAME|auto|none", value_parser = Choice::parse)]
    pub(crate) backend: Option<Choice>,
}

/// What `vendor` has made: for which profile, with which backend, and where.
#[derive(Debug, Args)]
pub(crate) struct VendoredEnvironment {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// GPU backend of the environment
    #[arg(long, value_name = "NAME|auto|none", value_parser = Choice::parse)]
    pub(crate) backend: Option<Choice>,
    /// Directory that `vendor` has made; defaults to `UVENV_VENDORED`, then to `vendored`
    #[arg(long, value_name = "DIR")]
    pub(crate) vendored: Option<PathBuf>,
}

/// Which profiles: by their names or by a manifest.
#[derive(Debug, Args)]
pub(crate) struct SomeProfiles {
    /// Profile to use; can be repeated; defaults to `UVENV_PROFILE`, then to the profile of the current directory
    #[arg(long, value_name = "PROFILE", value_parser = profiles(), conflicts_with_all = ["project", "all_profiles"])]
    pub(crate) profile: Vec<Profile>,
    /// Use all profiles of the monorepo
    #[arg(long, conflicts_with = "project")]
    pub(crate) all_profiles: bool,
    /// Select the profile by its manifest: a directory, or the pyproject.toml in it
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) project: Option<PathBuf>,
}

/// Create, update or check lockfiles, several at once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv lock                                       the dev profile, like `uv lock`
  cargo uvenv lock --profile staging --profile prod      two profiles
  cargo uvenv lock --all-profiles --locked               check all, change nothing
  cargo uvenv lock --profile prod --upgrade-package six  upgrade six")]
pub(crate) struct Lock {
    #[command(flatten)]
    pub(crate) profiles: SomeProfiles,
    /// Only check that the lockfile satisfies the manifest
    #[arg(long, visible_alias = "check", conflicts_with_all = ["upgrade", "upgrade_package"])]
    pub(crate) locked: bool,
    /// Upgrade all packages to their newest versions
    #[arg(short = 'U', long)]
    pub(crate) upgrade: bool,
    /// Upgrade a package to its newest version; can be repeated
    #[arg(short = 'P', long, value_name = "PACKAGE")]
    pub(crate) upgrade_package: Vec<String>,
    /// Show what would change without writing anything
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Bring environments up to date with their lockfiles, several at once
///
/// For dev, the lockfile is updated if needed, as `uv sync` does. For staging and prod, it is never changed: if it does
/// not satisfy the manifest, the command fails.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv sync --backend cu124                  the dev environment
  cargo uvenv sync -F cu124                         the same, selected by a Cargo feature
  cargo uvenv sync --profile prod --frozen --backend cu128
  cargo uvenv sync --project staging --backend auto
  cargo uvenv sync --all-profiles --backend cu124   dev, staging and prod
  cargo uvenv sync --backend none -- --no-editable  arguments after `--` go to uv")]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) profiles: SomeProfiles,
    /// Show what would be done without changing anything
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Arguments to pass to uv unchanged
    #[arg(last = true, value_name = "UV_ARGS")]
    pub(crate) uv_args: Vec<OsString>,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Bring an environment up to date and run a command in it
///
/// The environment keeps the backend of its last sync, and any packages that are not in the lockfile. The exit status
/// and the signals are those of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv run -- pytest -q
  cargo uvenv run --profile prod -- python -m bench_utils
  cargo uvenv run train.py --epochs 3")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// Do not sync the environment first
    #[arg(long)]
    pub(crate) no_sync: bool,
    /// Read variables for the command from this file; can be repeated, and later files count before earlier ones
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<String>,
    /// Read no variables from files
    #[arg(long)]
    pub(crate) no_env_file: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Print the variables that make a shell use an environment, as `run` sets them for its command
///
/// The environment is not synced first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(cargo uvenv env)\"
  cargo uvenv env --shell fish | source
  cargo uvenv env --format github >> \"$GITHUB_ENV\"
  cargo uvenv env --write-cargo-config               for plain `cargo test` and editors")]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) environment: ExistingEnvironment,
    /// Shell to print commands for; defaults to the one in `SHELL`
    #[arg(long, value_enum, value_name = "SHELL", conflicts_with = "format")]
    pub(crate) shell: Option<Shell>,
    /// Print a file format instead of shell commands
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<EnvFormat>,
    /// Make plain cargo use the environment: merge the variables into the monorepo's `.cargo/config.toml`
    #[arg(long, conflicts_with_all = ["shell", "format"])]
    pub(crate) write_cargo_config: bool,
}

/// A shell whose language is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// A format of variables that no shell reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvFormat {
    /// `NAME='value'`, one per line
    Dotenv,
    /// A JSON object; `null` means that the variable must be unset
    Json,
    /// For the file named by `GITHUB_ENV`
    Github,
}

/// What is installed, and from which state of the lockfile.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Do not update the lockfile; in staging and prod, its pins must be those of the manifest
    #[arg(long, conflicts_with = "locked")]
    pub(crate) frozen: bool,
    /// Fail if the lockfile does not satisfy the manifest
    #[arg(long)]
    pub(crate) locked: bool,
    /// With --frozen: install from the lockfile even if its pins differ from the manifest's
    #[arg(long, requires = "frozen")]
    pub(crate) allow_stale: bool,
    /// Extra to install; can be repeated
    #[arg(long, value_name = "EXTRA", value_parser = parse_name)]
    pub(crate) extra: Vec<Name>,
    /// Dependency group to install; can be repeated
    #[arg(long, value_name = "GROUP", value_parser = parse_name)]
    pub(crate) group: Vec<Name>,
    /// Do not install the default dependency groups
    #[arg(long)]
    pub(crate) no_default_groups: bool,
    /// Python package of the workspace to install instead of the root; can be repeated
    #[arg(long = "package", id = "python_package", value_name = "PACKAGE")]
    pub(crate) packages: Vec<String>,
    /// Install all Python packages of the workspace
    #[arg(long, conflicts_with = "python_package")]
    pub(crate) all_packages: bool,
    /// Python for the environment: a version or a path
    #[arg(long, value_name = "PYTHON", env = "UV_PYTHON", hide_env = true)]
    pub(crate) python: Option<String>,
    /// Build native packages with Cargo's release profile
    #[arg(long, conflicts_with = "debug")]
    pub(crate) release: bool,
    /// Build native packages with Cargo's dev profile
    #[arg(long)]
    pub(crate) debug: bool,
    /// Install from this directory, which `vendor` has made, without index and git; defaults to `UVENV_VENDORED`
    #[arg(long, value_name = "DIR")]
    pub(crate) vendored: Option<PathBuf>,
    /// Recreate the environment, for example if it is broken; if that fails, the old one is kept
    #[arg(long)]
    pub(crate) recreate: bool,
    // This must be last, because its heading also applies to the arguments after it.
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

/// The backend, by its name or by Cargo features.
#[derive(Debug, Args)]
#[command(next_help_heading = "Backend")]
// Here, `--package` is uv's option and selects a Python package. Cargo's option keeps its short form.
#[command(mut_arg("package", |arg| arg.long("crate").help("A crate whose features select the backend (see `cargo help pkgid`)")))]
#[command(mut_arg("workspace", |arg| arg.help("Use all crates of the Cargo workspace")))]
#[command(mut_arg("exclude", |arg| arg.help("Crate to exclude")))]
#[command(mut_arg("all_features", |arg| arg.help("Activate all features of the selected crates")))]
#[command(mut_arg("no_default_features", |arg| arg.help("Do not activate `default` features of the selected crates")))]
#[command(mut_arg("features", |arg| arg.value_name("FEATURES").help("Cargo features to activate; one selects the backend")))]
pub(crate) struct BackendArgs {
    /// The GPU backend: a name, `auto` (chosen to fit the GPU driver) or `none`
    #[arg(long, value_name = "NAME|auto|none", value_parser = Choice::parse)]
    pub(crate) backend: Option<Choice>,
    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,
    #[command(flatten)]
    pub(crate) crates: clap_cargo::Workspace,
}

/// Show the state of the profiles: manifests, lockfiles, environments, internal packages
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv status
  cargo uvenv status --message-format json")]
pub(crate) struct Status {}

/// List the GPU backends, or detect the GPU
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  cargo uvenv backend list
  cargo uvenv backend detect")]
pub(crate) enum Backend {
    /// List the backends of each profile, and the Cargo features that select them
    #[command(after_help = "\
Examples:
  cargo uvenv backend list
  cargo uvenv backend list --message-format json")]
    List,
    /// Show the GPU and its driver, and what `--backend auto` would choose
    #[command(after_help = "\
Examples:
  cargo uvenv backend detect
  cargo uvenv backend detect --message-format json")]
    Detect,
}

/// Manage Jupyter kernels that start in a profile's environment
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  cargo uvenv kernel install --profile prod --backend cu124
  cargo uvenv kernel list
  cargo uvenv kernel remove bench-prod-cu124")]
pub(crate) enum Kernel {
    Install(Box<KernelInstall>),
    List(KernelList),
    Remove(KernelRemove),
}

/// Bring an environment up to date and install a kernel for it
///
/// The environment must have `ipykernel`. Each time Jupyter starts the kernel, the environment is first brought up to
/// date with the same options, so that it has this backend. To replace a kernel, install it again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv kernel install --backend cu124 --group notebook
  cargo uvenv kernel install --profile prod --backend cu124 --name bench --display-name \"Bench\"")]
pub(crate) struct KernelInstall {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// Name of the kernel; defaults to PROJECT-PROFILE-BACKEND
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Name that Jupyter shows
    #[arg(long, value_name = "TEXT")]
    pub(crate) display_name: Option<String>,
    #[command(flatten)]
    pub(crate) prefix: KernelPrefix,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// List the kernels that uvenv has installed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv kernel list
  cargo uvenv kernel list --message-format json")]
pub(crate) struct KernelList {
    #[command(flatten)]
    pub(crate) prefix: KernelPrefix,
}

/// Remove kernels that uvenv has installed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv kernel remove bench-prod-cu124")]
pub(crate) struct KernelRemove {
    /// Names of the kernels
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) prefix: KernelPrefix,
}

/// Whose kernels.
#[derive(Debug, Args)]
pub(crate) struct KernelPrefix {
    /// Use the kernels of the Jupyter that is installed in DIR, not those of the user
    #[arg(long, value_name = "DIR")]
    pub(crate) prefix: Option<PathBuf>,
}

/// Create a new monorepo with two Rust crates, three Python packages and three profiles
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv new bench
  cargo uvenv new bench --local-remotes")]
pub(crate) struct New {
    /// Directory to create; it must be empty if it exists
    pub(crate) path: PathBuf,
    /// Also create git repositories with tags next to it, so that staging and prod work without a git host
    #[arg(long)]
    pub(crate) local_remotes: bool,
}

/// Print shell completions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv completions bash >> ~/.bash_completion
  cargo uvenv completions fish > ~/.config/fish/completions/cargo-uvenv.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Parses the name of a profile. Help and completions list the possible names.
fn profiles() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::as_str)).try_map(|text| text.parse::<Profile>())
}

/// Parses one of the formats that all commands support, or one of `others`.
fn formats(others: &[MessageFormat]) -> impl TypedValueParser<Value = MessageFormat> {
    let formats = [&[MessageFormat::Human, MessageFormat::Json], others].concat();
    let names = formats.iter().filter_map(ValueEnum::to_possible_value);
    PossibleValuesParser::new(names).try_map(|name| MessageFormat::from_str(&name, false))
}

fn parse_name(text: &str) -> Result<Name, String> {
    Name::parse(text).ok_or_else(|| format!("`{text}` is not a valid name"))
}

impl Color {
    /// Returns the value of `CARGO_TERM_COLOR`.
    pub(crate) fn of(variables: &Variables) -> Self {
        let said = variables.get("CARGO_TERM_COLOR").and_then(|value| Self::from_str(value, true).ok());
        said.unwrap_or_default()
    }

    pub(crate) fn set_for_this_process(self) {
        let choice = match self {
            // `anstream` checks the terminal, `NO_COLOR` and `CLICOLOR`.
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }

    /// Returns the value for uv's `--color`; `None` for `auto`, because uv then detects it.
    pub(crate) fn for_uv(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Always => Some("always"),
            Self::Never => Some("never"),
        }
    }
}

#[cfg(test)]
mod tests;
