//! `hub = "tcp://…"`: a resource of another esker.

use esker_wire::name::Resource;
use esker_wire::revision::At;

use super::super::page::{Page, Table};
use super::super::read::{required, resource};
use super::super::value;

/// A resource of another hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHub {
    /// Where it takes requests.
    pub address: String,
    /// What is read.
    pub resource: Resource,
    /// Which version of it.
    pub at: At,
}

impl OtherHub {
    pub(super) fn title(&self) -> String {
        let at = if self.at.is_head() { String::new() } else { format!("@{}", self.at) };
        format!("{} {}{at}", self.address, self.resource)
    }

    pub(super) fn read(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Self> {
        let address = page.parsed(table, "hub", value::endpoint);
        let at =
            page.parsed(table, "at", |text| text.parse::<At>().map_err(|error| error.to_string()));
        let named = required(page, table, "resource").and_then(|text| resource(page, text));
        Some(Self { address: address?, resource: named?.value, at: at.unwrap_or_else(At::head) })
    }
}
