//! By which columns rows are known: those asked for, else guessed.

use std::collections::HashMap;

use csv::StringRecord;

use super::sheet::{Sheet, cell};
use crate::diff::lines::{Lines, Stop};
use crate::diff::order::Was;

/// How many of the first columns may make a guessed key of two.
const PAIRED_MAX: usize = 6;
/// How many of the first columns may make a guessed key.
const SINGLE_MAX: usize = 32;
/// A key that leaves no more than one cell in so many as another is right beyond doubt.
const DOUBT: usize = 16;

/// The columns that name the rows, and what is to be said of them.
#[derive(Debug, Default)]
pub(super) struct Key<'a> {
    /// Their names; none if rows are known by their order.
    pub(super) names: Vec<&'a str>,
    /// Where they stand in the older and in the newer table.
    places: Vec<(usize, usize)>,
    /// Why the columns asked for do not do.
    pub(super) note: Option<String>,
}

/// The text of a row's key: no two keys have one text.
fn text(row: &StringRecord, columns: &[usize]) -> String {
    match columns {
        [column] => cell(row, *column).to_owned(),
        columns => {
            let cells = columns.iter().map(|column| cell(row, *column));
            cells.map(|cell| format!("{}:{cell}", cell.len())).collect()
        }
    }
}

impl<'a> Key<'a> {
    fn of(sheet: &'a Sheet<'_>, places: Vec<(usize, usize)>) -> Self {
        let names = places.iter().map(|(_, new)| sheet.columns[*new].as_str()).collect();
        Self { names, places, note: None }
    }

    /// The columns of the key in the older table.
    pub(super) fn places_old(&self) -> Vec<usize> {
        self.places.iter().map(|(old, _)| *old).collect()
    }

    /// The columns of the key in the newer table.
    pub(super) fn places_new(&self) -> Vec<usize> {
        self.places.iter().map(|(_, new)| *new).collect()
    }

    /// For every newer row the older one of the same key; none if two rows of a table have one key.
    fn matches(&self, (old, new): (&Sheet<'_>, &Sheet<'_>)) -> Option<Was> {
        let (columns_old, columns_new) = (self.places_old(), self.places_new());
        let mut places = HashMap::with_capacity(old.rows.len());
        for (place, row) in old.rows.iter().enumerate() {
            if places.insert(text(row, &columns_old), Some(place)).is_some() {
                return None;
            }
        }
        let mut was = Vec::with_capacity(new.rows.len());
        let mut seen = std::collections::HashSet::new();
        for row in new.rows {
            let key = text(row, &columns_new);
            // A key is taken by the first row that has it; the next one is its double.
            match places.get_mut(&key) {
                Some(place) => was.push(Some(place.take()?)),
                None if seen.insert(key) => was.push(None),
                None => return None,
            }
        }
        Some(was)
    }

    /// How many of the shared cells are others by it; all of a row that is in one table alone.
    fn changed(
        &self,
        (old, new): (&Sheet<'_>, &Sheet<'_>),
        (shared, was): (&[(usize, usize)], &Was),
    ) -> usize {
        let rows = new.rows.iter().zip(was);
        let cells = rows.map(|(row, was)| match was {
            None => shared.len(),
            Some(was) => {
                let before = &old.rows[*was];
                shared.iter().filter(|(a, b)| cell(before, *a) != cell(row, *b)).count()
            }
        });
        let known = was.iter().flatten().count();
        cells.sum::<usize>() + (old.rows.len() - known) * shared.len()
    }

    /// Whether the columns may name rows: every row has something in each, and none is all fractions, which measure.
    fn may_name(&self, (old, new): (&Sheet<'_>, &Sheet<'_>)) -> bool {
        let names = |rows: &[StringRecord], column: usize| {
            let mut cells = rows.iter().map(|row| cell(row, column));
            cells.all(|cell| !cell.is_empty())
                && !rows.iter().all(|row| is_fraction(cell(row, column)))
        };
        let mut places = self.places.iter();
        places.all(|(before, after)| names(old.rows, *before) && names(new.rows, *after))
    }
}

fn is_fraction(cell: &str) -> bool {
    cell.contains('.') && cell.trim().parse::<f64>().is_ok()
}

/// A key and for every newer row the older one; an empty key and none if rows are known by their order.
pub(super) fn choose<'a>(
    old: &'a Sheet<'a>,
    new: &'a Sheet<'a>,
    asked: &[String],
    lines: &Lines,
) -> Result<(Key<'a>, Option<Was>), Stop> {
    let sheets = (old, new);
    let places: Option<Vec<(usize, usize)>> =
        asked.iter().map(|name| Some((old.column(name)?, new.column(name)?))).collect();
    match places {
        Some(places) if !places.is_empty() => {
            let key = Key::of(new, places);
            if let Some(was) = key.matches(sheets) {
                return Ok((key, Some(was)));
            }
            let note =
                format!("two rows have one {}: rows are compared by their order", asked.join(", "));
            Ok((Key { note: Some(note), ..Key::default() }, None))
        }
        _ => guess(sheets, lines),
    }
}

/// The first column whose cells are filled, unique in both tables and mostly in both; else the first such two. Where
/// rows seem to be others through and through it may be a rank that names them, so of several the one that leaves most as
/// it was.
fn guess<'a>(
    sheets: (&'a Sheet<'a>, &'a Sheet<'a>),
    lines: &Lines,
) -> Result<(Key<'a>, Option<Was>), Stop> {
    let (old, new) = sheets;
    let shared: Vec<(usize, usize)> = new
        .columns
        .iter()
        .enumerate()
        .filter_map(|(place, name)| Some((old.column(name)?, place)))
        .take(SINGLE_MAX)
        .collect();
    let singles = shared.iter().map(|place| vec![*place]);
    let paired = &shared[..shared.len().min(PAIRED_MAX)];
    let pairs = (0..paired.len())
        .flat_map(|first| (first + 1..paired.len()).map(move |second| (first, second)))
        .map(|(first, second)| vec![paired[first], paired[second]]);
    let all = old.rows.len().min(new.rows.len());
    let cells = new.rows.len() * shared.len();
    let mut best: Option<(usize, usize, Key<'a>, Was)> = None;
    for places in singles.chain(pairs) {
        lines.in_time()?;
        let key = Key::of(new, places);
        if !key.may_name(sheets) {
            continue;
        }
        let Some(was) = key.matches(sheets) else {
            continue;
        };
        let known = was.iter().flatten().count();
        if best.as_ref().is_some_and(|(most, ..)| known < *most) {
            continue;
        }
        let changed = key.changed(sheets, (&shared, &was));
        let is_better =
            |(most, least, ..): &(usize, usize, _, _)| known > *most || changed < *least;
        if best.as_ref().is_none_or(is_better) {
            best = Some((known, changed, key, was));
        }
        if known == all && changed * DOUBT <= cells {
            break;
        }
    }
    // Numbers that happen to be unique name nothing: most of them would not be in both.
    match best {
        Some((known, _, key, was)) if 2 * known >= all && all > 0 => Ok((key, Some(was))),
        _ => Ok((Key::default(), None)),
    }
}
