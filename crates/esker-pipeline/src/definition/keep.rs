//! The table `[keep]`: how much of a resource's past `esker prune` leaves.

use std::collections::BTreeMap;

use esker_wire::keep::Keep;
use esker_wire::name::Resource;

use super::page::{Marked, Page, Table};
use super::read::resource;

/// The table's name.
pub(super) const TABLE: &str = "keep";

pub(super) fn keep(page: &mut Page<'_>, root: &Table<'_, '_>) -> BTreeMap<Resource, Keep> {
    let Some(table) = page.table(root.entries, TABLE) else {
        return BTreeMap::new();
    };
    let mut rules = BTreeMap::new();
    for key in table.entries.keys() {
        let name = key.get_ref().to_string();
        let rule = page
            .parsed(&table, &name, |text| text.parse::<Keep>().map_err(|error| error.to_string()));
        let named = resource(page, Marked { value: name, span: key.span() });
        if let (Some(named), Some(rule)) = (named, rule) {
            rules.insert(named.value, rule);
        }
    }
    rules
}

#[cfg(test)]
mod tests;
