//! The columns of all tables of a history together, each with a name of its own.

use std::collections::{HashMap, HashSet};

/// The columns so far: those of every row, then those of the tables, in the order they were met.
#[derive(Debug)]
pub(super) struct Columns {
    /// Their names in what is written.
    pub(super) names: Vec<String>,
    /// Which table's column is which.
    places: HashMap<String, usize>,
    /// The names in lower case: a database tells no `Id` from `id`.
    taken: HashSet<String>,
}

impl Columns {
    /// The columns that every row has.
    pub(super) fn new(fixed: &[&str]) -> Self {
        let names: Vec<String> = fixed.iter().map(|name| (*name).to_owned()).collect();
        let taken = names.iter().cloned().collect();
        Self { names, places: HashMap::new(), taken }
    }

    /// Where a table's column stands; it is added if it is new.
    pub(super) fn place(&mut self, column: &str) -> usize {
        if let Some(place) = self.places.get(column) {
            return *place;
        }
        let column_name = column.replace('\0', " ");
        let mut name = column_name.clone();
        let mut number = 1;
        while !self.taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{column_name} {number}");
        }
        self.names.push(name);
        self.places.insert(column.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }
}

#[cfg(test)]
mod tests;
