//! How a stage goes about its inputs: which may be missing, which must belong together, what goes first.

use esker_wire::name::Resource;

use super::page::{Marked, Page, Table};

/// The least and the most a stage may be preferred.
const PRIORITY_MAX: u32 = 100;

/// The keys read here.
pub(super) const KEYS: [&str; 3] = ["optional", "join", "priority"];

/// How the versions of a stage's inputs must belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// Where inputs come from the same thing, from the same version of it.
    #[default]
    Same,
    /// As they come.
    Any,
}

/// How a stage goes about its inputs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// The inputs it runs without while they do not exist.
    pub optional: Vec<Resource>,
    /// How the versions of its inputs must belong together.
    pub join: Join,
    /// What runs first where not all can run at once: the highest.
    pub priority: u32,
}

pub(super) fn read(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    inputs: &[Marked<Resource>],
) -> Ways {
    let join = page.parsed(table, "join", |text| match text {
        "same" => Ok(Join::Same),
        "any" => Ok(Join::Any),
        _ => Err(format!("{text:?} is neither \"same\" nor \"any\"")),
    });
    let priority = page.number(table, "priority", 0..=PRIORITY_MAX);
    let mut optional = Vec::new();
    for text in page.strings(table, "optional", true).map_or(Vec::new(), |list| list.value) {
        let span = text.span.clone();
        let named = text.value.parse::<Resource>().ok();
        match named.filter(|name| inputs.iter().any(|input| input.value == *name)) {
            Some(name) => optional.push(name),
            None => {
                let message =
                    format!("`optional` in {} names {:?}, no input of it", table.title, text.value);
                page.error(&span, message, "name an input that may be missing");
            }
        }
    }
    if !optional.is_empty() && optional.len() >= inputs.len() {
        let message = format!("every input of {} is optional", table.title);
        page.error(&table.span, message, "leave one that it cannot do without");
    }
    Ways { optional, join: join.unwrap_or_default(), priority: priority.unwrap_or(0) }
}
