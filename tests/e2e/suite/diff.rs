//! Differences between two profiles, now and at a git revision.

use snapbox::{assert_data_eq, str};
use uvenv_tests::Fixture;

use super::{pinned, three_profiles};

fn git(repo: &Fixture, arguments: &[&str]) -> String {
    repo.program("git", arguments).ok().stdout().trim().to_owned()
}

#[test]
fn shows_tags_and_commits_that_differ() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    let said = repo.uvenv(["diff", "staging", "prod"]).ok();
    assert_data_eq!(
        said.shown(),
        str![[r#"
 internal package  staging                 prod
 bench-utils       v0.1.2.dev0 ([COMMIT])  v0.1.2 ([COMMIT])
 print-utils       v0.1.2.dev0 ([COMMIT])  v0.1.2 ([COMMIT])

"#]]
    );
    let report = repo.uvenv(["diff", "staging", "prod"]).json().report("diff-finished");
    let bench = &report["internal"][0];
    assert_eq!((&bench["name"], &bench["to"]["reference"]), (&"bench-utils".into(), &"v0.1.2".into()));
    assert_eq!(bench["from"]["commit"], repo.tag_commit("bench-utils", "v0.1.2.dev0"));
    assert_eq!(bench["to"]["version"], "0.1.2");
    assert!(report["python"].is_null() && report["packages"].as_array().unwrap().is_empty(), "{report}");
}

#[test]
fn compares_a_profile_with_an_earlier_revision() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    git(&repo, &["init", "--quiet"]);
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "--quiet", "--message", "all"]);
    git(&repo, &["tag", "v1.0"]);
    let said = repo.uvenv(["diff", "prod@v1.0..prod"]).ok();
    assert_data_eq!(
        said.shown(),
        str![[r#"
prod@v1.0 and prod do not differ.

"#]]
    );

    repo.replace("prod/pyproject.toml", "bench-utils.git\", tag = \"v0.1.2\"", "bench-utils.git\", tag = \"v0.1.3\"");
    repo.replace("prod/pyproject.toml", "requires-python = \">=3.9\"", "requires-python = \">=3.10\"");
    repo.replace("prod/pyproject.toml", "cu128 = [\"torch==2.6.0\"]", "cu128 = [\"torch>=2.6.0\"]");
    repo.replace("prod/pyproject.toml", "dependencies = [", "dependencies = [\"six==1.17.0\", ");
    let said = repo.uvenv(["diff", "prod@v1.0"]).ok();
    assert_data_eq!(
        said.shown(),
        str![[r#"
 internal package  prod@v1.0          prod
 bench-utils       v0.1.2 ([COMMIT])  v0.1.3 (not locked)

 backend  prod@v1.0                                                                      prod
 cu128    torch==2.6.0, torch from [INDEX]/cu128/simple  torch>=2.6.0, torch from [INDEX]/cu128/simple

         prod@v1.0  prod
 Python  >=3.9      >=3.10

"#]]
    );
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let said = repo.uvenv(["diff", "prod@v1.0", "prod", "--message-format", "markdown"]).ok();
    assert_data_eq!(
        said.shown(),
        str![[r#"
### `prod@v1.0` → `prod`

| internal package | `prod@v1.0` | `prod` |
| --- | --- | --- |
| `bench-utils` | `v0.1.2 ([COMMIT])` | `v0.1.3 ([COMMIT])` |

| package | `prod@v1.0` | `prod` |
| --- | --- | --- |
| `six` | - | `1.17.0` |

| backend | `prod@v1.0` | `prod` |
| --- | --- | --- |
| `cu128` | `torch==2.6.0, torch from [INDEX]/cu128/simple` | `torch>=2.6.0, torch from [INDEX]/cu128/simple` |

|  | `prod@v1.0` | `prod` |
| --- | --- | --- |
| `Python` | `>=3.9` | `>=3.10` |

"#]]
    );
}

#[test]
fn shows_the_directories_of_dev_packages() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "dev", "--profile", "prod"]).ok();
    let report = repo.uvenv(["diff", "dev", "prod"]).json().report("diff-finished");
    assert_eq!(report["internal"][0]["from"]["directory"], "packages/bench-utils", "{report}");
    assert_eq!(report["internal"].as_array().unwrap().len(), 2);
    // A profile without a lockfile is compared by its manifest alone.
    let report = repo.uvenv(["diff", "staging", "prod"]).json().report("diff-finished");
    assert_eq!((&report["from"]["is_locked"], &report["to"]["is_locked"]), (&false.into(), &true.into()));
    assert_eq!(report["internal"][0]["from"]["reference"], "v0.1.2.dev0");
}

#[test]
fn rejects_invalid_comparisons() {
    let repo = pinned().build();
    git(&repo, &["init", "--quiet"]);
    git(&repo, &["commit", "--quiet", "--allow-empty", "--message", "none"]);
    for arguments in [["diff", "prod", "production"], ["diff", "prod", "prod"], ["diff", "prod@", "prod"]] {
        repo.uvenv(arguments).refused("invalid-comparison");
    }
    repo.uvenv(["diff", "prod"]).refused("invalid-comparison");
    repo.uvenv(["diff", "prod@-x"]).refused("invalid-comparison");
    repo.uvenv(["diff", "prod@HEAD"]).refused("not-at-revision").names(["`prod/pyproject.toml`", "`HEAD`"]);
    repo.uvenv(["diff", "prod@no-such"]).refused("unknown-revision").names(["`no-such`"]);
    let repo = super::empty().build();
    repo.uvenv(["diff", "staging", "prod"]).refused("unknown-profile");
}
