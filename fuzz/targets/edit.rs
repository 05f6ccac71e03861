//! Editing a manifest: whatever a `pyproject.toml` holds, what an edit makes of it is TOML, and a second one changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use uvenv_core::{
    Name,
    manifest::{Edit, ManifestEditor, NewSource},
    toml::File,
};

/// A manifest whose backends are copied.
const BACKENDS: &str = r#"[project]
name = "bench"
[project.optional-dependencies]
cu124 = ["torch"]
cu128 = ["torch"]
[tool.uv]
conflicts = [[{ extra = "cu124" }, { extra = "cu128" }]]
[tool.uv.sources]
torch = [{ index = "pytorch-cu124", extra = "cu124" }, { index = "pytorch-cu128", extra = "cu128" }]
[[tool.uv.index]]
name = "pytorch-cu124"
url = "https://index.example.com/cu124"
[[tool.uv.index]]
name = "pytorch-cu128"
url = "https://index.example.com/cu128"
"#;

fuzz_target!(|text: &str| {
    let file = File { path: "pyproject.toml".into(), text: text.into() };
    let Ok(editor) = ManifestEditor::new(&file) else { return };
    let name = |name: &str| Name::parse(name).expect("a name");
    let package = || name("bench-utils");
    let git = NewSource::Git { url: "https://git.example/a".to_owned(), tag: "v2".to_owned(), subdirectory: None };
    for edit in [
        Edit::SetTag { package: package(), tag: "v2".to_owned() },
        Edit::SetSource { package: package(), source: NewSource::Workspace },
        Edit::SetSource { package: package(), source: git },
        Edit::RemoveSource { package: package() },
        Edit::AddDependency { requirement: "bench-utils".to_owned() },
        Edit::RemoveIndex { name: "pytorch-cu124".to_owned() },
        Edit::SetCacheKeys { files: vec!["src/**/*.rs".to_owned()] },
        Edit::CopyBackends { from: BACKENDS.to_owned(), names: vec![name("cu124"), name("cu128")] },
    ] {
        let mut editor = editor.clone();
        let Ok(is_changed) = editor.apply(&edit) else {
            assert_eq!(editor.text(), text, "{edit:?}");
            continue;
        };
        let once = editor.text();
        assert_eq!(is_changed, once != text, "{edit:?}");
        let file = File { path: "pyproject.toml".into(), text: once.as_str().into() };
        let mut again = ManifestEditor::new(&file).expect("an edit makes TOML");
        assert!(matches!(again.apply(&edit), Ok(false)), "{edit:?} changes\n{once}\nagain");
    }
});
