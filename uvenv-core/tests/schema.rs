//! `docs/messages.schema.json` and the tables of `docs/json.md` are what the types in `report` say.
//!
//! ```sh
//! cargo test -p uvenv-core --features full,schema --test schema                    # check them
//! UPDATE_DOCS=1 cargo test -p uvenv-core --features full,schema --test schema      # write them
//! ```

use std::{env, fmt::Write, fs, path::Path};

use schemars::generate::SchemaSettings;
use serde_json::Value;
use uvenv_core::report::Message;

/// What is below this line of `docs/json.md` is written here.
const GENERATED: &str = "<!-- The rest is written by `uvenv-core/tests/schema.rs`. -->\n";

#[test]
fn the_documented_schema_is_that_of_the_types() {
    hold("messages.schema.json", |_| serde_json::to_string_pretty(&schema()).unwrap() + "\n");
}

#[test]
fn the_documented_fields_are_those_of_the_types() {
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
    let mut page = "\n## Messages\n".to_owned();
    let mut of_messages = Vec::new();
    for message in variants(schema) {
        let definition = referenced(message).unwrap();
        section(&mut page, &format!("`{}`", constant(&message["properties"]["reason"]).unwrap()), message);
        fields(&mut page, &types[definition]);
        of_messages.push(definition);
    }
    page += "\n## Types\n";
    for (name, definition) in types.iter().filter(|(name, _)| !of_messages.contains(&name.as_str())) {
        section(&mut page, name, definition);
        if definition["properties"].is_object() {
            fields(&mut page, definition);
        }
        for variant in variants(definition) {
            alternative(&mut page, variant);
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
    if let Some(text) = constant(variant) {
        write!(page, "\n- `\"{text}\"`: {}", description(variant)).unwrap();
    } else {
        let properties = variant["properties"].as_object().unwrap();
        let shape: Vec<_> = properties.iter().map(|(name, field)| format!("`{name}`: {}", form(field))).collect();
        write!(page, "\n- {}: {}", shape.join(", "), description(variant)).unwrap();
    }
    page.push('\n');
}

/// The type of a field of an alternative, which may be an object that has no name of its own.
fn form(field: &Value) -> String {
    let Some(properties) = field["properties"].as_object() else { return kind(field) };
    let fields: Vec<_> = properties.iter().map(|(name, field)| format!("`{name}`: {}", kind(field))).collect();
    format!("{{ {} }}", fields.join(", "))
}

fn kind(schema: &Value) -> String {
    if let Some(name) = referenced(schema) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(text) = constant(schema) {
        return format!("`\"{text}\"`");
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

fn description(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}
