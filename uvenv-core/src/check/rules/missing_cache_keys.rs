//! Native members declare what they are built from, for people who also use plain uv.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::Edit,
    model::Profile,
    native,
    uv::cache_keys,
};

pub(super) const RULE: Rule = Rule {
    code: "missing-cache-keys",
    severity: Severity::Warning,
    summary: "a member that is built from Rust has no `cache-keys`, so plain uv does not rebuild it",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in facts.profile(Profile::Dev).map(native::packages).into_iter().flatten() {
        let manifest = package.manifest();
        if manifest.uv.keys.iter().any(|key| key.value == cache_keys::SETTING) {
            continue;
        }
        let name = &package.name;
        let message = format!(
            "`{name}` is built from Rust and has no `cache-keys`: `uv sync` does not rebuild it when its sources change"
        );
        let help = "`cargo uvenv sync` does rebuild it; for plain uv, add `cache-keys` with its Rust sources";
        let edits = vec![Edit::SetCacheKeys { files: cache_keys::OF_RUST.map(str::to_owned).to_vec() }];
        let place = manifest.place(manifest.project.as_ref().map_or(0..0, |project| project.name.span.clone()));
        let finding = RULE.finding(message, help).at(place).in_profile(Profile::Dev).about(name);
        findings.push(finding.fixed_by(manifest.path(), edits));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_a_native_member_without_cache_keys() {
        let tree = Tree::clean();
        let manifest = "[project]\nname = \"auth-client\"\nversion = \"0.1.2\"\n\n[build-system]\nrequires = [\"maturin>=1\"]\n\
                        build-backend = \"maturin\"\n";
        tree.write("packages/auth-client/pyproject.toml", manifest);
        tree.write("packages/auth-client/Cargo.toml", "[package]\nname = \"auth-client\"\nversion = \"0.1.2\"\n");
        assert_eq!(
            tree.shown(RULE.code),
            ["packages/auth-client/pyproject.toml:2: `auth-client` is built from Rust and has no `cache-keys`: `uv \
              sync` does not rebuild it when its sources change"]
        );
        assert!(tree.found(RULE.code)[0].fix.is_some());
        tree.write("packages/auth-client/pyproject.toml", &format!("{manifest}\n[tool.uv]\ncache-keys = []\n"));
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
