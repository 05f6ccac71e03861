//! Edits to lists of requirements, which keep the layout of the list.

use toml_edit::{Array, RawString, Value};

use crate::manifest::Requirement;

/// Adds a requirement at the end, unless the list already has a requirement on the same package.
pub(super) fn add(requirements: &mut Array, requirement: &str) -> bool {
    let name = Requirement::name_of(requirement);
    append(requirements, requirement, |known| Requirement::name_of(known) == name)
}

/// Adds a text at the end of a list, unless the list already has it.
pub(super) fn append(list: &mut Array, text: &str, is_there: impl Fn(&str) -> bool) -> bool {
    if list.iter().any(|value| value.as_str().is_some_and(&is_there)) {
        return false;
    }
    let mut new = Value::from(text);
    match indentation(list) {
        Some(indentation) => {
            let after = comment_after_last(list);
            new.decor_mut().set_prefix(format!("{after}{indentation}"));
            list.push_formatted(new);
        }
        None => list.push(text),
    }
    true
}

/// Returns the text before each element of a list with one element per line: a line ending and spaces.
fn indentation(requirements: &Array) -> Option<String> {
    let last = requirements.iter().last()?;
    let before = text(last.decor().prefix());
    let (_, blanks) = before.rsplit_once('\n')?;
    Some(format!("\n{blanks}"))
}

/// Removes and returns the text after the last element, except for the line ending before the bracket, so that a
/// comment stays with its element.
fn comment_after_last(requirements: &mut Array) -> String {
    if requirements.trailing_comma() {
        let trailing = text(Some(requirements.trailing()));
        let (comment, rest) = trailing.rsplit_once('\n').unwrap_or(("", &trailing));
        let (comment, rest) = (comment.to_owned(), format!("\n{rest}"));
        if comment.trim().is_empty() {
            return String::new();
        }
        requirements.set_trailing(rest);
        return comment;
    }
    let Some(last) = requirements.iter_mut().last() else { return String::new() };
    let suffix = text(last.decor().suffix());
    last.decor_mut().set_suffix("");
    let (comment, rest) = suffix.rsplit_once('\n').unwrap_or(("", &suffix));
    let (comment, rest) = (comment.trim_end().to_owned(), format!("\n{rest}"));
    if text(Some(requirements.trailing())).is_empty() {
        requirements.set_trailing(rest);
    }
    comment
}

fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
