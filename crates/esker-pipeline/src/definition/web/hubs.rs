//! `[web.hub.NAME]`: the hubs whose projects one `esker web` shows, and what they may be called.

use esker_wire::hubs::{HUBS_MAX, TAKEN};

use super::super::page::{Page, Table};
use super::super::value;
use super::missing;

/// The keys of `[web.hub.NAME]`; the first has to be there.
pub(in super::super) const KEYS: [&str; 5] = ["address", "events", "model", "model_events", "app"];

/// How far above the requests' the port of the events is if nothing is said.
const EVENTS: u16 = 100;
/// How far above the hub's the model's is.
const MODEL: u16 = 200;

/// A hub whose project is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// What it is called: its pages are below `/NAME/` where there are several.
    pub name: String,
    /// Where it takes requests: `tcp://HOST:PORT`.
    pub address: String,
    /// Where it publishes events.
    pub events: String,
    /// Where its live model takes requests.
    pub model: String,
    /// Where its live model is published.
    pub model_events: String,
    /// The folder with the project's own pages, relative to the folder of this definition.
    pub app: Option<String>,
}

impl Hub {
    /// A hub whose other ports are as far from its first as they are if nothing is said.
    ///
    /// # Errors
    /// What is wrong with the name or the address.
    pub fn new(name: &str, address: &str) -> Result<Self, String> {
        check_name(name).map_err(|rule| format!("{name:?} cannot name a hub: {rule}"))?;
        let address = value::endpoint(address)?;
        let (events, model) = (above(&address, EVENTS)?, above(&address, MODEL)?);
        let model_events = above(&model, EVENTS)?;
        Ok(Self { name: name.to_owned(), address, events, model, model_events, app: None })
    }
}

/// Refuses those that are too many, or called alike.
///
/// # Errors
/// Which.
pub fn check_all(hubs: &[Hub]) -> Result<(), String> {
    if hubs.len() > HUBS_MAX {
        return Err(format!("there are {} hubs, at most {HUBS_MAX} are shown", hubs.len()));
    }
    let twice = hubs.iter().enumerate().find(|(at, hub)| is_named(&hubs[..*at], &hub.name));
    twice.map_or(Ok(()), |(_, hub)| Err(format!("two hubs are called {}", hub.name)))
}

fn is_named(hubs: &[Hub], name: &str) -> bool {
    hubs.iter().any(|hub| hub.name == name)
}

/// What a hub may be called: what a project may, and nothing that the server has there itself.
fn check_name(name: &str) -> Result<(), String> {
    value::name(name)?;
    match TAKEN.contains(&name) {
        true => Err(format!("/{name} is the server's own")),
        false => Ok(()),
    }
}

/// The address so many ports above.
fn above(address: &str, ports: u16) -> Result<String, String> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let port = port.parse::<u16>().ok().filter(|port| *port > 0);
    match port.and_then(|port| port.checked_add(ports)) {
        Some(port) => Ok(format!("{host}:{port}")),
        None => Err(format!("{address:?} has no port with another one {ports} above it")),
    }
}

pub(super) fn hubs(page: &mut Page<'_>, table: &Table<'_, '_>) -> Vec<Hub> {
    let mut tables = page.tables(table.entries, "hub");
    if tables.len() > HUBS_MAX {
        let message = format!("there are more than {HUBS_MAX} of [web.hub]");
        page.error(&tables[HUBS_MAX].1.span, message, "show the others by another `esker web`");
        tables.truncate(HUBS_MAX);
    }
    let each = tables.into_iter().filter_map(|(name, mut table)| {
        table.title = format!("[web.hub.{name}]");
        hub(page, &name, &table)
    });
    each.collect()
}

fn hub(page: &mut Page<'_>, name: &str, table: &Table<'_, '_>) -> Option<Hub> {
    page.check_keys(table, &KEYS);
    if let Err(rule) = check_name(name) {
        let hint = "it is the first part of its pages' addresses: give it another name";
        page.error(&table.span, format!("{name:?} cannot name a hub: {rule}"), hint);
        return None;
    }
    missing(page, table, KEYS[0], "write address = \"tcp://127.0.0.1:5000\", for example");
    let address = page.parsed(table, KEYS[0], value::endpoint)?;
    let events = beside(page, table, ("events", &address, EVENTS))?;
    let model = beside(page, table, ("model", &address, MODEL))?;
    let model_events = beside(page, table, ("model_events", &model, EVENTS))?;
    let app = page.string(table, "app").map(|app| app.value);
    Some(Hub { name: name.to_owned(), address, events, model, model_events, app })
}

/// The address that a key gives; so many ports above another one if nothing is said.
fn beside(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    (key, of, ports): (&str, &str, u16),
) -> Option<String> {
    if table.entries.contains_key(key) {
        return page.parsed(table, key, value::endpoint);
    }
    let found = above(of, ports);
    let wrong =
        |why| page.error(&table.span, format!("`{key}` in {}: {why}", table.title), "write it");
    found.map_err(wrong).ok()
}
