//! The table `[store]`: what becomes of the snapshots.

use super::Store;
use super::large;
use super::page::{Page, Table};

pub(super) fn store(page: &mut Page<'_>, root: &Table<'_, '_>) -> Store {
    let Some(table) = page.table(root.entries, "store") else {
        return Store::default();
    };
    page.check_keys(&table, &large::KEYS);
    Store { large: large::large(page, &table) }
}
