//! Several profiles at the same time: they run in parallel, their output is not mixed, and Ctrl-C ends all of them.

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use uvenv_tests::{Fixture, GitServer, Invocation, cargo_uvenv};

use super::{empty, pinned, three_profiles};

/// The manifest of a profile that pins one package.
fn pinning(profile: &str, package: &str, url: &str, tag: &str) -> String {
    format!(
        "[project]\nname = \"bench-{profile}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\
         dependencies = [\"{package}\"]\n\n[tool.uv]\npackage = false\n\n\
         [tool.uv.sources]\n{package} = {{ git = \"{url}\", tag = \"{tag}\" }}\n"
    )
}

/// Two packages: staging takes one, prod the other.
fn one_each(server: impl Fn(&Fixture) -> GitServer) -> (Fixture, GitServer) {
    let repo = empty().package("bench-utils").package("print-utils").remotes().build();
    let server = server(&repo);
    repo.write("staging/pyproject.toml", pinning("staging", "bench-utils", &server.url("bench-utils"), "v0.1.2.dev0"));
    repo.write("prod/pyproject.toml", pinning("prod", "print-utils", &server.url("print-utils"), "v0.1.2"));
    (repo, server)
}

/// A server that answers only after two clients have connected, which fails if the uv processes run one at a time.
fn for_two(repo: &Fixture) -> GitServer {
    GitServer::for_many(repo.temporary().join("remotes"), 2)
}

/// `command` with an empty uv cache.
fn cold<'a>(repo: &Fixture, command: Invocation<'a>) -> Invocation<'a> {
    command.env("UV_CACHE_DIR", repo.temporary().join("uv-cache"))
}

const BOTH: [&str; 4] = ["--profile", "staging", "--profile", "prod"];

/// The profiles of the messages with this `reason`.
fn profiles_of(reports: &[Value], reason: &str) -> BTreeSet<String> {
    let of = reports.iter().filter(|report| report["reason"] == reason);
    let profiles: Vec<_> = of.map(|report| report["profile"].as_str().expect("a profile").to_owned()).collect();
    let distinct: BTreeSet<_> = profiles.iter().cloned().collect();
    assert_eq!(profiles.len(), distinct.len(), "each once: {profiles:?}");
    distinct
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn locks_and_syncs_several_profiles_in_parallel() {
    let (repo, server) = one_each(for_two);
    let locked = cold(&repo, repo.uvenv(["lock"]).args(BOTH)).json();
    assert!(server.has_served_all_together(), "one waited for the other: {locked}");
    assert_eq!(profiles_of(&locked.reports(), "lock-finished"), names(["staging", "prod"]));

    server.close();
    let synced = repo.uvenv(["sync"]).args(BOTH).json();
    assert!(server.has_served_all_together(), "one waited for the other: {synced}");
    assert_eq!(profiles_of(&synced.reports(), "sync-finished"), names(["staging", "prod"]));
    repo.assert_from_tag("staging", "v0.1.2.dev0", &["bench-utils"]);
    repo.assert_from_tag("prod", "v0.1.2", &["print-utils"]);
}

#[test]
fn second_sync_of_all_profiles_changes_nothing() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    let arguments = ["sync", "--all-profiles", "--backend", "cu124"];
    let all = names(["dev", "staging", "prod"]);
    let planned = repo.untouched_by(|| repo.uvenv(arguments).args(["--dry-run"]).json());
    assert_eq!(profiles_of(&planned.reports(), "sync-planned"), all);
    assert_eq!(profiles_of(&repo.uvenv(arguments).json().reports(), "sync-finished"), all);
    for profile in ["dev", "staging", "prod"] {
        assert_eq!(repo.environment(profile).version("torch").as_deref(), Some("2.6.0+cu124"), "{profile}");
    }
    // A second command uses what the first one recorded.
    repo.uvenv(arguments).ok();
    let again = repo.uvenv(arguments).json().reports();
    assert_eq!(profiles_of(&again, "sync-finished"), all);
    assert!(again.iter().all(|report| report["changed"] == false), "{again:#?}");
    #[cfg(target_os = "linux")]
    assert!(again.iter().all(|report| report["uv_invoked"] == false), "{again:#?}");
}

#[test]
fn processes_a_profile_named_twice_only_once() {
    let repo = pinned().build();
    let reports = repo.uvenv(["lock", "--profile", "prod", "--profile", "prod"]).json().reports();
    assert_eq!(profiles_of(&reports, "lock-finished"), names(["prod"]));
}

/// The lines between the heading of each profile and the next.
fn blocks<'a>(stderr: &'a str, verb: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in stderr.lines() {
        match (line.trim_start().strip_prefix(verb), blocks.last_mut()) {
            (Some(profile), _) => blocks.push((profile.trim(), Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => panic!("`{line}` is nobody's"),
        }
    }
    blocks
}

#[test]
fn output_of_each_profile_is_one_block() {
    let repo = pinned().build();
    let outcome = repo.uvenv(["lock", "--all-profiles", "-v"]).ok();
    let blocks = blocks(outcome.stderr(), "Locking ");
    assert_eq!(
        blocks.iter().map(|(profile, _)| (*profile).to_owned()).collect::<BTreeSet<_>>(),
        names(["dev", "staging", "prod"])
    );
    for (profile, lines) in &blocks {
        let said = |start: &str| lines.iter().filter(|line| line.trim_start().starts_with(start)).count();
        assert_eq!((said("Running "), said("Resolved "), said("Locked ")), (1, 1, 1), "{profile}: {lines:#?}");
        let directory = if *profile == "dev" { repo.root() } else { repo.root().join(profile) };
        assert!(lines[0].contains(&format!("--project {directory}")), "{profile}: {lines:#?}");
        assert!(
            lines.last().is_some_and(|line| line.contains(&format!("Locked {profile} ("))),
            "{profile}: {lines:#?}"
        );
    }
    assert_eq!(outcome.stdout(), "");
    assert_eq!(repo.uvenv(["lock", "--all-profiles", "-q"]).ok().stderr(), "");
}

#[test]
fn failing_profile_does_not_stop_the_others() {
    let repo = pinned().build();
    repo.replace("staging/pyproject.toml", "v0.1.2.dev0", "v9.9.9");
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"no-such-package-at-all\", ");
    let reports = repo.uvenv(["lock", "--all-profiles"]).arg_json().ends(1).reports();
    assert_eq!(profiles_of(&reports, "lock-finished"), names(["prod"]));
    let codes: BTreeSet<_> = reports.iter().filter_map(|report| report["code"].as_str()).collect();
    assert_eq!(codes, BTreeSet::from(["missing-tag", "uv-failed"]), "{reports:#?}");
    assert!(repo.root().join("prod/uv.lock").exists());
    assert!(!repo.root().join("uv.lock").exists() && !repo.root().join("staging/uv.lock").exists());

    let outcome = repo.uvenv(["lock", "--all-profiles", "-q"]).ends(1);
    let blocks = blocks(outcome.stderr(), "Locking ");
    let of = |profile: &str| blocks.iter().find(|(of, _)| *of == profile).expect("a block").1.join("\n");
    assert_eq!(blocks.len(), 2, "{outcome}");
    assert!(of("staging").contains("error[missing-tag]"), "{outcome}");
    // The error does not repeat uv's output.
    assert_eq!(of("dev").matches("no-such-package-at-all was not found").count(), 1, "{outcome}");
    assert!(of("dev").contains("error[uv-failed]"), "{outcome}");
}

#[test]
fn usage_error_in_one_profile_sets_the_exit_code() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "dev", "--profile", "prod"]).ok();
    repo.replace("prod/pyproject.toml", "cu128", "cu126");
    let reports = repo.uvenv(["sync", "--all-profiles", "--backend", "cu128"]).arg_json().ends(2).reports();
    assert_eq!(profiles_of(&reports, "sync-finished"), names(["dev"]));
    let codes: BTreeSet<_> = reports.iter().filter_map(|report| report["code"].as_str()).collect();
    assert_eq!(codes, BTreeSet::from(["missing-lockfile", "unknown-backend"]), "{reports:#?}");
}

#[test]
fn rejects_profiles_that_would_share_an_environment() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    let shared = repo.temporary().join("shared");
    repo.untouched_by(|| {
        let refused = |environment: &str| {
            let sync = repo.uvenv(["sync", "--all-profiles"]).env("UV_PROJECT_ENVIRONMENT", environment);
            sync.refused("invalid-arguments")
        };
        refused(shared.as_str()).names(["UV_PROJECT_ENVIRONMENT", "dev and staging", shared.as_str()]);
        refused("../shared").names(["staging and prod", repo.root().join("shared").as_str()]).helps(["one profile"]);
    });
    assert!(!shared.exists());
    repo.uvenv(["sync", "--profile", "dev"]).env("UV_PROJECT_ENVIRONMENT", &shared).ok();
    repo.uvenv(["sync", "--all-profiles"]).env("UV_PROJECT_ENVIRONMENT", "own").ok();
    assert!(repo.root().join("prod/own").exists());
}

#[test]
fn terminal_shows_one_line_per_profile() {
    let (repo, server) = one_each(for_two);
    let on_terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let run = repo.program("python3", ["-c", on_terminal, cargo_uvenv().as_str(), "lock"]).args(BOTH);
    let outcome = cold(&repo, run).env("TERM", "xterm-256color").ok();
    assert!(server.has_served_all_together(), "{outcome}");
    let shown = outcome.stdout();
    for profile in ["staging", "prod"] {
        // A progress line is padded to the width of the terminal; a heading ends with the name.
        let line = [format!("Locking {profile}    "), format!("Locking {profile}: ")];
        assert!(line.iter().any(|line| shown.contains(line)), "{profile}: {shown:?}");
        assert!(shown.contains(&format!(" {profile} ({profile}/uv.lock): 2 packages changed")), "{shown:?}");
    }
}

#[test]
fn ctrl_c_stops_all_profiles() {
    let (repo, server) = one_each(|repo| GitServer::of(repo.temporary().join("remotes")));
    for (profile, package) in [("staging", "bench-utils"), ("prod", "print-utils")] {
        let url = server.url(&format!("hangs/{profile}"));
        repo.write(format!("{profile}/pyproject.toml"), pinning(profile, package, &url, "v0.1.2"));
    }
    let mut lock = cold(&repo, repo.uvenv(["lock"]).args(BOTH)).start();
    let deadline = Instant::now() + Duration::from_mins(1);
    let wait_until = |what: &str, is_so: &mut dyn FnMut() -> bool| {
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}");
            thread::sleep(Duration::from_millis(5));
        }
    };
    let mut asked = BTreeSet::new();
    wait_until("both ask", &mut || {
        asked.extend(server.take_requests());
        ["staging", "prod"].iter().all(|profile| asked.iter().any(|path| path.contains(profile)))
    });
    let group = lock.id();
    let kill = |signal: &str| repo.program("sh", ["-c", &format!("kill -{signal} -{group}")]).run().status() == Some(0);
    assert!(kill("INT"));
    assert_eq!(lock.wait().unwrap().signal(), Some(2));
    wait_until("all have ended", &mut || !kill("0"));
}
