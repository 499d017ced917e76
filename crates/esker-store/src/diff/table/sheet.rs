//! A table with its heading apart: columns with names of their own, and the rows below.

use std::collections::HashSet;

use csv::StringRecord;
use esker_wire::edit::columns::{apart, is_words};

use super::read::Table;

/// A table's columns and the rows below them.
#[derive(Debug)]
pub struct Sheet<'a> {
    /// The columns' names, no two alike; made up where the table has none.
    pub columns: Vec<String>,
    /// The rows without the heading.
    pub rows: &'a [StringRecord],
}

impl<'a> Sheet<'a> {
    fn new(table: &'a Table, named: bool) -> Self {
        let (heading, rows) = match table.rows.split_first() {
            Some((heading, rows)) if named => (Some(heading), rows),
            _ => (None, table.rows.as_slice()),
        };
        let width = table.rows.iter().map(StringRecord::len).max().unwrap_or(0);
        let mut names = HashSet::new();
        let name = |place: usize| {
            let name = heading.and_then(|row| row.get(place)).unwrap_or_default();
            let made_up = || format!("column {}", place + 1);
            let name = if name.is_empty() { made_up() } else { name.to_owned() };
            apart(&mut names, &name)
        };
        Self { columns: (0..width).map(name).collect(), rows }
    }

    /// Where a column stands.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

impl Table {
    /// The table with its heading apart, if its first row looks like one.
    pub fn sheet(&self) -> Sheet<'_> {
        let words = || self.rows.first().is_some_and(|row| row.len() > 1 && is_words(row));
        Sheet::new(self, is_heading(&self.rows).unwrap_or_else(words))
    }
}

/// A cell; one that a short row lacks is empty.
pub(super) fn cell(row: &StringRecord, column: usize) -> &str {
    row.get(column).unwrap_or_default()
}

/// Two tables with their headings apart: both have one or neither has.
pub(super) fn pair<'a>(old: &'a Table, new: &'a Table, key: &[String]) -> (Sheet<'a>, Sheet<'a>) {
    let holds = |table: &Table| !key.is_empty() && key.iter().all(|name| in_first(table, name));
    let named = match (is_heading(&old.rows), is_heading(&new.rows)) {
        _ if holds(old) || holds(new) => true,
        (Some(old), Some(new)) => old && new,
        (Some(known), None) | (None, Some(known)) => known,
        (None, None) => false,
    };
    (Sheet::new(old, named), Sheet::new(new, named))
}

fn in_first(table: &Table, name: &str) -> bool {
    table.rows.first().is_some_and(|row| row.iter().any(|cell| cell == name))
}

/// Where a column that a person names stands in a table, be it in its heading or made up.
pub(super) fn place_of(table: &Table, name: &str) -> Option<usize> {
    let named = Sheet::new(table, true).column(name);
    named.or_else(|| Sheet::new(table, false).column(name))
}

/// Whether the first row is a heading: words, no two alike, over rows that are no longer. Nobody can tell by less
/// than two rows.
pub(super) fn is_heading(rows: &[StringRecord]) -> Option<bool> {
    let [first, second, ..] = rows else {
        return None;
    };
    let filled = second.iter().any(|cell| !cell.is_empty());
    Some(filled && first.len() > 1 && second.len() <= first.len() && is_words(first))
}
