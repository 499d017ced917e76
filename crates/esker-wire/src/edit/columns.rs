//! What the columns of a table are called: the rules by which addresses of edits name them, and differences do.

use std::collections::HashSet;

/// What stands between the cells of a table: tab before semicolon before comma, by what its first line holds.
pub fn mark(line: &str) -> u8 {
    let count = |mark: char| line.matches(mark).count();
    if line.contains('\t') {
        b'\t'
    } else if count(';') > count(',') {
        b';'
    } else {
        b','
    }
}

/// A name that is not among those before: namesakes get a number from the second on.
pub fn apart(names: &mut HashSet<String>, name: &str) -> String {
    let mut number = 1;
    let mut apart = name.to_owned();
    while !names.insert(apart.clone()) {
        number += 1;
        apart = format!("{name} {number}");
    }
    apart
}

/// Whether a row is words, no two alike, as a heading is.
pub fn is_words<'a>(row: impl IntoIterator<Item = &'a str>) -> bool {
    let mut names = HashSet::new();
    row.into_iter().all(|cell| is_word(cell.trim()) && names.insert(cell.trim()))
}

/// Whether a cell names something: it begins with a letter, `_`, `#` or `%`, and is no date.
fn is_word(cell: &str) -> bool {
    let begins = cell.starts_with(|c: char| c.is_alphabetic() || ['_', '#', '%'].contains(&c));
    begins && !is_date(cell)
}

/// `Jan 6, 2025`: a date that begins with a letter.
fn is_date(cell: &str) -> bool {
    let words: Vec<&str> = cell.split_whitespace().collect();
    let [month, day, year] = words.as_slice() else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    month.chars().all(char::is_alphabetic) && digits(day.trim_end_matches(',')) && digits(year)
}
