use proptest::prelude::*;

use super::*;
use crate::manifest::{Manifest, SourceKind};

fn file(text: &str) -> File {
    File { path: "prod/pyproject.toml".into(), text: text.into() }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Returns `text` after an edit; `None` if the edit changes nothing. Checks that a second edit changes nothing more.
fn edited(text: &str, edit: &Edit) -> Option<String> {
    let mut editor = ManifestEditor::new(&file(text)).unwrap();
    let changed = editor.apply(edit).unwrap();
    let after = editor.text();
    assert_eq!(changed, after != text, "{after}");
    assert!(!editor.apply(edit).unwrap(), "a second time it changed\n{after}\nto\n{}", editor.text());
    changed.then_some(after)
}

fn set_tag(tag: &str) -> Edit {
    Edit::SetTag { package: name("bench-utils"), tag: tag.to_owned() }
}

fn set_source(tag: &str) -> Edit {
    let (url, tag, subdirectory) = ("https://h/b.git".to_owned(), tag.to_owned(), Some("py".to_owned()));
    Edit::SetSource { package: name("bench-utils"), source: NewSource::Git { url, tag, subdirectory } }
}

fn remove_source() -> Edit {
    Edit::RemoveSource { package: name("bench-utils") }
}

fn add(requirement: &str) -> Edit {
    Edit::AddDependency { requirement: requirement.to_owned() }
}

#[test]
fn sets_a_tag_in_every_form_of_a_source() {
    for (before, after) in [
        (
            "[tool.uv.sources]\nBench_Utils = {git = 'https://h/b', tag = \"v1\"  , subdirectory = '.' } # why\n",
            "[tool.uv.sources]\nBench_Utils = {git = 'https://h/b', tag = \"v2\"  , subdirectory = '.' } # why\n",
        ),
        (
            "[tool.uv.sources.bench-utils]\ngit = \"https://h/b\" # here\ntag = \"v1\" # the newest\n\n[x]\n",
            "[tool.uv.sources.bench-utils]\ngit = \"https://h/b\" # here\ntag = \"v2\" # the newest\n\n[x]\n",
        ),
        (
            "[tool.uv]\nsources.bench-utils.git = \"https://h/b\"\nsources.bench-utils.tag = \"v1\"\n",
            "[tool.uv]\nsources.bench-utils.git = \"https://h/b\"\nsources.bench-utils.tag = \"v2\"\n",
        ),
        (
            "tool.uv.sources = { bench-utils = { git = \"https://h/b\", tag = \"v1\" } }\n",
            "tool.uv.sources = { bench-utils = { git = \"https://h/b\", tag = \"v2\" } }\n",
        ),
        (
            "[tool.uv.sources]\nbench-utils = [\n  { git = \"https://h/b\", tag = \"v1\", marker = \"m\" }, # one\n  { git = \"https://h/b\", tag = \"v0\" },\n]\n",
            "[tool.uv.sources]\nbench-utils = [\n  { git = \"https://h/b\", tag = \"v2\", marker = \"m\" }, # one\n  { git = \"https://h/b\", tag = \"v2\" },\n]\n",
        ),
        (
            "[[tool.uv.sources.bench-utils]]\ngit = \"https://h/b\"\nbranch = \"main\"\n",
            "[[tool.uv.sources.bench-utils]]\ngit = \"https://h/b\"\ntag = \"v2\"\n",
        ),
        (
            "[tool.uv.sources]\nbench-utils = { git = \"https://h/b\", branch = \"main\", subdirectory = \"p\" } # x\n",
            "[tool.uv.sources]\nbench-utils = { git = \"https://h/b\", subdirectory = \"p\", tag = \"v2\" } # x\n",
        ),
        (
            "[tool.uv.sources]\nbench-utils = { git = \"https://h/b\" }\n",
            "[tool.uv.sources]\nbench-utils = { git = \"https://h/b\", tag = \"v2\" }\n",
        ),
    ] {
        assert_eq!(edited(before, &set_tag("v2")).as_deref(), Some(after));
    }
}

#[test]
fn rejects_a_tag_without_a_git_source() {
    for text in
        ["", "[tool.uv.sources]\nbench-utils = { workspace = true }\n", "[tool.uv.sources]\nother = { git = \"x\" }\n"]
    {
        let mut editor = ManifestEditor::new(&file(text)).unwrap();
        let error = editor.apply(&set_tag("v2")).unwrap_err();
        assert_eq!((error.code(), error.place().unwrap().path().as_str()), ("invalid-source", "prod/pyproject.toml"));
        assert_eq!(editor.text(), text);
    }
}

#[test]
fn replaces_a_source_or_appends_a_new_one() {
    let new = "{ git = \"https://h/b.git\", tag = \"v2\", subdirectory = \"py\" }";
    for (before, after) in [
        (
            "[tool.uv.sources]\n\"Bench.Utils\" = { workspace = true } # ours\nz = { workspace = true }\n".to_owned(),
            format!("[tool.uv.sources]\n\"Bench.Utils\" = {new} # ours\nz = {{ workspace = true }}\n"),
        ),
        (
            "[tool.uv.sources]\n# a\na = { workspace = true } # ours\n\n# b\n[b]\n".to_owned(),
            format!("[tool.uv.sources]\n# a\na = {{ workspace = true }} # ours\nbench-utils = {new}\n\n# b\n[b]\n"),
        ),
        ("[project]\nname = \"a\"\n".to_owned(), format!("[project]\nname = \"a\"\n\n[tool.uv.sources]\nbench-utils = {new}\n")),
        (
            "tool.uv.sources = { a = { workspace = true } }\n".to_owned(),
            format!("tool.uv.sources = {{ a = {{ workspace = true }}, bench-utils = {new} }}\n"),
        ),
        (
            "[tool.uv.sources.bench-utils]\n# from here\ngit = \"https://h/a\" # old\nbranch = \"main\"\n[x]\n".to_owned(),
            "[tool.uv.sources.bench-utils]\n# from here\ngit = \"https://h/b.git\" # old\ntag = \"v2\"\nsubdirectory = \"py\"\n[x]\n".to_owned(),
        ),
    ] {
        assert_eq!(edited(&before, &set_source("v2")), Some(after));
    }
}

#[test]
fn removes_a_source_and_keeps_comments() {
    for (before, after) in [
        (
            "[tool.uv.sources]\n# internal\nbench-utils = { workspace = true }\nz = { workspace = true }\n",
            "[tool.uv.sources]\n# internal\nz = { workspace = true }\n",
        ),
        (
            "[tool.uv.sources]\na = { workspace = true } # a\n# b\nbench-utils = { workspace = true }\n\n[x]\n",
            "[tool.uv.sources]\na = { workspace = true } # a\n# b\n\n[x]\n",
        ),
    ] {
        assert_eq!(edited(before, &remove_source()).as_deref(), Some(after));
    }
    assert_eq!(edited("[tool.uv.sources]\na = { workspace = true }\n", &remove_source()), None);
}

#[test]
fn adds_a_requirement_in_the_layout_of_its_list() {
    for (before, after) in [
        ("[project]\ndependencies = []\n", "[project]\ndependencies = [\"a>=1\"]\n"),
        ("[project]\ndependencies = [\"b\"] # why\n", "[project]\ndependencies = [\"b\", \"a>=1\"] # why\n"),
        (
            "[project]\ndependencies = [\n\t'b',\n\t# c\n\t\"c\", # d\n]\n",
            "[project]\ndependencies = [\n\t'b',\n\t# c\n\t\"c\", # d\n\t\"a>=1\",\n]\n",
        ),
        (
            "[project]\ndependencies = [\n    \"b\", # two\n    \"c\" # last\n]\n",
            "[project]\ndependencies = [\n    \"b\", # two\n    \"c\", # last\n    \"a>=1\"\n]\n",
        ),
        ("[project]\nname = \"x\"\n", "[project]\nname = \"x\"\ndependencies = [\"a>=1\"]\n"),
    ] {
        assert_eq!(edited(before, &add("a>=1")).as_deref(), Some(after));
    }
    assert_eq!(edited("[project]\ndependencies = [\"A.B[x]>=2\"]\n", &add("a_b")), None);
}

#[test]
fn removes_an_index() {
    let edit = Edit::RemoveIndex { name: "b".to_owned() };
    let index = |name: &str| format!("[[tool.uv.index]]\nname = \"{name}\"\nurl = \"https://{name}\"\n");
    let (a, b, c) = (index("a"), index("b"), index("c"));
    assert_eq!(edited(&format!("{a}\n{b}\n{c}"), &edit), Some(format!("{a}\n{c}")));
    assert_eq!(edited(&format!("{a}\n{c}"), &edit), None);
    assert_eq!(
        edited("[tool.uv]\nindex = [{ name = \"b\", url = \"https://b\" }]\npackage = true\n", &edit).as_deref(),
        Some("[tool.uv]\npackage = true\n")
    );
}

#[test]
fn sets_missing_cache_keys() {
    let edit = Edit::SetCacheKeys { files: vec!["pyproject.toml".to_owned(), "src/**/*.rs".to_owned()] };
    assert_eq!(
        edited("[project]\nname = \"a\"\n", &edit).as_deref(),
        Some(
            "[project]\nname = \"a\"\n\n[tool.uv]\ncache-keys = [{ file = \"pyproject.toml\" }, { file = \"src/**/*.rs\" }]\n"
        )
    );
    assert_eq!(edited("[tool.uv]\ncache-keys = []\n", &edit), None);
}

#[test]
fn rejects_values_of_the_wrong_type() {
    for (text, edit, code) in [
        ("[tool.uv]\nsources = 1\n", set_source("v2"), "invalid-value"),
        ("[project]\ndependencies = \"a\"\n", add("b"), "invalid-value"),
        ("tool = []\n", remove_source(), "invalid-value"),
    ] {
        let mut editor = ManifestEditor::new(&file(text)).unwrap();
        assert_eq!(editor.apply(&edit).unwrap_err().code(), code);
        assert_eq!(editor.text(), text);
    }
    assert_eq!(ManifestEditor::new(&file("a = [")).unwrap_err().code(), "invalid-toml");
}

#[test]
fn keeps_line_endings() {
    let crlf = "# a\r\n[tool.uv.sources]\r\nbench-utils = { git = \"https://h/b\", tag = \"v1\" }\r\n# z\r\n[x]";
    assert_eq!(edited(crlf, &set_tag("v2")), Some(crlf.replace("v1", "v2")));
    let added = edited(crlf, &add("b"));
    assert!(added.is_none_or(|text| !text.replace("\r\n", "").contains('\n')));
    let mixed = "# a\r\n[tool.uv.sources]\nbench-utils = { git = \"https://h/b\", tag = \"v1\" }\n# z\r\n";
    assert_eq!(edited(mixed, &set_tag("v2")), Some(mixed.replace("v1", "v2")));
    let without_end = "[tool.uv.sources]\nbench-utils = { git = \"https://h/b\", tag = \"v1\" }";
    assert_eq!(edited(without_end, &set_tag("v2")), Some(without_end.replace("v1", "v2")));
    assert_eq!(
        edited("[project]\r\ndependencies = [\r\n    \"b\",\r\n]", &add("a")).as_deref(),
        Some("[project]\r\ndependencies = [\r\n    \"b\",\r\n    \"a\",\r\n]")
    );
    let mark = "\u{feff}[project]\ndependencies = []\n";
    assert_eq!(edited(mark, &add("a")).as_deref(), Some("\u{feff}[project]\ndependencies = [\"a\"]\n"));
}

#[test]
fn keeps_comments_above_a_removed_heading() {
    let source = "# one\n[tool.uv.sources.Bench_Utils]\ngit = \"https://h/x.git\"\ntag = \"v0\"\n";
    let next = "# two\n[tool.last]\nk = 1\n";
    let before = format!("[project]\nname = \"x\"\n{source}{next}# the end\n");
    let after = "[project]\nname = \"x\"\n# one\n# two\n[tool.last]\nk = 1\n# the end\n";
    assert_eq!(edited(&before, &remove_source()).as_deref(), Some(after));
    let at_the_end = edited(&format!("[project]\nname = \"x\"\n{source}# the end"), &remove_source());
    assert_eq!(at_the_end.as_deref(), Some("[project]\nname = \"x\"\n# one\n# the end"));
    let indexes = "# one\n[[tool.uv.index]]\nname = \"i\"\nurl = \"https://i\"\n# two\n[[tool.uv.index]]\nname = \"k\"\nurl = \"https://k\"\n";
    assert_eq!(
        edited(indexes, &Edit::RemoveIndex { name: "i".to_owned() }).as_deref(),
        Some("# one\n# two\n[[tool.uv.index]]\nname = \"k\"\nurl = \"https://k\"\n")
    );
}

/// Generates a manifest with comments, blank lines and other tables around the edited parts.
fn manifests() -> impl Strategy<Value = String> {
    let trivia = prop::sample::select(vec!["", "\n", "# a comment = { }\n", "  # indented\n\n"]);
    let source = prop::sample::select(vec![
        "{ workspace = true }",
        "{ git = 'https://h/x.git', tag = 'v0.1.0' }",
        "{git=\"https://h/x.git\",branch=\"main\",subdirectory=\"p\"}",
        "[{ git = \"https://h/x.git\", rev = \"0123\", marker = \"sys_platform == 'linux'\" }, { index = \"i\", marker = \"sys_platform != 'linux'\" }]",
    ]);
    let names = prop::sample::subsequence(vec!["aa", "Bench_Utils", "cc", "\"dd\""], 0..=4);
    let list = prop::sample::select(vec![
        "[]",
        "[\"six\"]",
        "[\n  'six', # six\n  \"idna\"\n]",
        "[\n\t\"six\",\n\t\"idna\",\n\t# end\n]",
    ]);
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    (names, prop::collection::vec((trivia, source), 4), list, any::<bool>(), end).prop_map(|(names, lines, list, ends, end)| {
        let sources: Vec<_> = names
            .iter()
            .zip(&lines)
            .map(|(name, (trivia, source))| format!("{trivia}{name} = {source} # {name}\n"))
            .collect();
        let text = format!(
            "# top\n[project]\nname = \"x\"\nversion = \"1\"\ndependencies = {list} # deps\n\n[tool.other]\nkey = 1 # k\n\n\
             [tool.uv.sources] # sources\n{}{}[tool.last]\n# the end",
            sources.concat(),
                lines[0].0
        );
        let text = if ends { text + "\n" } else { text };
        text.replace('\n', end)
    })
}

/// Returns the meaning of a manifest, except for the sources of `bench-utils` and the requirement `new`.
fn meaning(text: &str) -> (Vec<String>, Vec<String>, String) {
    let manifest = Manifest::from_file(file(text)).unwrap();
    let others = manifest.uv.sources.iter().filter(|(package, _)| package.value.as_str() != "bench-utils");
    let others = others.map(|(package, sources)| {
        let kinds: Vec<_> = sources.iter().map(|source| &text[source.span.clone()]).collect();
        format!("{} {kinds:?}", package.value)
    });
    let requirements = manifest.project.unwrap().dependencies.into_iter().map(|requirement| requirement.text);
    (others.collect(), requirements.filter(|text| text != "new").collect(), comments(text))
}

/// Returns the comments, in order.
fn comments(text: &str) -> String {
    let comments = text.lines().filter_map(|line| Some(line.split_once('#')?.1.trim_end()));
    comments.filter(|comment| *comment != " Bench_Utils").collect::<Vec<_>>().join("\n")
}

fn pins(text: &str) -> Vec<String> {
    let manifest = Manifest::from_file(file(text)).unwrap();
    let pins = manifest.sources_of(&name("bench-utils")).iter().filter_map(|source| match &source.kind {
        SourceKind::Git { reference, .. } => Some(reference.as_ref().unwrap().text().value.clone()),
        _ => None,
    });
    pins.collect()
}

proptest! {
    #[test]
    fn edits_change_nothing_else(text in manifests(), which in 0..4) {
        let had_git = !pins(&text).is_empty();
        let edit = match which {
            0 if had_git => set_tag("v9"),
            0 | 1 => set_source("v9"),
            2 => remove_source(),
            _ => add("new"),
        };
        let after = edited(&text, &edit).unwrap_or_else(|| text.clone());
        prop_assert_eq!(meaning(&after), meaning(&text));
        match &edit {
            Edit::RemoveSource { .. } => prop_assert!(!after.contains("Bench_Utils =")),
            Edit::AddDependency { .. } => prop_assert!(after.contains("\"new\"")),
            _ => prop_assert!(!pins(&after).is_empty() && pins(&after).iter().all(|tag| tag == "v9")),
        }
        prop_assert_eq!(text.contains('\r'), after.contains('\r'));
        prop_assert_eq!(after.replace("\r\n", "").contains('\n'), text.replace("\r\n", "").contains('\n'));
        prop_assert_eq!(text.ends_with('\n'), after.ends_with('\n'));
        // All other lines are unchanged.
        let kept = text.lines().filter(|line| !line.contains("Bench_Utils") && !line.contains("idna") && !line.contains("dependencies") && *line != "]");
        for line in kept {
            prop_assert!(after.lines().any(|other| other == line), "{:?} is gone from\n{}", line, after);
        }
    }
}
