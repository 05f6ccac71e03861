//! How `check` reports findings to people, programs and code hosts; its levels and fixes. The findings of the rules
//! are tested in the modules beside this one.

use camino::Utf8PathBuf;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};
use uvenv_tests::{Fixture, Outcome};

use super::{empty, pinned, three_profiles};

/// A monorepo without findings.
fn clean() -> Fixture {
    let repo = pinned().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    repo
}

/// A dev-release in prod and a stable release in staging; nothing is locked.
fn two_findings() -> Fixture {
    let repo = pinned().build();
    repo.replace(
        "staging/pyproject.toml",
        "print-utils.git\", tag = \"v0.1.2.dev0\"",
        "print-utils.git\", tag = \"v0.1.2\"",
    );
    repo.replace(
        "prod/pyproject.toml",
        "bench-utils.git\", tag = \"v0.1.2\"",
        "bench-utils.git\", tag = \"v0.1.2.dev0\"",
    );
    repo
}

const TWO: [&str; 2] = ["dev-tag-in-prod", "stable-tag-in-staging"];

/// The same, plus an unused source in dev, which `--fix` can fix.
fn one_to_mend() -> Fixture {
    let repo = two_findings();
    let manifest = repo.read("pyproject.toml");
    repo.write(
        "pyproject.toml",
        manifest.replace("[tool.uv.sources]\n", &format!("[tool.uv.sources] # ours\n{UNUSED}\n")),
    );
    repo
}

const UNUSED: &str = "extra = { git = \"https://git.example/extra\" } # not yet";

/// Reports only the two findings, without those of a monorepo that is not locked.
fn only_two(arguments: &[&str]) -> Vec<String> {
    ["check", "--allow", "missing-lockfile"].iter().chain(arguments).map(|&argument| argument.to_owned()).collect()
}

fn codes(report: &Value) -> Vec<(String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| (text(finding, "code"), text(finding, "severity"))).collect()
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(code, severity)| ((*code).to_owned(), (*severity).to_owned())).collect()
}

/// Runs `check`, which must end with this exit code.
fn checked(repo: &Fixture, arguments: &[String], status: i32) -> Value {
    repo.uvenv(arguments).arg_json().ends(status).report("check-finished")
}

#[test]
fn a_clean_monorepo_has_no_findings() {
    let repo = clean();
    let said = repo.untouched_by(|| repo.uvenv(["check"]).ok());
    assert_eq!(said.stdout(), "");
    assert_data_eq!(
        said.told(),
        str![[r#"
     Checked dev, staging, prod: no findings

"#]]
    );
    let report = checked(&repo, &["check".to_owned()], 0);
    assert_eq!(report["findings"], json!([]));
    assert_eq!(report["profiles"], json!(["dev", "staging", "prod"]));
    assert_eq!(report["root"], repo.root().as_str());
    assert_eq!((&report["remote"], &report["dry_run"]), (&json!(false), &json!(false)));
    repo.uvenv(["check", "--message-format", "github"]).ok();
}

#[test]
fn shows_findings_with_their_source_lines() {
    let repo = two_findings();
    let said = repo.untouched_by(|| repo.uvenv(only_two(&[])).ends(1));
    assert_eq!(said.stdout(), "");
    assert_data_eq!(
        said.told(),
        str![[r#"
warning[stable-tag-in-staging]: staging pins `print-utils` to `v0.1.2`, but 0.1.2 is not a dev release
  --> staging/pyproject.toml:12:81
   |
12 | print-utils = { git = "file://[ROOT]/remotes/print-utils.git", tag = "v0.1.2", subdirectory = "python" }
   |                                                                                 ^^^^^^^^
   |
   = help: promote its newest dev release with `cargo uvenv promote --to staging print-utils`

error[dev-tag-in-prod]: prod pins `bench-utils` to `v0.1.2.dev0`, but 0.1.2.dev0 is not a stable release
  --> prod/pyproject.toml:13:81
   |
13 | bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v0.1.2.dev0" }
   |                                                                                 ^^^^^^^^^^^^^
   |
   = help: promote its newest stable release with `cargo uvenv promote --to prod bench-utils`

     Checked dev, staging, prod: 1 error, 1 warning

"#]]
    );
}

#[test]
fn shows_related_places_in_other_files() {
    let repo = clean();
    repo.replace("prod/pyproject.toml", "bench-utils.git\", tag = \"v0.1.2\"", "bench-utils.git\", tag = \"v0.1.3\"");
    let said = repo.uvenv(["check", "--allow", "stale-lockfile"]).ok();
    assert_data_eq!(
        said.told(),
        str![[r#"
warning[staging-behind-prod]: staging pins `bench-utils` to `v0.1.2.dev0`, which is older than prod's `v0.1.3`
  --> staging/pyproject.toml:13:81
   |
13 | bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v0.1.2.dev0" }
   |                                                                                 ^^^^^^^^^^^^^
   |
  ::: prod/pyproject.toml:13:81
   |
13 | bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v0.1.3" }
   |                                                                                 -------- prod pins it here
   |
   = help: promote its newest dev release with `cargo uvenv promote --to staging bench-utils`

     Checked dev, staging, prod: 1 warning

"#]]
    );
    let report = repo.uvenv(["check", "--allow", "stale-lockfile"]).json().report("check-finished");
    let related = &report["findings"][0]["related"][0];
    assert_eq!(related["file"], repo.root().join("prod/pyproject.toml").as_str());
    assert_eq!((&related["line"], &related["message"]), (&json!(13), &json!("prod pins it here")));
}

#[test]
fn quiet_shows_only_errors() {
    let repo = two_findings();
    let said = repo.uvenv(only_two(&["--quiet"])).ends(1);
    assert!(said.stderr().contains("error[dev-tag-in-prod]"), "{said}");
    assert!(!said.stderr().contains("stable-tag-in-staging") && !said.stderr().contains("Checked"), "{said}");
    let said = repo.uvenv(only_two(&["--quiet", "--allow", "dev-tag-in-prod"])).ok();
    assert_eq!((said.stdout(), said.stderr()), ("", ""));
}

/// A file that cannot be read does not hide other findings.
#[test]
fn one_run_reports_all_findings_despite_unreadable_files() {
    let repo = one_to_mend();
    repo.write("staging/pyproject.toml", "[project]\nname = \"bench-staging\"\nversion = 1\n");
    repo.write("prod/uv.lock", "version = 1\n[[package]]\nname = \"six\"\n");
    let report = checked(&repo, &only_two(&[]), 1);
    let found = codes(&report);
    for code in ["invalid-value", "damaged-lockfile", "dev-tag-in-prod"] {
        assert!(found.contains(&(code.to_owned(), "error".to_owned())), "{code}: {report}");
    }
    assert!(found.contains(&("unused-source".to_owned(), "warning".to_owned())), "{report}");
    assert_eq!((&report["errors"], &report["warnings"]), (&json!(3), &json!(1)), "{report}");
    let unreadable = report["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "invalid-value");
    let unreadable = unreadable.unwrap();
    assert_eq!((&unreadable["profile"], &unreadable["line"]), (&json!("staging"), &json!(3)));
    assert_eq!(unreadable["file"], repo.root().join("staging/pyproject.toml").as_str());
}

#[test]
fn profile_option_limits_the_findings() {
    let repo = two_findings();
    let of = |profile: &str, status| codes(&checked(&repo, &only_two(&["--profile", profile]), status));
    assert_eq!(of("dev", 0), []);
    assert_eq!(of("staging", 0), expected(&[("stable-tag-in-staging", "warning")]));
    assert_eq!(of("prod", 1), expected(&[("dev-tag-in-prod", "error")]));
    let report = checked(&repo, &only_two(&["--profile", "prod", "--profile", "staging"]), 1);
    assert_eq!(report["profiles"], json!(["staging", "prod"]));
    assert_eq!(codes(&report).len(), 2);
    let only_dev = empty().build();
    only_dev.uvenv(["check", "--profile", "prod"]).refused("unknown-profile");
}

#[test]
fn options_override_configured_levels() {
    let repo = one_to_mend();
    let both = |arguments: &[&str], status| {
        codes(&checked(&repo, &only_two(&[&["--allow", "unused-source"], arguments].concat()), status))
    };
    let [prod, staging] = TWO;
    let found = both(&[], 1);
    assert!(
        found.len() == 2 && expected(&[(prod, "error"), (staging, "warning")]).iter().all(|one| found.contains(one))
    );
    assert_eq!(both(&["--allow", prod, "--deny", staging], 1), expected(&[(staging, "error")]));
    assert_eq!(both(&["--warn", prod, "--allow", staging], 0), expected(&[(prod, "warning")]));
    assert_eq!(both(&["--allow", prod, "--allow", staging], 0), []);

    let manifest = repo.read("pyproject.toml");
    let configured = |table: &str| repo.write("pyproject.toml", format!("{manifest}\n[tool.uvenv.check]\n{table}\n"));
    configured("allow = [\"stable-tag-in-staging\", \"unused-source\"]\nwarn = [\"dev-tag-in-prod\"]");
    assert_eq!(both(&[], 0), expected(&[(prod, "warning")]));
    assert_eq!(both(&["--allow", prod, "--deny", staging], 1), expected(&[(staging, "error")]));
    assert_eq!(both(&["--deny", prod, "--deny", prod], 1), expected(&[(prod, "error")]));
    // Other commands that report unused sources follow the levels too.
    let said = repo.uvenv(["lock", "--dry-run"]).run();
    assert!(!said.stderr().contains("unused-source"), "{said}");
    configured("");
    let said = repo.uvenv(["lock", "--dry-run"]).run();
    assert!(said.stderr().contains("warning[unused-source]"), "{said}");
}

#[test]
fn rejects_remote_when_offline() {
    let repo = pinned().build();
    repo.uvenv(["check", "--remote", "--offline"]).refused("no-network");
    repo.uvenv(["check", "--remote"]).env("UV_OFFLINE", "1").refused("no-network").helps(["UV_OFFLINE"]);
}

#[test]
fn rejects_invalid_levels() {
    let repo = two_findings();
    let refusal = repo.uvenv(["check", "--deny", "dev_tag_in_prd"]).refused("unknown-code");
    refusal.names(["dev_tag_in_prd"]).helps(["`dev-tag-in-prod`"]);
    repo.uvenv(["check", "--allow", "something-else-altogether"])
        .refused("unknown-code")
        .helps(["cargo uvenv explain"]);
    let refusal = repo.uvenv(["check", "--deny", "unused-source", "--allow", "unused-source"]).refused("two-levels");
    refusal.names(["unused-source", "allow", "deny"]);

    let manifest = repo.read("pyproject.toml");
    let line = u64::try_from(manifest.lines().count()).unwrap();
    let configured = |table: &str| repo.write("pyproject.toml", format!("{manifest}[tool.uvenv.check]\n{table}\n"));
    configured("warn = [\"tag-prefix\"]\ndeny = [\n  \"unused_sources\",\n]");
    repo.uvenv(["check"]).refused("unknown-code").helps(["`unused-source`"]).points_to("pyproject.toml", line + 4);
    configured("warn = [\"tag-prefix\"]\ndeny = [\"unused-source\", \"tag-prefix\"]");
    repo.uvenv(["check"]).refused("two-levels").points_to("pyproject.toml", line + 3);
    configured("forbid = []");
    repo.uvenv(["check"]).refused("unknown-key").points_to("pyproject.toml", line + 2);
    configured("deny = \"unused-source\"");
    repo.uvenv(["check"]).refused("invalid-value").points_to("pyproject.toml", line + 2);
}

/// A monorepo below the root of its git repository, in a folder whose name must be escaped in a URI.
fn below(format: &str) -> (Fixture, Outcome) {
    let repo = two_findings();
    repo.program("git", ["init", "-q", repo.temporary().as_str()]).ok();
    let elsewhere = repo.temporary().join("mono repo");
    std::fs::rename(repo.root(), &elsewhere).unwrap();
    let arguments = only_two(&["--message-format", format, "--directory", elsewhere.as_str()]);
    let said = repo.uvenv(arguments).within(repo.temporary().as_str()).ends(1);
    (repo, said)
}

#[test]
fn sarif_has_rules_results_and_repository_paths() {
    let (_repo, said) = below("sarif");
    let log: Value = serde_json::from_str(said.stdout()).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "uvenv");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (2, 2), "{log:#}");
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
        assert!(rule["help"]["markdown"].as_str().unwrap().len() > 20, "{rule}");
    }
    let pin = results.iter().find(|result| result["ruleId"] == "dev-tag-in-prod").unwrap();
    assert!(pin["message"]["text"].as_str().unwrap().contains("\nhelp: "), "{pin}");
    let location = &pin["locations"][0]["physicalLocation"];
    assert_eq!(
        location["artifactLocation"],
        json!({ "uri": "mono%20repo/prod/pyproject.toml", "uriBaseId": "%SRCROOT%" })
    );
    let region = &location["region"];
    // The tag with its quotes, counted from one.
    assert_eq!(region["endColumn"].as_u64().unwrap() - region["startColumn"].as_u64().unwrap(), 13, "{region}");
    assert_eq!(region["startLine"], region["endLine"]);
}

#[test]
fn github_format_prints_workflow_commands() {
    let (repo, said) = below("github");
    let manifest = std::fs::read_to_string(repo.temporary().join("mono repo/prod/pyproject.toml")).unwrap();
    let (line, text) = manifest.lines().enumerate().find(|(_, text)| text.contains("\"v0.1.2.dev0\"")).unwrap();
    let (line, column) = (line + 1, text.find("\"v0.1.2.dev0").unwrap() + 1);
    let place =
        format!("file=mono repo/prod/pyproject.toml,line={line},endLine={line},col={column},endColumn={}", column + 13);
    let command = format!("::error {place},title=dev-tag-in-prod::");
    assert!(said.stdout().lines().any(|line| line.starts_with(&command)), "{command}\n{said}");
    assert!(
        said.stdout().lines().any(|line| line.starts_with("::warning file=mono repo/staging/pyproject.toml,")),
        "{said}"
    );
    // Each finding is one line, so that no part of it can be read as another command.
    assert_eq!(said.stdout().lines().count(), 2, "{said}");
    assert!(said.stdout().contains("%0Ahelp: "), "{said}");
    assert!(said.stderr().contains("1 error, 1 warning"), "{said}");
}

#[test]
fn other_commands_reject_sarif_and_github_formats() {
    let repo = empty().build();
    repo.uvenv(["status", "--message-format", "sarif"]).ends(2);
    repo.uvenv(["--message-format", "github", "status"]).ends(2);
    let before = repo.uvenv(["--message-format", "json", "check"]).run().report("check-finished");
    let behind = repo.uvenv(["check", "--message-format", "json"]).run().report("check-finished");
    assert_eq!(before, behind);
    // Errors are plain text.
    let said = repo.uvenv(["check", "--message-format", "sarif", "--deny", "nothing"]).ends(2);
    assert_eq!(said.stdout(), "");
    assert!(said.stderr().contains("error[unknown-code]"), "{said}");
}

#[test]
fn masks_secrets_in_every_format() {
    let repo = two_findings();
    let manifest = repo.read("prod/pyproject.toml");
    let manifest = manifest.replace("file://", "https://t0ken:x-oauth-basic@host").replace("bench-utils =", "unused =");
    repo.write("prod/pyproject.toml", manifest);
    for format in ["human", "json", "sarif", "github"] {
        let said = repo.uvenv(["check", "--message-format", format]).ends(1);
        assert!(!said.stdout().contains("t0ken") && !said.stderr().contains("t0ken"), "{format}: {said}");
        let said = repo.uvenv(["check", "--fix", "--dry-run", "--message-format", format]).ends(1);
        assert!(!said.stdout().contains("t0ken") && !said.stderr().contains("t0ken"), "{format}: {said}");
    }
}

/// The fixed dev manifest of `one_to_mend`.
fn fixed(repo: &Fixture) -> String {
    let manifest = repo.read("pyproject.toml");
    let line = manifest.split_inclusive('\n').find(|line| line.starts_with(UNUSED)).unwrap();
    manifest.replace(line, "")
}

#[test]
fn fix_fixes_what_it_can_and_reports_the_rest() {
    let repo = one_to_mend();
    let (dev, prod) = (fixed(&repo), repo.read("prod/pyproject.toml"));
    let said = repo.uvenv(only_two(&["--fix"])).ends(1);
    assert_eq!(repo.read("pyproject.toml"), dev);
    assert_eq!(repo.read("prod/pyproject.toml"), prod);
    assert!(said.stderr().contains("Fixed unused-source: "), "{said}");
    assert!(said.stderr().contains("Checked dev, staging, prod: 1 error, 1 warning\n"), "{said}");

    let again = repo.untouched_by(|| checked(&repo, &only_two(&["--fix"]), 1));
    assert_eq!((&again["fixed"], &again["changes"]), (&json!([]), &json!([])));
    assert_eq!((&again["errors"], &again["warnings"]), (&json!(1), &json!(1)));
}

#[test]
fn fix_keeps_line_endings() {
    let repo = one_to_mend();
    repo.write("pyproject.toml", repo.read("pyproject.toml").replace('\n', "\r\n"));
    let dev = fixed(&repo);
    repo.uvenv(only_two(&["--fix", "--allow", "dev-tag-in-prod"])).ok();
    assert_eq!(repo.read("pyproject.toml"), dev);
}

#[test]
fn fix_reports_its_changes_as_json() {
    let repo = one_to_mend();
    let report = checked(&repo, &only_two(&["--fix"]), 1);
    assert_eq!(report["fixed"][0]["code"], "unused-source");
    assert_eq!(report["fixed"].as_array().unwrap().len(), 1, "{report}");
    let changes = report["changes"].as_array().unwrap();
    let files: Vec<_> = changes.iter().map(|change| Utf8PathBuf::from(change["file"].as_str().unwrap())).collect();
    assert_eq!(files, [repo.root().join("pyproject.toml")]);
}

/// The diff shows what `--fix` does: if git applies it, the files are the same.
#[test]
fn fix_dry_run_prints_a_diff_that_git_applies() {
    for newline in ["\n", "\r\n"] {
        let repo = one_to_mend();
        repo.write("pyproject.toml", repo.read("pyproject.toml").replace('\n', newline).trim_end());
        let dev = fixed(&repo);
        let report = repo.untouched_by(|| checked(&repo, &only_two(&["--fix", "--dry-run"]), 1));
        assert_eq!((&report["dry_run"], &report["fixed"][0]["code"]), (&json!(true), &json!("unused-source")));
        assert_eq!(report["warnings"], 2, "it is still so");

        let said = repo.untouched_by(|| repo.uvenv(only_two(&["--fix", "--dry-run"])).ends(1));
        assert!(said.stderr().contains("(1 fixable with `--fix`)"), "{said}");
        let patch = repo.temporary().join("patch");
        std::fs::write(&patch, said.stdout()).unwrap();
        repo.program("git", ["apply", patch.as_str()]).ok();
        assert_eq!(repo.read("pyproject.toml"), dev);
    }
}

#[test]
fn does_not_fix_findings_that_are_not_reported() {
    let repo = one_to_mend();
    repo.untouched_by(|| repo.uvenv(only_two(&["--fix", "--allow", "unused-source"])).ends(1));
    repo.untouched_by(|| repo.uvenv(only_two(&["--fix", "--profile", "prod"])).ends(1));
}

#[test]
fn explain_prints_the_explanation_of_a_code() {
    let repo = empty().build();
    let said = repo.uvenv(["explain", "dev-tag-in-prod"]).within("..").ok();
    assert!(said.stdout().starts_with("error[dev-tag-in-prod]: "), "{said}");
    assert!(said.stdout().contains("stable releases"), "{said}");
    let said = repo.uvenv(["explain", "broken-environment"]).ok();
    assert!(said.stdout().starts_with("error[broken-environment]: "), "{said}");
    let report = repo.uvenv(["explain", "other-runner"]).json().report("explanation");
    assert_eq!((&report["code"], &report["severity"]), (&json!("other-runner"), &json!("warning")));
    repo.uvenv(["explain", "other-runer"]).refused("unknown-code").helps(["`other-runner`"]);

    let list = repo.uvenv(["explain"]).ok();
    let reports = repo.uvenv(["explain"]).json().reports();
    assert!(reports.len() > 60, "{}", reports.len());
    for report in reports {
        let code = report["code"].as_str().unwrap();
        assert!(list.stdout().lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}\n{list}");
    }
}

/// The example, and a monorepo with backends.
#[test]
fn new_monorepo_has_no_findings() {
    let repo = empty().build();
    let path = repo.temporary().join("bench");
    repo.uvenv(["new", path.as_str(), "--local-remotes"]).ok();
    repo.uvenv(["lock", "--all-profiles"]).within(path.as_str()).ok();
    let report = repo.uvenv(["check"]).within(path.as_str()).json().report("check-finished");
    assert_eq!(report["findings"], json!([]), "{report:#}");
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    assert_eq!(checked(&repo, &["check".to_owned()], 0)["findings"], json!([]));
}
