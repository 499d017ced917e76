//! Ranks: whole numbers in a column of a table, where a row that gets another makes the ones between move by one.
//!
//! The row is given the rank as it is asked for. Rows between its old rank and the new one, the new one included, move by
//! one towards the old one; so a permutation stays one. Rows of one rank move together, and gaps stay where they
//! are, but for the row's own old rank, which becomes one if the new rank was nobody's. A row without a rank comes
//! in: all ranks from the new one on go up by one. Cells that are no whole numbers are left alone.

use std::collections::HashMap;

use super::table::{Id, Table};

/// The ranks of a table, which are written when all of them are known.
pub(super) struct Ranks {
    pub(super) column: usize,
    now: Vec<(Id, Option<u64>)>,
    /// Where a row's rank is.
    places: HashMap<Id, usize>,
    was: Vec<Option<u64>>,
    /// What is written in a cell that is neither empty nor a rank.
    odd: HashMap<Id, String>,
}

impl Ranks {
    pub(super) fn of(table: &Table<'_>, column: usize) -> Self {
        let mut ranks = Self {
            column,
            now: Vec::with_capacity(table.order.len()),
            places: HashMap::with_capacity(table.order.len()),
            was: Vec::new(),
            odd: HashMap::new(),
        };
        for id in &table.order {
            let text = table.text(*id, column);
            let rank = text.trim().parse().ok();
            if rank.is_none() && !text.trim().is_empty() {
                ranks.odd.insert(*id, text.into_owned());
            }
            ranks.places.insert(*id, ranks.now.len());
            ranks.now.push((*id, rank));
        }
        ranks.was = ranks.now.iter().map(|(_, rank)| *rank).collect();
        ranks
    }

    /// A row's rank, if it has one; what stands there instead if that is something else.
    pub(super) fn of_row(&self, id: Id) -> Result<Option<u64>, String> {
        match self.odd.get(&id) {
            Some(text) => Err(text.clone()),
            None => Ok(self.places.get(&id).and_then(|place| self.now[*place].1)),
        }
    }

    /// Gives a row a rank.
    pub(super) fn give(&mut self, id: Id, rank: u64) {
        let Some(place) = self.places.get(&id).copied() else {
            return;
        };
        let old = self.now[place].1;
        for (row, other) in &mut self.now {
            let Some(now) = other.filter(|_| *row != id) else {
                continue;
            };
            match old {
                Some(old) if old < now && now <= rank => *other = Some(now - 1),
                Some(old) if rank <= now && now < old => *other = Some(now + 1),
                None if rank <= now => *other = Some(now.saturating_add(1)),
                _ => {}
            }
        }
        self.now[place].1 = Some(rank);
    }

    /// Writes the ranks that are not as they were.
    pub(super) fn write(self, table: &mut Table<'_>) {
        for ((id, now), was) in self.now.into_iter().zip(self.was) {
            if let Some(rank) = now.filter(|_| now != was) {
                let written = table.set(id, self.column, &rank.to_string());
                written.expect("digits fit into any cell");
            }
        }
    }
}
