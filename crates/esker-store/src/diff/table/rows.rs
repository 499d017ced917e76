//! The difference of two tables: their columns, then their rows and cells.

use std::collections::HashMap;

use csv::StringRecord;
use similar::{Algorithm, DiffOp};

use super::key::{Key, choose};
use super::read::Table;
use super::sheet::{Sheet, cell, pair};
use super::tell::{Change, Named, Place};
use crate::diff::lines::{Lines, Stop};
use crate::diff::order::{Order, Was, order};

/// After how many rows to look at the clock.
const ROWS_LOOK: usize = 1_024;

/// Two tables, how they are compared, and where that is told.
struct Comparing<'a> {
    stream: &'a str,
    old: &'a Sheet<'a>,
    new: &'a Sheet<'a>,
    key: Key<'a>,
    columns: Order,
    lines: &'a mut Lines,
    /// Whether the line that says how the tables are compared is told.
    told: bool,
}

/// Compares two tables of one name.
pub(super) fn compare(
    old: &Table,
    new: &Table,
    key: &[String],
    lines: &mut Lines,
) -> Result<(), Stop> {
    if old.rows == new.rows {
        return Ok(());
    }
    let (old, new_sheet) = pair(old, new, key);
    let was: Was = new_sheet.columns.iter().map(|name| old.column(name)).collect();
    let columns = order(old.columns.len(), &was);
    let (key, was) = choose(&old, &new_sheet, key, lines)?;
    let was = match was {
        Some(was) => was,
        None => by_order(&old, &new_sheet, &columns, lines)?,
    };
    let mut comparing = Comparing {
        stream: &new.name,
        old: &old,
        new: &new_sheet,
        key,
        columns,
        lines,
        told: false,
    };
    comparing.columns()?;
    comparing.rows(&order(old.rows.len(), &was))
}

impl<'a> Comparing<'a> {
    fn columns(&mut self) -> Result<(), Stop> {
        let (old, new) = (self.old, self.new);
        let place = Place { stream: self.stream, key: Named::default() };
        for at in self.columns.removed.clone() {
            let column = old.columns[at].as_str();
            self.change(&Change::ColumnRemove { place: place.clone(), column, at: at + 1 })?;
        }
        for at in self.columns.added.clone() {
            let column = new.columns[at].as_str();
            self.change(&Change::ColumnAdd { place: place.clone(), column, at: at + 1 })?;
        }
        for (from, to) in self.columns.moved.clone() {
            let (column, place) = (new.columns[to].as_str(), place.clone());
            self.change(&Change::ColumnMove { place, column, from: from + 1, to: to + 1 })?;
        }
        Ok(())
    }

    fn rows(&mut self, rows: &Order) -> Result<(), Stop> {
        let (old, new) = (self.old, self.new);
        let (key_old, key_new) = (self.key.places_old(), self.key.places_new());
        for at in &rows.removed {
            let row = &old.rows[*at];
            let (place, cells) = (self.place(row, &key_old), named(old, row));
            self.change(&Change::RowRemove { place, row: at + 1, cells })?;
        }
        for at in &rows.added {
            let row = &new.rows[*at];
            let (place, cells) = (self.place(row, &key_new), named(new, row));
            self.change(&Change::RowAdd { place, row: at + 1, cells })?;
        }
        for (from, to) in &rows.moved {
            let place = self.place(&new.rows[*to], &key_new);
            self.change(&Change::RowMove { place, from: from + 1, to: to + 1 })?;
        }
        for (count, (from, to)) in rows.both.iter().enumerate() {
            if count.is_multiple_of(ROWS_LOOK) {
                self.lines.in_time()?;
            }
            self.cells(*from, *to, &key_new)?;
        }
        Ok(())
    }

    fn cells(&mut self, from: usize, to: usize, key: &[usize]) -> Result<(), Stop> {
        let (before, after) = (&self.old.rows[from], &self.new.rows[to]);
        for column in 0..self.new.columns.len() {
            let new = cell(after, column);
            let old = self.columns.was(column).map(|column| cell(before, column));
            if old.unwrap_or_default() == new {
                continue;
            }
            let (place, name) = (self.place(after, key), self.new.columns[column].as_str());
            self.change(&Change::Cell { place, row: to + 1, column: name, old, new })?;
        }
        Ok(())
    }

    fn place(&self, row: &'a StringRecord, key: &[usize]) -> Place<'a>
    where
        Self: 'a,
    {
        let cells = key.iter().map(|column| cell(row, *column));
        Place {
            stream: self.stream,
            key: Named(self.key.names.iter().copied().zip(cells).collect()),
        }
    }

    fn change(&mut self, change: &Change<'_>) -> Result<(), Stop> {
        if !self.told {
            self.told = true;
            self.lines.tell(&Change::Table {
                stream: self.stream,
                key: &self.key.names,
                columns: &self.new.columns,
                note: self.key.note.as_deref(),
            });
        }
        self.lines.change(change)
    }
}

fn named<'a>(sheet: &'a Sheet<'_>, row: &'a StringRecord) -> Named<'a> {
    let cells = sheet.columns.iter().enumerate();
    Named(cells.map(|(column, name)| (name.as_str(), cell(row, column))).collect())
}

/// For every newer row the older one that it was by the order of rows: an equal one; else the one whose place it took,
/// if as many rows took the place of as many others, or if at least half of it is the same.
fn by_order(old: &Sheet<'_>, new: &Sheet<'_>, columns: &Order, lines: &Lines) -> Result<Was, Stop> {
    let both = &columns.both;
    let mut known: HashMap<Vec<&str>, u32> = HashMap::new();
    let mut number = |row| {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        *known.entry(row).or_insert(next)
    };
    let old_rows = old.rows.iter();
    let before: Vec<u32> = old_rows
        .map(|row| number(both.iter().map(|(from, _)| cell(row, *from)).collect()))
        .collect();
    lines.in_time()?;
    let new_rows = new.rows.iter();
    let after: Vec<u32> =
        new_rows.map(|row| number(both.iter().map(|(_, to)| cell(row, *to)).collect())).collect();
    lines.in_time()?;
    let mut was = vec![None; after.len()];
    let until = Some(lines.until_half());
    for op in similar::capture_diff_slices_deadline(Algorithm::Myers, &before, &after, until) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => {
                (0..len).for_each(|step| was[new_index + step] = Some(old_index + step));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                for step in 0..old_len.min(new_len) {
                    let (from, to) = (old_index + step, new_index + step);
                    if old_len == new_len || is_alike(&old.rows[from], &new.rows[to], both) {
                        was[to] = Some(from);
                    }
                }
            }
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {}
        }
    }
    Ok(was)
}

/// Whether at least half of the cells of two rows are the same.
fn is_alike(old: &StringRecord, new: &StringRecord, both: &[(usize, usize)]) -> bool {
    let same = both.iter().filter(|(from, to)| cell(old, *from) == cell(new, *to)).count();
    2 * same >= both.len() && same > 0
}
