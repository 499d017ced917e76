//! From the text of `esker.toml` to a [`Definition`]: the tables and what they refer to.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use esker_wire::name::Resource;
use jiff::Timestamp;
use toml::de::DeTable;

use super::defect::Defect;
use super::graph::Makers;
use super::page::{Marked, Page, Table};
use super::{
    Definition, Sockets, View, ViewKind, cluster, deliver, graph, keep, parts, store, value, ways,
    web,
};

/// Where the parts of a definition stand, by the name of the source or stage.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The line and column of the program's first word, or of the source's file.
    pub(super) origins: HashMap<String, (usize, usize)>,
    /// The line and column of each of its checks.
    pub(super) checks: HashMap<String, Vec<(usize, usize)>>,
    /// The pools that stages name, each with how the stage is written.
    pub(super) pools: Vec<(String, Marked<String>)>,
}

/// The tables there are.
pub(super) const KEYS: [&str; 15] = [
    "project", "hub", "model", "store", "web", "cluster", "alias", "keep", "source", "stage",
    "view", "limits", "pool", "lineage", "webhook",
];

/// The most programs that may be asked to run at once.
pub(super) const JOBS_MAX: u32 = 256;

/// The keys of `[project]`.
pub(super) const PROJECT_KEYS: [&str; 1] = ["name"];
/// The keys of `[hub]` and `[model]`.
pub(super) const SOCKETS_KEYS: [&str; 2] = ["requests", "events"];
/// The keys of `[limits]`.
pub(super) const LIMITS_KEYS: [&str; 1] = ["jobs"];
/// The keys of `[view.NAME]`.
pub(super) const VIEW_KEYS: [&str; 3] = ["resource", "kind", "title"];

/// Reads a definition and everything that is wrong with its text. There is none if the text is no TOML.
pub(super) fn read(text: &str, now: Timestamp) -> (Option<Definition>, Places, Vec<Defect>) {
    let mut page = Page::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = format!("cannot read this as TOML: {}", one_line(error.message()));
        page.error(&error.span().unwrap_or(0..0), message, "");
    }
    if !errors.is_empty() {
        return (None, Places::default(), page.defects);
    }
    let root =
        Table { title: "the definition".to_owned(), span: 0..0, entries: document.get_ref() };
    page.check_keys(&root, &KEYS);
    let mut places = Places::default();
    let mut nodes = Vec::new();
    let sources = parts::sources(&mut page, &root, now, &mut nodes, &mut places);
    let stages = parts::stages(&mut page, &root, &mut nodes, &mut places);
    let makers = graph::check(&mut page, &nodes);
    let hub = sockets(&mut page, &root, "hub", HUB.map(str::to_owned));
    let definition = Definition {
        project: project(&mut page, &root),
        model: sockets(&mut page, &root, "model", beside(&hub)),
        hub,
        store: store::store(&mut page, &root),
        web: web::web(&mut page, &root),
        cluster: cluster::cluster(&mut page, &root),
        aliases: aliases(&mut page, &root),
        keep: keep::keep(&mut page, &root),
        views: views(&mut page, &root, &makers),
        sources,
        stages,
        jobs: jobs(&mut page, &root),
        pools: ways::pools(&mut page, &root, &places),
        lineage: deliver::lineage(&mut page, &root),
        webhooks: deliver::webhooks(&mut page, &root),
    };
    (Some(definition), places, page.defects)
}

/// TOML errors span several lines; ours are one each.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn project(page: &mut Page<'_>, root: &Table<'_, '_>) -> String {
    let hint = "write [project] and below it name = \"…\"";
    let Some(table) = page.table(root.entries, "project") else {
        if !root.entries.contains_key("project") {
            page.error(&(0..0), "the project has no name", hint);
        }
        return String::new();
    };
    page.check_keys(&table, &PROJECT_KEYS);
    let Some(name) = page.string(&table, "name") else {
        if !table.entries.contains_key("name") {
            page.error(&table.span, "the project has no name", hint);
        }
        return String::new();
    };
    if let Err(rule) = value::name(&name.value) {
        let message = format!("{:?} cannot name a project: {rule}", name.value);
        page.error(&name.span, message, "");
    }
    name.value
}

/// Where a hub listens if nothing is said.
const HUB: [&str; 2] = ["tcp://127.0.0.1:5000", "tcp://127.0.0.1:5100"];

/// How far above the hub's the ports of the model are if nothing is said: with another hub, another model.
const BESIDE: u16 = 200;

/// Where the model of a hub is published if nothing is said.
fn beside(hub: &Sockets) -> [String; 2] {
    [&hub.requests, &hub.events].map(|address| {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "0"));
        let port = port.parse().unwrap_or_default();
        let port = if port == 0 { 0 } else { u16::checked_add(port, BESIDE).unwrap_or_default() };
        format!("{host}:{port}")
    })
}

/// Where a service listens; there, if nothing is said.
fn sockets(
    page: &mut Page<'_>,
    root: &Table<'_, '_>,
    key: &str,
    [requests, events]: [String; 2],
) -> Sockets {
    let mut sockets = Sockets { requests, events };
    let Some(table) = page.table(root.entries, key) else {
        return sockets;
    };
    page.check_keys(&table, &SOCKETS_KEYS);
    if let Some(requests) = page.parsed(&table, "requests", value::endpoint) {
        sockets.requests = requests;
    }
    if let Some(events) = page.parsed(&table, "events", value::endpoint) {
        sockets.events = events;
    }
    if sockets.requests == sockets.events && !sockets.requests.ends_with(":0") {
        let message = format!("requests and events are both served at {}", sockets.requests);
        page.error(&table.span, message, "give one of them another port");
    }
    sockets
}

fn jobs(page: &mut Page<'_>, root: &Table<'_, '_>) -> usize {
    let jobs = page.table(root.entries, "limits").and_then(|table| {
        page.check_keys(&table, &LIMITS_KEYS);
        page.number(&table, "jobs", 1..=JOBS_MAX)
    });
    match jobs {
        Some(jobs) => jobs as usize,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

fn aliases(page: &mut Page<'_>, root: &Table<'_, '_>) -> BTreeMap<String, Resource> {
    let Some(table) = page.table(root.entries, "alias") else {
        return BTreeMap::new();
    };
    let mut aliases = BTreeMap::new();
    for (key, _) in table.entries {
        let name = key.get_ref().to_string();
        if name.is_empty() || name.chars().any(char::is_control) {
            let message =
                format!("{name:?} cannot be an alias: it is empty or holds control characters");
            page.error(&key.span(), message, "");
        }
        let target = page.string(&table, &name);
        if let Some(target) = target.and_then(|text| resource(page, text)) {
            aliases.insert(name, target.value);
        }
    }
    aliases
}

fn views(page: &mut Page<'_>, root: &Table<'_, '_>, makers: &Makers<'_>) -> Vec<View> {
    let mut views = Vec::new();
    for (name, table) in page.tables(root.entries, "view") {
        check_name(page, &name, &table.span);
        page.check_keys(&table, &VIEW_KEYS);
        let kind = page.parsed(&table, "kind", |text| match text {
            "plan" => Ok(ViewKind::Plan),
            "chart" => Ok(ViewKind::Chart),
            "table" => Ok(ViewKind::Table),
            "text" => Ok(ViewKind::Text),
            _ => Err(format!(
                "{text:?} is no kind; write \"plan\", \"chart\", \"table\" or \"text\""
            )),
        });
        let title = page.string(&table, "title").map(|title| title.value);
        let Some(shown) = required(page, &table, "resource") else {
            continue;
        };
        let Some(shown) = resource(page, shown) else {
            continue;
        };
        graph::check_made(page, makers, &shown);
        views.push(View { name, resource: shown.value, kind, title });
    }
    views
}

/// A string that has to be there.
pub(super) fn required(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    key: &str,
) -> Option<Marked<String>> {
    if !table.entries.contains_key(key) {
        let message = format!("{} has no `{key}`", table.title);
        page.error(&table.span, message, format!("add {key} = \"…\""));
    }
    page.string(table, key)
}

/// A text as a resource's name.
pub(super) fn resource(page: &mut Page<'_>, text: Marked<String>) -> Option<Marked<Resource>> {
    match text.value.parse() {
        Ok(value) => Some(Marked { value, span: text.span }),
        Err(error) => {
            page.error(&text.span, error.to_string(), "");
            None
        }
    }
}

/// The name of a table that runs or shows something.
pub(super) fn check_name(page: &mut Page<'_>, name: &str, span: &Range<usize>) {
    if let Err(rule) = value::name(name) {
        page.error(span, format!("{name:?} cannot be a name: {rule}"), "");
    }
}
