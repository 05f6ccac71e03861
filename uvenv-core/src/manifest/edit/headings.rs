//! Comments above the headings of tables. If a table is removed, its comment is kept, because it can also be about the
//! neighboring tables.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, RawString, Table};

/// Moves the text above each heading that `edited` no longer has above the next heading, or to the end of the file.
pub(super) fn keep_comments(original: &DocumentMut, edited: &mut DocumentMut) {
    let old = headings(original);
    let mut left = headings(edited);
    left.retain(|position, _| old.contains_key(position));
    let gone = old.iter().filter(|(position, above)| !left.contains_key(position) && above.contains('#'));
    // Start with the last one, so that comments that move above the same heading keep their order.
    for (position, above) in gone.rev() {
        let next = left.range(position..).next().map(|(next, _)| *next);
        if let Some(table) = next.and_then(|next| find(edited.as_table_mut(), next)) {
            let own = text(table.decor().prefix());
            table.decor_mut().set_prefix(format!("{above}{own}"));
        } else {
            let own = text(Some(edited.trailing()));
            edited.set_trailing(format!("{above}{own}"));
        }
    }
}

/// Returns the text above each heading, in file order.
fn headings(document: &DocumentMut) -> BTreeMap<isize, String> {
    let mut found = BTreeMap::new();
    collect(document.as_table(), &mut found);
    found
}

fn collect(table: &Table, found: &mut BTreeMap<isize, String>) {
    for (_, item) in table {
        match item {
            Item::Table(table) => collect_one(table, found),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| collect_one(table, found)),
            _ => {}
        }
    }
}

fn collect_one(table: &Table, found: &mut BTreeMap<isize, String>) {
    if let Some(position) = position(table) {
        found.insert(position, text(table.decor().prefix()));
    }
    collect(table, found);
}

/// Returns the position of the heading of `table`; `None` if it has none or is new.
fn position(table: &Table) -> Option<isize> {
    table.position().filter(|_| !table.is_implicit() && !table.is_dotted())
}

fn find(table: &mut Table, at: isize) -> Option<&mut Table> {
    if position(table) == Some(at) {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, item)| match item {
        Item::Table(table) => find(table, at),
        Item::ArrayOfTables(tables) => tables.iter_mut().find_map(|table| find(table, at)),
        _ => None,
    })
}

fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
