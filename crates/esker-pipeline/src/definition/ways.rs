//! How a stage goes about its inputs: which may be missing, which must belong together, what goes first.

use std::collections::BTreeMap;

use esker_wire::name::Resource;

use super::page::{Marked, Page, Table, nearest};
use super::read::{JOBS_MAX, Places, check_name};

/// The least and the most a stage may be preferred.
const PRIORITY_MAX: u32 = 100;

/// The keys read here.
pub(super) const KEYS: [&str; 8] =
    ["optional", "join", "priority", "mode", "pool", "preempt", "pure", "effects"];

/// The keys of `[pool.NAME]`.
pub(super) const POOL_KEYS: [&str; 1] = ["jobs"];

/// How the versions of a stage's inputs must belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// Where inputs come from the same thing, from the same version of it.
    #[default]
    Same,
    /// As they come.
    Any,
}

/// Which versions of its input a stage has to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The newest; what came and went while it was busy is passed over.
    #[default]
    Latest,
    /// Every one, in the order of the log.
    Each,
}

/// How a stage goes about its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways {
    /// The inputs it runs without while they do not exist.
    pub optional: Vec<Resource>,
    /// How the versions of its inputs must belong together.
    pub join: Join,
    /// What runs first where not all can run at once: the highest.
    pub priority: u32,
    /// Which versions of its input it has to see.
    pub mode: Mode,
    /// The pool it runs in, whose `jobs` bound it besides those of all.
    pub pool: Option<String>,
    /// Whether a run is stopped when its inputs are no longer the newest.
    pub preempt: bool,
    /// Whether the same inputs give the same outputs, so that those of an earlier run may be taken.
    pub pure: bool,
    /// Whether it does something in the world outside, so that it is left out of what-ifs.
    pub effects: bool,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            optional: Vec::new(),
            join: Join::default(),
            priority: 0,
            mode: Mode::default(),
            pool: None,
            preempt: false,
            pure: true,
            effects: false,
        }
    }
}

pub(super) fn read(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    inputs: &[Marked<Resource>],
    places: &mut Places,
) -> Ways {
    let join = page.parsed(table, "join", |text| match text {
        "same" => Ok(Join::Same),
        "any" => Ok(Join::Any),
        _ => Err(format!("{text:?} is neither \"same\" nor \"any\"")),
    });
    let priority = page.number(table, "priority", 0..=PRIORITY_MAX);
    let mode = page.parsed(table, "mode", |text| match text {
        "latest" => Ok(Mode::Latest),
        "each" => Ok(Mode::Each),
        _ => Err(format!("{text:?} is neither \"latest\" nor \"each\"")),
    });
    let pool = page.string(table, "pool");
    let ways = Ways {
        optional: optional(page, table, inputs),
        join: join.unwrap_or_default(),
        priority: priority.unwrap_or(0),
        mode: mode.unwrap_or_default(),
        pool: pool.as_ref().map(|pool| pool.value.clone()),
        preempt: page.boolean(table, "preempt").unwrap_or(false),
        pure: page.boolean(table, "pure").unwrap_or(true),
        effects: page.boolean(table, "effects").unwrap_or(false),
    };
    check(page, table, (inputs.len(), &ways));
    places.pools.extend(pool.map(|pool| (table.title.clone(), pool)));
    ways
}

fn optional(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    inputs: &[Marked<Resource>],
) -> Vec<Resource> {
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
    optional
}

/// Complains about ways that do not go together.
fn check(page: &mut Page<'_>, table: &Table<'_, '_>, (inputs, ways): (usize, &Ways)) {
    if ways.mode == Mode::Latest {
        return;
    }
    if inputs > 1 {
        let message = format!("{} has several inputs and mode = \"each\"", table.title);
        let hint = "versions of several inputs have no common order; give it one input";
        page.error(&table.span, message, hint);
    }
    if ways.preempt {
        let message = format!("{} is to see each version and to be stopped", table.title);
        page.error(&table.span, message, "remove `preempt`, or mode = \"each\"");
    }
}

/// Reads how many programs each pool runs at once, and complains about stages whose pool there is not.
pub(super) fn pools(
    page: &mut Page<'_>,
    root: &Table<'_, '_>,
    places: &Places,
) -> BTreeMap<String, usize> {
    let mut pools = BTreeMap::new();
    for (name, table) in page.tables(root.entries, "pool") {
        check_name(page, &name, &table.span);
        page.check_keys(&table, &POOL_KEYS);
        let jobs = page.number(&table, "jobs", 1..=JOBS_MAX);
        if jobs.is_none() && !table.entries.contains_key("jobs") {
            let message = format!("{} has no `jobs`", table.title);
            page.error(&table.span, message, "say how many programs it runs at once: jobs = 1");
        }
        pools.insert(name, jobs.map_or(1, |jobs| jobs as usize));
    }
    let known: Vec<&str> = pools.keys().map(String::as_str).collect();
    let unknown = |pool: &Marked<String>| !known.contains(&pool.value.as_str());
    for (title, pool) in places.pools.iter().filter(|(_, pool)| unknown(pool)) {
        let message = format!("{title} runs in the pool {:?}, but there is none", pool.value);
        page.error(&pool.span, message, nearest_pool(&pool.value, &known));
    }
    pools
}

fn nearest_pool(name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("write [pool.{name}] and below it jobs = 1"),
        known => nearest(name, known),
    }
}
