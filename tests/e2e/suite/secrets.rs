//! No command prints credentials, whatever URL they are in.

use uvenv_tests::{Fixture, Outcome};

use super::pinned;

/// Parts of credentials. None of them must ever be shown.
const SECRETS: [&str; 3] = ["s3cret", "t0ken", "hunter"];

/// URLs of a server that answers nobody, with credentials in every form.
fn urls() -> Vec<String> {
    let credentials = [
        "ann:s3cret",
        "t0ken",
        "t0ken:x-oauth-basic",
        ":s3cret",
        "t0ken:",
        "ann%40team:s3cret",
        "ann:s3c%72et-s3cret",
        "ann:hunter@s3cret",
        "ann:hunter:s3cret",
        "ann:s3cret!$&'()*+,;=",
        "ann:hunter/s3cret",
        "ann:hunter?s3cret",
        "ann:hunter#s3cret",
    ];
    let hosts = ["127.0.0.1:9", "[::1]:9"];
    let schemes = ["http", "HTTP"];
    let url = |(scheme, credentials, host)| format!("{scheme}://{credentials}@{host}/team/package.git");
    let all = schemes.into_iter().flat_map(|scheme| {
        credentials.into_iter().flat_map(move |credentials| hosts.map(|host| (scheme, credentials, host)))
    });
    all.map(url).collect()
}

fn assert_silent(outcome: &Outcome, command: &[&str]) {
    for secret in SECRETS {
        let said = [outcome.stdout(), outcome.stderr()];
        assert!(!said.iter().any(|text| text.contains(secret)), "{command:?} says {secret}: {outcome}");
    }
}

/// Runs a command in the terse and the most talkative way.
fn run(repo: &Fixture, command: &[&str]) -> usize {
    for format in [&[][..], &["-v", "-v", "--message-format", "json"]] {
        let command = [format, command].concat();
        assert_silent(&repo.uvenv(&command).run(), &command);
    }
    2
}

/// Commands that read a manifest and its sources.
const COMMANDS: [&[&str]; 17] = [
    &["lock", "--profile", "prod"],
    &["lock", "--profile", "prod", "--locked"],
    &["lock", "--all-profiles"],
    &["sync", "--profile", "prod"],
    &["sync", "--profile", "prod", "--frozen"],
    &["sync", "--profile", "prod", "--frozen", "--allow-stale"],
    &["sync", "--profile", "prod", "--dry-run"],
    &["run", "--profile", "prod", "--", "python", "-c", "pass"],
    &["env", "--profile", "prod"],
    &["status"],
    &["check"],
    &["check", "--remote"],
    &["check", "--fix", "--dry-run"],
    &["promote", "--profile", "prod", "--dry-run"],
    &["diff", "staging", "prod"],
    &["backend", "list"],
    &["kernel", "install", "--profile", "prod"],
];

#[test]
fn no_command_prints_credentials_of_any_url() {
    let urls = urls();
    assert!(urls.len() > 50, "{}", urls.len());
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let manifest = repo.read("prod/pyproject.toml");
    let lockfile = repo.lockfile("prod");
    let remote = format!("file://{}", repo.remote("bench-utils"));
    let mut count = 0;
    // All of them in one manifest, which has a finding for each.
    let sources = urls.iter().enumerate().fold(String::new(), |sources, (number, url)| {
        sources + &format!("unused-{number} = {{ git = '''{url}''', tag = \"v1\" }}\n")
    });
    repo.write(
        "prod/pyproject.toml",
        manifest.replace("[tool.uv.sources]\n", &format!("[tool.uv.sources]\n{sources}")),
    );
    for command in COMMANDS {
        count += run(&repo, command);
    }
    // Each where something needs it: as a git source, an index, and a variable.
    for (number, url) in urls.iter().enumerate() {
        let in_toml = url.replace('\'', "%27");
        repo.write("prod/pyproject.toml", manifest.replace(&remote, &in_toml));
        repo.write("prod/uv.lock", lockfile.replace(&remote, &in_toml));
        count += run(&repo, COMMANDS[number % COMMANDS.len()]);
        repo.write("prod/uv.lock", &lockfile);
        let index = format!("\n[[tool.uv.index]]\nname = \"private\"\nurl = '{in_toml}'\ndefault = true\n");
        repo.write("prod/pyproject.toml", manifest.clone() + &index);
        let command = [&["-v"], COMMANDS[(number + 1) % COMMANDS.len()]].concat();
        assert_silent(&repo.uvenv(&command).run(), &command);
        repo.write("prod/pyproject.toml", &manifest);
        let command = ["-v", "lock", "--profile", "prod", "--upgrade"];
        assert_silent(&repo.uvenv(command).env("UV_DEFAULT_INDEX", url).run(), &command);
        count += 2;
    }
    assert!(count > 200, "{count} commands");
}
