//! Messages of uv that show a result if the exit status does not. The wording differs between uv 0.7 and 0.13; the
//! compared parts occur in all of these versions.

use crate::model::Name;

/// Whether uv rejects a lockfile because it does not satisfy its manifest.
pub(crate) fn is_stale_lockfile_error(stderr: &str) -> bool {
    stderr.contains("needs to be updated")
}

/// Whether uv cannot read a lockfile.
pub(crate) fn is_damaged_lockfile_error(stderr: &str) -> bool {
    stderr.contains("Failed to parse `uv.lock`")
}

/// Returns why uv resolves although there is a lockfile, from the output of `--verbose`: `mismatched overrides`. Upgrades are
/// no such reason.
pub(crate) fn reason_to_resolve(stderr: &str) -> Option<String> {
    let (_, reason) = stderr.split_once("existing lockfile due to ")?;
    let reason = reason.lines().next()?.trim().trim_end_matches(':');
    (!reason.starts_with("`--")).then(|| reason.replacen(": `", " `", 1))
}

/// Whether uv failed, with the error `words`, because the network is disabled or does not answer.
pub(crate) fn needs_network(words: &str) -> bool {
    const PARTS: [&str; 6] = [
        "etwork connectivity is disabled",
        "network was disabled",
        "not found in the cache",
        "Failed to fetch",
        "Git operation failed",
        "error sending request",
    ];
    PARTS.iter().any(|part| words.contains(part))
}

/// Returns uv's error with its causes, as one line. uv 0.7 draws lines around some errors and wraps them.
pub(crate) fn words(stderr: &str) -> String {
    let starts = |line: &str| line.starts_with("error: ") || line.starts_with('×');
    let lines = stderr.lines().map(str::trim).skip_while(|line| !starts(line)).take_while(|line| !line.is_empty());
    let mut words = String::new();
    let mut follows_excerpt = false;
    for line in lines {
        let cause = ["cause: ", "Caused by: ", "├─▶ ", "╰─▶ "].iter().find_map(|mark| line.strip_prefix(mark));
        let text = cause.unwrap_or(line);
        let text = text.strip_prefix("error: ").unwrap_or(text).trim_start_matches(['×', '│', ' ']);
        // The excerpt of a file, which may be long.
        if text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|') {
            follows_excerpt = true;
            continue;
        }
        let separator = match () {
            () if words.is_empty() => "",
            () if words.ends_with(':') || (cause.is_none() && !follows_excerpt) => " ",
            () => ": ",
        };
        follows_excerpt = false;
        words = words + separator + text;
    }
    if words.is_empty() {
        let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
        words.push_str(last.unwrap_or("uv failed without a message"));
    }
    words.trim_end_matches([':', '.']).to_owned()
}

/// A line of what `uv sync` would do: ` - six==1.16.0`, ` + bench-utils @ git+https://…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedChange {
    pub(crate) action: PlannedAction,
    pub(crate) name: Name,
    /// `None` if it is not built yet.
    pub(crate) version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedAction {
    Install,
    Remove,
    /// The same version again.
    Reinstall,
}

/// Returns what `uv sync` with `--dry-run` or `--check` would do.
pub(crate) fn planned_changes(stderr: &str) -> impl Iterator<Item = PlannedChange> {
    stderr.lines().filter_map(|line| {
        let (sign, package) = line.trim().split_once(' ')?;
        let action = match sign {
            "+" => PlannedAction::Install,
            "-" => PlannedAction::Remove,
            "~" => PlannedAction::Reinstall,
            _ => return None,
        };
        let (name, version) = match package.split_once("==") {
            Some((name, version)) => (name, version.split(' ').next().map(str::to_owned)),
            None => (package.split_once(" @ ")?.0, None),
        };
        Some(PlannedChange { action, name: Name::parse(name)?, version })
    })
}

/// Returns the packages that `uv sync --dry-run` would remove or replace by another version.
pub(crate) fn removed_packages(stderr: &str) -> impl Iterator<Item = Name> {
    planned_changes(stderr).filter(|change| change.action == PlannedAction::Remove).map(|change| change.name)
}

/// Whether `uv sync --check` reports that the environment is out of date, rather than that it cannot tell.
pub(crate) fn is_outdated_environment(stderr: &str) -> bool {
    stderr.contains("outdated")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_with_all_causes() {
        let new = "Using CPython 3.11.7\nerror: Failed to parse `uv.lock`\n  cause: Dependency `zz` has no package\n\nhint: x";
        assert_eq!(words(new), "Failed to parse `uv.lock`: Dependency `zz` has no package");
        let old = "  × No solution found when resolving dependencies:\n  ╰─▶ Because zzz was not found in the cache and \
                   your project\n      depends on zzz, we can conclude so.\n\n      hint: no";
        assert_eq!(
            words(old),
            "No solution found when resolving dependencies: Because zzz was not found in the cache and your project depends \
             on zzz, we can conclude so"
        );
        let excerpt = "error: Failed to parse `uv.lock`\n  Caused by: TOML parse error at line 1, column 8\n  |\n1 | garbage\n  | ^\nno key\n";
        assert_eq!(words(excerpt), "Failed to parse `uv.lock`: TOML parse error at line 1, column 8: no key");
        assert_eq!(words("thread main panicked\nat x\n"), "at x");
        assert_eq!(words("error: `a | b` is no marker\n"), "`a | b` is no marker");
    }

    #[test]
    fn finds_the_reason_to_resolve() {
        let of = |text: &str| reason_to_resolve(&format!("DEBUG x\nDEBUG {text}\n  Requested: {{}}\nerror: no\n"));
        assert_eq!(
            of("Ignoring existing lockfile due to mismatched overrides:").as_deref(),
            Some("mismatched overrides")
        );
        assert_eq!(
            of("Resolving despite existing lockfile due to missing remote index: `https://x/simple`").as_deref(),
            Some("missing remote index `https://x/simple`")
        );
        assert_eq!(of("Ignoring existing lockfile due to `--upgrade`"), None);
        assert_eq!(of("Existing `uv.lock` satisfies workspace requirements"), None);
    }
}
