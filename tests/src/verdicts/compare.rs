//! What uv and uvenv say of the same lockfile.

use serde_json::Value;

use super::world::World;
use crate::Outcome;

/// What uv says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Fresh,
    Stale,
    /// The manifest is wrong, or cannot be locked.
    Fails,
}

#[derive(Debug)]
pub(super) struct Compared {
    pub(super) verdict: Verdict,
    /// Whether uvenv says that it does not know.
    pub(super) is_unknown: bool,
    pub(super) wrong: Vec<String>,
}

/// The codes with which uvenv says that a lockfile does not satisfy its manifest, or that uv fails.
const NOT_FRESH: [&str; 4] = ["stale-lockfile", "damaged-lockfile", "rejected-by-uv", "missing-lockfile"];

/// Asks uv, and then uvenv in all ways.
pub(super) fn compare(world: &World) -> Compared {
    let uv = world.uv(&["lock", "--check"]);
    let verdict = match uv.status() {
        Some(0) => Verdict::Fresh,
        _ if uv.stderr().contains("needs to be updated") => Verdict::Stale,
        _ => Verdict::Fails,
    };
    let profile = format!("--profile={}", world.profile);
    let mut compared = Compared { verdict, is_unknown: false, wrong: Vec::new() };
    let mut judge = |is_right: bool, outcome: &Outcome| {
        if !is_right {
            compared.wrong.push(format!("uv says {verdict:?}:\n{uv}\nbut uvenv:\n{outcome}"));
        }
    };

    let locked = world.uvenv(&["lock", "--locked", &profile]);
    judge((verdict == Verdict::Fresh) == (locked.status() == Some(0)), &locked);
    judge(verdict != Verdict::Stale || code(&locked).as_deref() == Some("stale-lockfile"), &locked);

    let check = world.uvenv(&["check", &profile]);
    let codes = codes(&check);
    let has = |wanted: &[&str]| codes.iter().any(|code| wanted.contains(&code.as_str()));
    let unverified = has(&["unverified-lockfile"]);
    judge(
        match verdict {
            Verdict::Fresh => !has(&NOT_FRESH) && check.status() != Some(2),
            Verdict::Stale => has(&["stale-lockfile"]) || unverified,
            Verdict::Fails => has(&NOT_FRESH) || unverified || check.status() != Some(0),
        },
        &check,
    );

    let status = world.uvenv(&["status"]);
    let state = state(&status, world.profile);
    let is_unknown = state.as_deref() == Some("unknown");
    judge(is_unknown || (verdict == Verdict::Fresh) == (state.as_deref() == Some("fresh")), &status);
    judge(verdict != Verdict::Stale || is_unknown || state.as_deref() == Some("stale"), &status);

    // Installs what is locked, unless it is certain that the manifest says otherwise.
    let frozen = world.uvenv(&["sync", "--frozen", "--dry-run", &profile]);
    judge(verdict != Verdict::Fresh || code(&frozen).as_deref() != Some("stale-lockfile"), &frozen);
    compared.is_unknown = unverified || (is_unknown && verdict != Verdict::Fails);
    compared
}

fn code(outcome: &Outcome) -> Option<String> {
    let reports = outcome.reports();
    let error = reports.iter().find(|report| report["reason"] == "error")?;
    Some(error["code"].as_str()?.to_owned())
}

fn codes(outcome: &Outcome) -> Vec<String> {
    let reports = outcome.reports();
    let findings = reports.iter().filter_map(|report| report["findings"].as_array()).flatten();
    findings.filter_map(|finding| Some(finding["code"].as_str()?.to_owned())).collect()
}

fn state(outcome: &Outcome, profile: &str) -> Option<String> {
    let reports = outcome.reports();
    let is_right = |status: &&Value| status["profile"] == profile;
    let status = reports.iter().filter_map(|report| report["profiles"].as_array()).flatten().find(is_right)?;
    Some(status["lockfile"]["state"].as_str()?.to_owned())
}
