use clap::{
    CommandFactory,
    error::ErrorKind::{self, *},
};

use super::*;

fn parse(line: &str) -> Result<Command, ErrorKind> {
    let words = ["cargo", "uvenv"].into_iter().chain(line.split_whitespace());
    let Cargo::Uvenv(cli) = Cargo::try_parse_from(words).map_err(|error| error.kind())?;
    Ok(cli.command)
}

#[test]
fn clap_accepts_the_command_definition() {
    Cargo::command().debug_assert();
}

#[test]
fn accepts_valid_command_lines() {
    for line in [
        "lock",
        "lock --profile staging --profile prod",
        "lock --all-profiles --check",
        "lock --project prod --locked --offline",
        "lock -U --dry-run",
        "lock -P six --upgrade-package idna<4",
        "sync",
        "sync --profile prod --profile dev",
        "sync --all-profiles --backend cu124",
        "sync --profile prod --frozen --allow-stale --backend cu124",
        "sync --project prod/pyproject.toml --locked --backend auto",
        "sync -p app -F cu124,fast --no-default-features --backend none",
        "sync --crate app --package bench-utils --package print-utils",
        "sync --workspace --exclude app --all-features",
        "sync --all-packages --extra plots --group docs --no-default-groups --python 3.12 --recreate",
        "sync --dry-run -- --no-editable --extra x",
        "run python",
        "run --profile prod --no-sync -- python -c pass",
        "run -F cu124 python --profile prod -v",
        "status",
        "check",
        "check --profile prod --profile dev --remote --deny a --deny b --warn c --allow d --fix --dry-run",
        "check --message-format sarif",
        "--message-format json check -q",
        "explain",
        "explain dev-tag-in-prod --message-format json",
        "backend list",
        "backend detect -v",
        "kernel install",
        "kernel install --profile prod --backend cu124 --group notebook --name bench --display-name Bench --prefix /opt",
        "kernel list --prefix .",
        "kernel remove one two --prefix .",
        "new made --local-remotes",
        "completions zsh",
        "-C elsewhere -q --color never --message-format json --manifest-path Cargo.toml status",
        "status -C elsewhere --color always -vv --manifest-path pyproject.toml --offline",
    ] {
        parse(line).unwrap_or_else(|kind| panic!("`{line}`: {kind}"));
    }
}

#[test]
fn rejects_invalid_command_lines() {
    for (line, expected) in [
        ("", DisplayHelpOnMissingArgumentOrSubcommand),
        ("--help", DisplayHelp),
        ("sync --help", DisplayHelp),
        ("--version", DisplayVersion),
        ("synk", InvalidSubcommand),
        ("backend", DisplayHelpOnMissingArgumentOrSubcommand),
        ("backend cu124", InvalidSubcommand),
        ("kernel", DisplayHelpOnMissingArgumentOrSubcommand),
        ("kernel install bench", UnknownArgument),
        ("kernel install -- --no-editable", UnknownArgument),
        ("kernel install --frozen --locked", ArgumentConflict),
        ("kernel remove", MissingRequiredArgument),
        ("lock --profile", InvalidValue),
        ("lock --profile live", InvalidValue),
        ("lock --profile prod --all-profiles", ArgumentConflict),
        ("lock --profile prod --project prod", ArgumentConflict),
        ("lock --all-profiles --project prod", ArgumentConflict),
        ("lock --locked --upgrade", ArgumentConflict),
        ("lock --check -P six", ArgumentConflict),
        ("lock --backend cu124", UnknownArgument),
        ("sync --profile prod --project prod", ArgumentConflict),
        ("sync --profile prod --all-profiles", ArgumentConflict),
        ("run --profile prod --profile dev python", ArgumentConflict),
        ("sync --frozen --locked", ArgumentConflict),
        ("sync --allow-stale", MissingRequiredArgument),
        ("sync --all-packages --package a", ArgumentConflict),
        ("sync --extra -x", UnknownArgument),
        ("sync --extra=a/b", ValueValidation),
        ("sync --backend=--help", ValueValidation),
        ("sync plots", UnknownArgument),
        ("run", MissingRequiredArgument),
        ("run --no-sync", MissingRequiredArgument),
        ("status --backend cu124", UnknownArgument),
        ("new", MissingRequiredArgument),
        ("completions tcsh", InvalidValue),
        ("check prod", UnknownArgument),
        ("check --dry-run", MissingRequiredArgument),
        ("check --deny", InvalidValue),
        ("check --message-format yaml", InvalidValue),
        ("explain one two", UnknownArgument),
        ("status --message-format yaml", InvalidValue),
        ("status --message-format sarif", InvalidValue),
        ("--message-format github check", InvalidValue),
        ("status --color red", InvalidValue),
        ("-q -v status", ArgumentConflict),
    ] {
        assert_eq!(parse(line).map(|_| ()), Err(expected), "`{line}`");
    }
}

#[test]
fn arguments_after_the_command_of_run_belong_to_it() {
    for line in ["run -- python --profile prod -- -v", "run python --profile prod -- -v"] {
        let Ok(Command::Run(run)) = parse(line) else { panic!("`{line}`") };
        assert_eq!(run.profile.profile, None);
        assert_eq!(run.command, ["python", "--profile", "prod", "--", "-v"]);
    }
}

#[test]
fn each_command_has_examples_that_parse() {
    let cargo = Cargo::command();
    let mut commands = vec![cargo.find_subcommand("uvenv").unwrap()];
    while let Some(command) = commands.pop() {
        // A hidden one is for programs.
        let is_for_people = |command: &&clap::Command| command.get_name() != "help" && !command.is_hide_set();
        commands.extend(command.get_subcommands().filter(is_for_people));
        let examples = examples(command);
        assert!(!examples.is_empty(), "`{}` has no examples", command.get_name());
        for example in examples {
            assert!(command.get_name() == "uvenv" || example.contains(command.get_name()), "`{example}` is another's");
            parse(&example).unwrap_or_else(|kind| panic!("`{example}`: {kind}"));
        }
    }
}

/// Returns the examples in the help of a command, without their explanations and shell syntax.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines = help.lines().filter_map(|line| line.strip_prefix("  cargo uvenv "));
    let only_command = |line: &str| ["  ", " >", " |"].iter().fold(line, before).to_owned();
    lines.map(only_command).collect()
}

/// Returns the text before the first `end` in `text`.
fn before<'a>(text: &'a str, end: &&str) -> &'a str {
    text.split(end).next().unwrap_or(text)
}

#[test]
fn flags_override_environment_variables() {
    let variables = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Variables>();
    let global = |line: &str| {
        let words = ["cargo", "uvenv"].into_iter().chain(line.split_whitespace());
        let Ok(Cargo::Uvenv(cli)) = Cargo::try_parse_from(words) else { panic!("`{line}`") };
        cli.global
    };
    let quiet = variables(&[("CARGO_TERM_QUIET", "true")]);
    assert_eq!(global("status").verbosity(&quiet), Verbosity::Quiet);
    assert_eq!(global("status -v").verbosity(&quiet), Verbosity::Verbose(1));
    assert_eq!(global("status -q").verbosity(&variables(&[("CARGO_TERM_QUIET", "false")])), Verbosity::Quiet);
    assert_eq!(global("status").verbosity(&variables(&[])), Verbosity::Normal);
    let never = variables(&[("CARGO_TERM_COLOR", "never")]);
    assert_eq!(global("status").color(&never), Color::Never);
    assert_eq!(global("status --color always").color(&never), Color::Always);
    assert_eq!(global("status").color(&variables(&[("CARGO_TERM_COLOR", "")])), Color::Auto);
}

/// A command's own formats are recognized in the same place as the common ones, and so are formats given before the
/// command.
#[test]
fn message_format_may_come_before_or_after_the_command() {
    for (line, expected) in [
        ("check", MessageFormat::Human),
        ("check --message-format sarif", MessageFormat::Sarif),
        ("--message-format json check", MessageFormat::Json),
        ("--message-format json check --message-format github", MessageFormat::Github),
        ("status --message-format json", MessageFormat::Json),
    ] {
        let words = ["cargo", "uvenv"].into_iter().chain(line.split_whitespace());
        let Ok(Cargo::Uvenv(cli)) = Cargo::try_parse_from(words) else { panic!("`{line}`") };
        assert_eq!(cli.global.message_format, expected, "`{line}`");
    }
}
