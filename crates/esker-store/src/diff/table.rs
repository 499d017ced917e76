//! The difference of tables: rows, columns and cells of CSV, TSV and stacked streams.
//!
//! Rows are known by their key: the columns asked for, else guessed; without a key by their order. What is told is
//! enough to make the newer tables from the older ones, cell by cell; how a cell was quoted or a line was ended is
//! no difference.

mod key;
mod read;
mod rows;
mod sheet;
mod tell;

use std::collections::HashMap;
use std::time::Instant;

use bytes::Bytes;

pub use read::{Table, read};
pub use sheet::Sheet;

use crate::diff::lines::{Lines, Stop};
use crate::diff::order::{Was, order};
use tell::Change;

/// The lines at the beginning of a text by which it is known to be a table.
const LOOKED_MAX: usize = 50;

/// What the content types of tables hold.
const TABLES: [&str; 3] = ["csv", "tab-separated-values", "tsv"];

/// Compares two contents.
///
/// # Errors
/// [`Stop`] says why they cannot be compared.
pub fn compare(contents: (&[u8], &[u8]), key: &[String], until: Instant) -> Result<Bytes, Stop> {
    let (mut old, mut new) = (read(contents.0, until)?, read(contents.1, until)?);
    // Nothing became a plain table, or the other way round: its rows and columns tell it better.
    match (old.as_slice(), new.as_slice()) {
        ([], [one]) if one.name.is_empty() => old.push(Table::empty()),
        ([one], []) if one.name.is_empty() => new.push(Table::empty()),
        _ => {}
    }
    check_key(&old, &new, key)?;
    Lines::collect(until, |lines| streams(&old, &new, key, lines))
}

fn streams(old: &[Table], new: &[Table], key: &[String], lines: &mut Lines) -> Result<(), Stop> {
    let places: HashMap<&str, usize> =
        old.iter().enumerate().map(|(place, table)| (table.name.as_str(), place)).collect();
    let was: Was = new.iter().map(|table| places.get(table.name.as_str()).copied()).collect();
    let order = order(old.len(), &was);
    for place in order.removed {
        let stream = old[place].name.as_str();
        lines.change(&Change::StreamRemove { stream, rows: old[place].rows.len() })?;
    }
    for (from, to) in order.moved {
        let stream = new[to].name.as_str();
        lines.change(&Change::StreamMove { stream, from: from + 1, to: to + 1 })?;
    }
    let nothing = Table::empty();
    for (place, table) in new.iter().enumerate() {
        let before = match was[place] {
            Some(before) => &old[before],
            None => {
                lines.change(&Change::StreamAdd { stream: &table.name, at: place + 1 })?;
                &nothing
            }
        };
        rows::compare(before, table, key, lines)?;
    }
    Ok(())
}

/// Whether a content is tables: by its content type, else by its looks, as stacked streams or rows of one width under
/// a heading.
pub fn suits(content_type: Option<&str>, content: &[u8]) -> bool {
    let told = content_type.unwrap_or_default().to_ascii_lowercase();
    TABLES.iter().any(|kind| told.contains(kind)) || read::looks_like(content)
}

/// A key that no table has is a mistake; one that some have is meant for those.
fn check_key(old: &[Table], new: &[Table], key: &[String]) -> Result<(), Stop> {
    let has = |column: &String| {
        let mut tables = old.iter().chain(new);
        tables.any(|table| sheet::place_of(table, column).is_some())
    };
    match key.iter().find(|column| !has(column)) {
        Some(column) => Err(Stop::NoColumn(format!("there is no column {column:?}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
