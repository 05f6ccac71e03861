//! Applies the fixes of findings.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use similar::TextDiff;

use crate::{
    check::{Finding, Fix},
    fs::atomic,
    manifest::ManifestEditor,
    model::redact_in_place,
    ops::not_writable::NotWritable,
    report::FileChange,
    toml::File,
};

/// The current and the new texts of the manifests.
#[derive(Debug, Default)]
pub(super) struct FixPlan {
    files: BTreeMap<Utf8PathBuf, FileTexts>,
    /// The findings that it fixes.
    pub(super) fixed: Vec<Finding>,
}

#[derive(Debug)]
struct FileTexts {
    before: String,
    after: String,
}

impl FixPlan {
    /// Plans all fixes of `findings` that can be combined, in their order.
    pub(super) fn plan(findings: &[Finding]) -> crate::Result<Self> {
        let mut fix_plan = Self::default();
        for finding in findings {
            let Some(fix) = &finding.fix else { continue };
            if fix_plan.add(fix)? {
                fix_plan.fixed.push(finding.clone());
            }
        }
        Ok(fix_plan)
    }

    /// Adds a fix, or none of its edits if an earlier fix makes one of them impossible.
    fn add(&mut self, fix: &Fix) -> crate::Result<bool> {
        if !self.files.contains_key(&fix.manifest) {
            let before = File::read(&fix.manifest)?.text.to_string();
            self.files.insert(fix.manifest.clone(), FileTexts { after: before.clone(), before });
        }
        let Some(texts) = self.files.get_mut(&fix.manifest) else { return Ok(false) };
        match edited(&fix.manifest, &texts.after, fix) {
            Ok(Some(after)) => {
                texts.after = after;
                Ok(texts.after != texts.before)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the files that change.
    fn changed(&self) -> impl Iterator<Item = (&Utf8PathBuf, &FileTexts)> {
        self.files.iter().filter(|(_, texts)| texts.before != texts.after)
    }

    /// Returns the changes, with paths relative to `root`.
    pub(super) fn changes(&self, root: &Utf8Path) -> Vec<FileChange> {
        self.changed()
            .map(|(path, texts)| FileChange { file: path.clone(), diff: diff(root, path, &texts.before, &texts.after) })
            .collect()
    }

    /// Writes the files.
    pub(super) fn write(&self) -> crate::Result<()> {
        for (path, texts) in self.changed() {
            atomic::replace(path, &texts.after).map_err(NotWritable::at(path))?;
        }
        Ok(())
    }
}

/// Returns `text` after the edits; `None` if one of them cannot be made.
fn edited(path: &Utf8Path, text: &str, fix: &Fix) -> crate::Result<Option<String>> {
    let mut editor = ManifestEditor::new(&File { path: path.to_owned(), text: text.into() })?;
    let is_made = fix.edits.iter().all(|edit| editor.apply(edit).is_ok());
    Ok(is_made.then(|| editor.text()))
}

/// Returns a diff in the format that git writes and `git apply` reads.
pub(in crate::ops) fn diff(root: &Utf8Path, path: &Utf8Path, before: &str, after: &str) -> String {
    let shown = path.strip_prefix(root).unwrap_or(path).as_str().replace('\\', "/");
    let (before, after) = (redact_in_place(before), redact_in_place(after));
    let diff = TextDiff::from_lines(&*before, &*after);
    diff.unified_diff().header(&format!("a/{shown}"), &format!("b/{shown}")).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        check::{Rule, Severity},
        fs::TestTree,
        manifest::Edit,
        model::Name,
    };

    const MANIFEST: &str = "# ours\n[project]\nname = \"app\"\n\n[tool.uv.sources] # pins\n\
                            a = { git = \"https://t0ken@host/a\", tag = \"v1\" } # first\n\
                            b = { git = \"https://host/b\", tag = \"v1\" }";

    fn directory() -> TestTree {
        TestTree::with(&[("pyproject.toml", MANIFEST)])
    }

    fn finding(root: &Utf8Path, edits: Vec<Edit>) -> Finding {
        Finding {
            code: Rule::all()[0].code,
            severity: Severity::Warning,
            message: format!("{edits:?}"),
            help: None,
            place: None,
            related: Vec::new(),
            profile: None,
            package: None,
            fix: Some(Fix { manifest: root.join("pyproject.toml"), edits }),
        }
    }

    fn remove(package: &str) -> Edit {
        Edit::RemoveSource { package: Name::parse(package).unwrap() }
    }

    fn set_tag(package: &str) -> Edit {
        Edit::SetTag { package: Name::parse(package).unwrap(), tag: "v2".to_owned() }
    }

    #[test]
    fn applies_all_fixes_of_a_file_together() {
        let root = directory();
        let findings = [finding(&root, vec![set_tag("a")]), finding(&root, vec![set_tag("b")])];
        let fix_plan = FixPlan::plan(&findings).unwrap();
        assert_eq!((fix_plan.fixed.len(), fix_plan.changes(&root).len()), (2, 1));
        fix_plan.write().unwrap();
        assert_eq!(fs::read_to_string(root.join("pyproject.toml")).unwrap(), MANIFEST.replace("\"v1\"", "\"v2\""));
    }

    /// Either all edits of a fix are made or none.
    #[test]
    fn skips_a_fix_that_no_longer_applies() {
        let root = directory();
        let findings = [finding(&root, vec![remove("a")]), finding(&root, vec![set_tag("b"), set_tag("a")])];
        let fix_plan = FixPlan::plan(&findings).unwrap();
        assert_eq!(fix_plan.fixed.len(), 1);
        fix_plan.write().unwrap();
        let text = fs::read_to_string(root.join("pyproject.toml")).unwrap();
        assert!(!text.contains("host/a") && text.contains("tag = \"v1\""), "{text}");
    }

    #[test]
    fn diff_marks_a_missing_last_newline_and_masks_secrets() {
        let root = directory();
        let fix_plan = FixPlan::plan(&[finding(&root, vec![set_tag("b")])]).unwrap();
        let changes = fix_plan.changes(&root);
        assert_eq!(
            changes[0].diff,
            "--- a/pyproject.toml\n+++ b/pyproject.toml\n@@ -4,4 +4,4 @@\n \n [tool.uv.sources] # pins\n \
             a = { git = \"https://*****@host/a\", tag = \"v1\" } # first\n\
             -b = { git = \"https://host/b\", tag = \"v1\" }\n\\ No newline at end of file\n\
             +b = { git = \"https://host/b\", tag = \"v2\" }\n\\ No newline at end of file\n"
        );
        assert_eq!(fs::read_to_string(root.join("pyproject.toml")).unwrap(), MANIFEST, "nothing is written yet");
    }

    #[test]
    fn reports_a_deleted_manifest() {
        let root = directory();
        fs::remove_file(root.join("pyproject.toml")).unwrap();
        let error = FixPlan::plan(&[finding(&root, vec![remove("a")])]).unwrap_err();
        assert!(format!("{error:?}").starts_with("error[unreadable-file]: "), "{error:?}");
    }
}
