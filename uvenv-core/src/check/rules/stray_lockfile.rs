//! Lockfiles are where uv reads them.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    lockfile,
    model::Profile,
    toml::File,
};

pub(super) const RULE: Rule = Rule {
    code: "stray-lockfile",
    severity: Severity::Info,
    summary: "a workspace member has its own lockfile, which uv never reads",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &facts.monorepo.members {
        let path = member.directory.join(lockfile::FILE_NAME);
        let Ok(file) = File::read(&path) else { continue };
        let shown = facts.monorepo.relative(&path);
        let message = format!(
            "uv never reads `{shown}`: `{}` is a member of the workspace, which is locked in `{}`",
            member.name,
            lockfile::FILE_NAME
        );
        let help = format!("remove it with `git rm {shown}`");
        let finding = RULE.finding(message, help).at(file.place(0..0));
        findings.push(finding.in_profile(Profile::Dev).about(&member.name));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_a_lockfile_in_a_member() {
        let tree = Tree::clean();
        tree.write("packages/auth-client/uv.lock", "version = 1\n");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "packages/auth-client/uv.lock:1: uv never reads `packages/auth-client/uv.lock`: `auth-client` is a member of \
              the workspace, which is locked in `uv.lock`"
            ]
        );
    }
}
