//! The command line: what can be said, and how it is explained.

mod check;
mod diff;
mod init;
mod promote;

use std::{ffi::OsString, path::PathBuf};

use clap::{
    ArgAction, Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_cargo::style::CLAP_STYLING;
use uvenv_core::{Name, Profile, Variables, backend::Choice};

pub(crate) use self::{
    check::{Check, Explain},
    diff::Diff,
    init::{AddPackage, Init},
    promote::Promote,
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
  cargo uvenv sync --profile prod --backend auto   prod, with what the GPU driver runs
  cargo uvenv run -- pytest                        a command in the dev environment"
)]
pub(crate) struct Uvenv {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[command(mut_arg("PATH", |arg| arg.global(true).help("Path to the Cargo.toml or pyproject.toml of the monorepo or of a part of it")))]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    /// Work as if started in DIR
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// How outcomes are printed: for people, or as one JSON object a line
    #[arg(long, global = true, value_parser = formats(&[]), default_value = "human", value_name = "FORMAT")]
    pub(crate) message_format: MessageFormat,
    // `CARGO_TERM_COLOR` and `CARGO_TERM_QUIET` are weaker than any of the flags, and clap would let them conflict.
    /// When to use colors
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    color: Option<Color>,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show the calls of uv; twice, for what uv logs as well
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Do without the network
    #[arg(long, global = true)]
    pub(crate) offline: bool,
}

/// How much is said.
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

/// How outcomes are printed. All commands have the first two; the others are for commands that say so.
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
    /// The profile: dev, staging or prod; else `UVENV_PROFILE`, else that of the current directory
    #[arg(long, value_name = "PROFILE", value_parser = profiles(), conflicts_with = "project")]
    pub(crate) profile: Option<Profile>,
    /// The profile whose manifest this is: a directory or the pyproject.toml in it
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) project: Option<PathBuf>,
}

/// Which profiles: by their names or by a manifest.
#[derive(Debug, Args)]
pub(crate) struct SomeProfiles {
    /// A profile; can be given several times; else `UVENV_PROFILE`, else that of the current directory
    #[arg(long, value_name = "PROFILE", value_parser = profiles(), conflicts_with_all = ["project", "all_profiles"])]
    pub(crate) profile: Vec<Profile>,
    /// All profiles of the monorepo
    #[arg(long, conflicts_with = "project")]
    pub(crate) all_profiles: bool,
    /// The profile whose manifest this is: a directory or the pyproject.toml in it
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) project: Option<PathBuf>,
}

/// Make, update or check lockfiles, several at the same time
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv lock                                       the dev profile, as `uv lock`
  cargo uvenv lock --profile staging --profile prod      two profiles
  cargo uvenv lock --all-profiles --locked               check all, change nothing
  cargo uvenv lock --profile prod --upgrade-package six  take the newest six")]
pub(crate) struct Lock {
    #[command(flatten)]
    pub(crate) profiles: SomeProfiles,
    /// Only check that the lockfile satisfies the manifest
    #[arg(long, visible_alias = "check", conflicts_with_all = ["upgrade", "upgrade_package"])]
    pub(crate) locked: bool,
    /// Take the newest versions of all packages
    #[arg(short = 'U', long)]
    pub(crate) upgrade: bool,
    /// Take the newest version of a package; can be given several times
    #[arg(short = 'P', long, value_name = "PACKAGE")]
    pub(crate) upgrade_package: Vec<String>,
    /// Show what would change, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Bring environments up to date with their lockfiles, several at the same time
///
/// dev is locked when needed, as uv does it. In staging and prod the lockfile is never changed: one that does not satisfy
/// the manifest is an error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv sync --backend cu124                  the dev environment
  cargo uvenv sync -F cu124                         the same, as Cargo's features select it
  cargo uvenv sync --profile prod --frozen --backend cu128
  cargo uvenv sync --project staging --backend auto
  cargo uvenv sync --all-profiles --backend cu124   dev, staging and prod
  cargo uvenv sync --backend none -- --no-editable  what follows `--` goes to uv")]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) profiles: SomeProfiles,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Passed to uv as it is
    #[arg(last = true, value_name = "UV_ARGS")]
    pub(crate) uv_args: Vec<OsString>,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Run a command in an environment, after bringing that up to date
///
/// The environment keeps the backend of its last sync, and what was installed into it beside the lockfile. The exit
/// status and the signals are those of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv run -- pytest -q
  cargo uvenv run --profile prod -- python -m bench_utils
  cargo uvenv run train.py --epochs 3")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// Take the environment as it is
    #[arg(long)]
    pub(crate) no_sync: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// Print the variables with which a shell and all that it starts use an environment, as `run` gives them to a command
///
/// The environment is taken as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(cargo uvenv env)\"
  cargo uvenv env --shell fish | source
  cargo uvenv env --format github >> \"$GITHUB_ENV\"
  cargo uvenv env --write-cargo-config               plain `cargo test` and editors, too")]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// The GPU backend, where there is one environment for each
    #[arg(long, value_name = "NAME|auto|none", value_parser = Choice::parse)]
    pub(crate) backend: Option<Choice>,
    /// The shell; else that of `SHELL`
    #[arg(long, value_enum, value_name = "SHELL", conflicts_with = "format")]
    pub(crate) shell: Option<Shell>,
    /// A file format in place of a shell's language
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<EnvFormat>,
    /// Have plain cargo use the environment: merge it into the monorepo's `.cargo/config.toml`
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
    /// `NAME='value'`, a line each
    Dotenv,
    /// An object; `null` for what is to be unset
    Json,
    /// For the file that `GITHUB_ENV` names
    Github,
}

/// What is installed, and from which state of the lockfile.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Install what is locked. In staging and prod, pins that differ from the manifest's are an error
    #[arg(long, conflicts_with = "locked")]
    pub(crate) frozen: bool,
    /// Fail if the lockfile does not satisfy the manifest
    #[arg(long)]
    pub(crate) locked: bool,
    /// With --frozen: install what is locked even if the manifest's pins are others
    #[arg(long, requires = "frozen")]
    pub(crate) allow_stale: bool,
    /// An extra; can be given several times
    #[arg(long, value_name = "EXTRA", value_parser = parse_name)]
    pub(crate) extra: Vec<Name>,
    /// A dependency group; can be given several times
    #[arg(long, value_name = "GROUP", value_parser = parse_name)]
    pub(crate) group: Vec<Name>,
    /// Without the default groups
    #[arg(long)]
    pub(crate) no_default_groups: bool,
    /// A Python package of the workspace, in place of the root; can be given several times
    #[arg(long = "package", id = "python_package", value_name = "PACKAGE")]
    pub(crate) packages: Vec<String>,
    /// All Python packages of the workspace
    #[arg(long, conflicts_with = "python_package")]
    pub(crate) all_packages: bool,
    /// The Python for the environment: a version or a path
    #[arg(long, value_name = "PYTHON", env = "UV_PYTHON", hide_env = true)]
    pub(crate) python: Option<String>,
    /// Build native packages with Cargo's release profile
    #[arg(long, conflicts_with = "debug")]
    pub(crate) release: bool,
    /// Build native packages with Cargo's dev profile
    #[arg(long)]
    pub(crate) debug: bool,
    /// Make the environment anew, the way out of a broken one; if that fails, the old one stays
    #[arg(long)]
    pub(crate) recreate: bool,
    // Last, because its heading holds for what follows.
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

/// The backend, by its name or by Cargo features.
#[derive(Debug, Args)]
#[command(next_help_heading = "Backend")]
// `--package` is uv's here, a Python package; Cargo's keeps its short form.
#[command(mut_arg("package", |arg| arg.long("crate").help("A crate whose features select the backend (see `cargo help pkgid`)")))]
#[command(mut_arg("workspace", |arg| arg.help("All crates of the Cargo workspace")))]
#[command(mut_arg("exclude", |arg| arg.help("A crate that is left out")))]
#[command(mut_arg("all_features", |arg| arg.help("All features of the selected crates")))]
#[command(mut_arg("no_default_features", |arg| arg.help("Without the `default` feature of the selected crates")))]
#[command(mut_arg("features", |arg| arg.value_name("FEATURES").help("Cargo features, one of which is called like a backend")))]
pub(crate) struct BackendArgs {
    /// The GPU backend: its name, `auto` (what the driver runs) or `none`
    #[arg(long, value_name = "NAME|auto|none", value_parser = Choice::parse)]
    pub(crate) backend: Option<Choice>,
    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,
    #[command(flatten)]
    pub(crate) crates: clap_cargo::Workspace,
}

/// Show how the profiles stand: manifests, lockfiles, environments, internal packages
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv status
  cargo uvenv status --message-format json")]
pub(crate) struct Status {}

/// Show the GPU backends
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  cargo uvenv backend list
  cargo uvenv backend detect")]
pub(crate) enum Backend {
    /// The backends of each profile, and the Cargo features that select them
    #[command(after_help = "\
Examples:
  cargo uvenv backend list
  cargo uvenv backend list --message-format json")]
    List,
    /// The GPU and its driver, and what `--backend auto` would choose
    #[command(after_help = "\
Examples:
  cargo uvenv backend detect
  cargo uvenv backend detect --message-format json")]
    Detect,
}

/// Jupyter kernels that start in a profile's environment
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

/// Install a kernel, after bringing the environment up to date
///
/// The environment must have `ipykernel`. Whenever Jupyter starts the kernel, `run` brings the environment up to date with
/// the same selection first, so that it has this backend. Installed again, it takes the place of what it was.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv kernel install --backend cu124 --group notebook
  cargo uvenv kernel install --profile prod --backend cu124 --name bench --display-name \"Bench\"")]
pub(crate) struct KernelInstall {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// Its name; else those of the project, the profile and the backend
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What people see
    #[arg(long, value_name = "TEXT")]
    pub(crate) display_name: Option<String>,
    #[command(flatten)]
    pub(crate) prefix: KernelPrefix,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// List uvenv's kernels
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv kernel list
  cargo uvenv kernel list --message-format json")]
pub(crate) struct KernelList {
    #[command(flatten)]
    pub(crate) prefix: KernelPrefix,
}

/// Remove kernels of uvenv's
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv kernel remove bench-prod-cu124")]
pub(crate) struct KernelRemove {
    /// The names
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) prefix: KernelPrefix,
}

/// Whose kernels.
#[derive(Debug, Args)]
pub(crate) struct KernelPrefix {
    /// Where Jupyter is installed, for kernels of its own; else they are the user's
    #[arg(long, value_name = "DIR")]
    pub(crate) prefix: Option<PathBuf>,
}

/// Lay out a new monorepo: two Rust crates, three Python packages, three profiles
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv new bench
  cargo uvenv new bench --local-remotes")]
pub(crate) struct New {
    /// The directory, which must not exist or be empty
    pub(crate) path: PathBuf,
    /// Also make git repositories with tags beside it, so that staging and prod work without a git host
    #[arg(long)]
    pub(crate) local_remotes: bool,
}

/// Print a shell's completions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv completions bash >> ~/.bash_completion
  cargo uvenv completions fish > ~/.config/fish/completions/cargo-uvenv.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Names of profiles, which help and completions list.
fn profiles() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::as_str)).try_map(|text| text.parse::<Profile>())
}

/// The formats that all commands have, and `others`.
fn formats(others: &[MessageFormat]) -> impl TypedValueParser<Value = MessageFormat> {
    let formats = [&[MessageFormat::Human, MessageFormat::Json], others].concat();
    let names = formats.iter().filter_map(ValueEnum::to_possible_value);
    PossibleValuesParser::new(names).try_map(|name| MessageFormat::from_str(&name, false))
}

fn parse_name(text: &str) -> Result<Name, String> {
    Name::parse(text).ok_or_else(|| format!("`{text}` is not a valid name"))
}

impl Color {
    /// What `CARGO_TERM_COLOR` says.
    pub(crate) fn of(variables: &Variables) -> Self {
        let said = variables.get("CARGO_TERM_COLOR").and_then(|value| Self::from_str(value, true).ok());
        said.unwrap_or_default()
    }

    pub(crate) fn set_for_this_process(self) {
        let choice = match self {
            // `anstream` asks the terminal, `NO_COLOR` and `CLICOLOR`.
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }

    /// How uv is told; on `auto` it looks for itself.
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
