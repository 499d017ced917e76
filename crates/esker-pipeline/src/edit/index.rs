//! Rows by the texts of some columns, and which columns name the rows.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};

use super::table::{Id, Table};

/// How many of the first columns may be the key.
const KEY_MAX: usize = 32;
/// How many rows are looked at first: most columns that are no key show it soon.
const LOOKED_MAX: usize = 1_000;

/// Where rows may be, by a hash of their cells: eight bytes a row. What is found has to be looked at.
pub(super) struct Index {
    /// By which columns.
    pub(super) columns: Vec<usize>,
    /// Hash and row, sorted.
    sorted: Vec<u64>,
    /// Rows that came or changed since.
    more: HashMap<u32, Vec<Id>>,
}

fn hash<'t>(texts: impl Iterator<Item = Cow<'t, str>>) -> u32 {
    let mut hasher = DefaultHasher::new();
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff);
    }
    // Half of a hash is one.
    (hasher.finish() >> 32) as u32
}

impl Index {
    pub(super) fn of(table: &Table<'_>, columns: Vec<usize>) -> Self {
        let one = |id: &Id| {
            let hash = hash(columns.iter().map(|column| table.text(*id, *column)));
            u64::from(hash) << 32 | u64::from(*id)
        };
        let mut sorted: Vec<u64> = table.order.iter().map(one).collect();
        sorted.sort_unstable();
        Self { columns, sorted, more: HashMap::new() }
    }

    /// Takes in a row as it is now.
    pub(super) fn add(&mut self, table: &Table<'_>, id: Id) {
        let hash = hash(self.columns.iter().map(|column| table.text(id, *column)));
        self.more.entry(hash).or_default().push(id);
    }

    /// The rows that may hold these texts.
    pub(super) fn maybe(&self, values: &[&str]) -> Vec<Id> {
        let hash = hash(values.iter().map(|value| Cow::Borrowed(*value)));
        let from = self.sorted.partition_point(|one| (*one >> 32) < u64::from(hash));
        let same = self.sorted[from..].iter().take_while(|one| (*one >> 32) == u64::from(hash));
        let mut found: Vec<Id> = same.map(|one| (one & u64::from(u32::MAX)) as Id).collect();
        found.extend(self.more.get(&hash).into_iter().flatten());
        found
    }

    /// Whether no two rows are alike.
    fn is_unique(&self, table: &Table<'_>) -> bool {
        let texts = |id: Id| self.columns.iter().map(move |column| table.text(id, *column));
        let runs = self.sorted.chunk_by(|one, next| one >> 32 == next >> 32);
        runs.filter(|run| run.len() > 1).all(|run| {
            let mut seen = HashSet::new();
            let mut ids = run.iter().map(|one| (one & u64::from(u32::MAX)) as Id);
            ids.all(|id| seen.insert(texts(id).collect::<Vec<_>>()))
        })
    }
}

/// The columns that name the rows: those declared if the table has them, else the first whose cells are all filled and
/// unique; none if there is no such.
pub(super) fn choose(table: &Table<'_>, declared: &[String]) -> Vec<usize> {
    let places: Option<Vec<usize>> = declared
        .iter()
        .map(|name| table.columns.iter().position(|column| column == name))
        .collect();
    match places {
        Some(places) if !places.is_empty() => places,
        _ => {
            let mut columns = 0..table.columns.len().min(KEY_MAX);
            columns.find(|column| names_rows(table, *column)).into_iter().collect()
        }
    }
}

fn names_rows(table: &Table<'_>, column: usize) -> bool {
    let mut seen = HashSet::new();
    let mut first = table.order.iter().take(LOOKED_MAX).map(|id| table.text(*id, column));
    if !first.all(|cell| !cell.is_empty() && seen.insert(cell)) {
        return false;
    }
    table.order.iter().skip(LOOKED_MAX).all(|id| !table.text(*id, column).is_empty())
        && (table.order.len() <= LOOKED_MAX || Index::of(table, vec![column]).is_unique(table))
}
