//! Line endings: the TOML editor makes them uniform, but every line that an edit does not change must keep its own.

/// Returns `edited`, whose lines end in `\n`, with the line endings of `original`. New lines get the line ending of the
/// previous line.
pub(super) fn keep(original: &str, edited: &str) -> String {
    let old: Vec<_> = original.split_inclusive('\n').collect();
    let new: Vec<_> = edited.split_inclusive('\n').collect();
    let same = |(old, new): &(&&str, &&str)| split(old).0 == split(new).0;
    let before = old.iter().zip(&new).take_while(same).count();
    let rest = old.len().min(new.len()) - before;
    let behind = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(same).count();
    let ends = old[..before].iter().rev().chain(&old).map(|line| split(line).1);
    let usual = ends.into_iter().find(|end| !end.is_empty()).unwrap_or("\n");
    let mut lines: Vec<_> = old[..before].iter().map(|line| split(line)).collect();
    lines.extend(new[before..new.len() - behind].iter().map(|line| (split(line).0, usual)));
    lines.extend(old[old.len() - behind..].iter().map(|line| split(line)));
    // Only the last line can have no line ending, and it has none if it had none before.
    let last = lines.len().saturating_sub(1);
    let end_of_file = old.last().map_or("\n", |line| split(line).1);
    let line = |(at, (body, end)): (usize, (&str, &str))| match end {
        _ if at == last => format!("{body}{}", if end_of_file.is_empty() { "" } else { usual_or(end, usual) }),
        end => format!("{body}{}", usual_or(end, usual)),
    };
    lines.into_iter().enumerate().map(line).collect()
}

fn usual_or<'a>(end: &'a str, usual: &'a str) -> &'a str {
    if end.is_empty() { usual } else { end }
}

/// Splits off the line ending of a line.
fn split(line: &str) -> (&str, &str) {
    let body = line.strip_suffix('\n').unwrap_or(line);
    let body = body.strip_suffix('\r').unwrap_or(body);
    line.split_at(body.len())
}
