//! `docs/messages.schema.json` and the tables of `docs/json.md` are what the types in `report` say.
//!
//! ```sh
//! cargo test -p uvenv-core --features full,schema --test schema                  # check them
//! UPDATE_DOCS=1 cargo test -p uvenv-core --features full,schema --test schema    # write them
//! ```

use std::{env, fmt::Write, fs, path::Path};

use schemars::generate::SchemaSettings;
use serde_json::Value;
use uvenv_core::report::Message;

/// What is below this line of `docs/json.md` is written here.
const GENERATED: &str = "<!-- The rest is written by `uvenv-core/tests/schema.rs`. -->\n";

#[test]
fn documented_schema_matches_the_types() {
    hold("messages.schema.json", |_| serde_json::to_string_pretty(&schema()).unwrap() + "\n");
}

#[test]
fn documented_fields_match_the_types() {
    hold("json.md", |page| {
        let (written_by_hand, _) = page.split_once(GENERATED).expect("the page says where its tables begin");
        format!("{written_by_hand}{GENERATED}{}", tables(&schema()))
    });
}

/// The schema of what is written: a field without a value is there, and `null`.
fn schema() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Message>().into()
}

/// Compares a file of the documentation with what it should be, or makes it so.
#[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test")]
fn hold(file: &str, expected: impl FnOnce(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
    let found = fs::read_to_string(&path).unwrap_or_default();
    let expected = expected(&found);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, expected).unwrap();
    } else if found != expected {
        let same = found.lines().zip(expected.lines()).take_while(|(found, expected)| found == expected).count();
        let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
        let (found, expected) = (line(&found), line(&expected));
        panic!(
            "docs/{file} is out of date; `UPDATE_DOCS=1` with this test writes it\nline {}\n- {found}\n+ {expected}",
            same + 1
        );
    }
}

/// A section for each message, then one for each type that they are made of.
fn tables(schema: &Value) -> String {
    let types = schema["$defs"].as_object().unwrap();
    let messages: Vec<_> = variants(schema).iter().map(|message| (message, referenced(message).unwrap())).collect();
    let messages_of = |name: &str| messages.iter().filter(|(_, definition)| *definition == name).count();
    let mut page = "\n## Messages\n".to_owned();
    for (message, definition) in &messages {
        section(&mut page, &format!("`{}`", constant(&message["properties"]["reason"]).unwrap()), message);
        if messages_of(definition) == 1 {
            fields(&mut page, &types[*definition]);
        } else {
            writeln!(page, "\nIts fields are those of a {}.", kind(message)).unwrap();
        }
    }
    page += "\n## Types\n";
    for (name, definition) in types.iter().filter(|(name, _)| messages_of(name) != 1) {
        section(&mut page, name, definition);
        match variants(definition) {
            [] if definition["properties"].is_null() => {}
            [] => fields(&mut page, definition),
            variants => {
                page.push('\n');
                for variant in variants {
                    alternative(&mut page, variant);
                }
            }
        }
    }
    page
}

fn section(page: &mut String, title: &str, schema: &Value) {
    write!(page, "\n### {title}\n\n{}\n", description(schema)).unwrap();
}

fn fields(page: &mut String, schema: &Value) {
    *page += "\n| field | type | meaning |\n| --- | --- | --- |\n";
    for (name, field) in schema["properties"].as_object().unwrap() {
        writeln!(page, "| `{name}` | {} | {} |", kind(field), description(field)).unwrap();
    }
}

/// One of several values or forms of a type.
fn alternative(page: &mut String, variant: &Value) {
    let form = constant(variant).map_or_else(|| inline(variant), |text| format!("`\"{text}\"`"));
    writeln!(page, "- {form}: {}", description(variant)).unwrap();
}

/// An object without a name of its own.
fn inline(schema: &Value) -> String {
    let required = schema["required"].as_array();
    let is_required = |name: &String| required.is_some_and(|names| names.iter().any(|other| other == name));
    let fields = schema["properties"].as_object().unwrap().iter().map(|(name, field)| {
        if is_required(name) {
            format!("`{name}`: {}", kind(field))
        } else {
            // It is left out in place of `null`.
            format!("`{name}` (if any): {}", kind(field).replace(" or null", ""))
        }
    });
    format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
}

fn kind(schema: &Value) -> String {
    if let Some(name) = referenced(schema) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(text) = constant(schema) {
        return format!("`\"{text}\"`");
    }
    if schema["properties"].is_object() {
        return inline(schema);
    }
    let alternatives = schema["anyOf"].as_array().into_iter().flatten().map(kind);
    let types = match &schema["type"] {
        Value::String(name) if name == "array" => vec![format!("list of {}", kind(&schema["items"]))],
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let all: Vec<_> = alternatives.chain(types).collect();
    assert!(!all.is_empty(), "a type that has no words yet: {schema}");
    all.join(" or ")
}

fn variants(schema: &Value) -> &[Value] {
    schema["oneOf"].as_array().map_or(&[], Vec::as_slice)
}

fn referenced(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn constant(schema: &Value) -> Option<&str> {
    schema["const"].as_str()
}

/// The first paragraph: what follows speaks to Rust.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_else(|| panic!("without a description: {schema}"));
    text.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}
