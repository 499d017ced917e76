//! The tables `[source.X]` and `[stage.X]`.

use std::time::Duration;

use esker_wire::name::Resource;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::gate::{self, Owner};
use super::graph::Node;
use super::page::{Marked, Page, Table};
use super::read::{Places, check_name, required, resource};
use super::value::{self, Schedule};
use super::{Origin, Program, Source, Stage, origin, split, ways};

/// The most retries that may be asked for.
const RETRY_MAX: u32 = 100;
/// The exit codes that a program may give itself.
const EXITS: std::ops::RangeInclusive<u32> = 0..=255;
/// The most often a source may be read by itself.
const EVERY_MIN: Duration = Duration::from_secs(1);

pub(super) const PROGRAM_KEYS: [&str; 12] = [
    "run",
    "timeout",
    "grace",
    "output_max",
    "retry",
    "allow_empty",
    "code",
    "env",
    "secret",
    "ok_exit",
    "salt",
    "previous",
];
/// What a stage has besides the keys of its program.
const STAGE_KEYS: [&str; 3] = ["input", "output", "stamp"];

/// Every key of a stage.
pub(super) fn stage_keys() -> Vec<&'static str> {
    [&STAGE_KEYS[..], &ways::KEYS, &split::KEYS, &PROGRAM_KEYS, &gate::KEYS].concat()
}

pub(super) fn sources(
    page: &mut Page<'_>,
    root: &Table<'_, '_>,
    now: Timestamp,
    nodes: &mut Vec<Node>,
    places: &mut Places,
) -> Vec<Source> {
    let mut sources = Vec::new();
    for (name, table) in page.tables(root.entries, "source") {
        check_name(page, &name, &table.span);
        page.check_keys(&table, &origin::keys());
        let origin = origin::read(page, &table, &name, places);
        let schedule = schedule(page, &table, now);
        let schedule = origin::needed(page, &table, schedule);
        let output = required(page, &table, "output").and_then(|text| resource(page, text));
        let Some(output) = output else {
            continue;
        };
        let Some(origin) = origin else {
            nodes.push(node(&name, &table, Vec::new(), vec![output]));
            continue;
        };
        let outputs = std::slice::from_ref(&output.value);
        let env = match &origin {
            Origin::Run(program) => program.env.as_slice(),
            Origin::Tap(tap) => tap.program.env.as_slice(),
            Origin::File { .. } | Origin::Folder(_) | Origin::Pull(_) => &[],
        };
        let gate = gate::gate(page, &table, &Owner { name: &name, outputs, env }, places);
        let source = Source {
            name,
            gate,
            origin,
            schedule,
            output: output.value,
            stamp: stamp(page, &table),
            allow_empty: page.boolean(&table, "allow_empty").unwrap_or(false),
        };
        let span = &output.span;
        let below = source.has_streams().then(|| source.output.clone());
        let made = source.outputs().into_iter().chain(below.clone());
        let made = made.map(|value| Marked { value, span: span.clone() });
        nodes.push(Node { below, ..node(&source.name, &table, Vec::new(), made.collect()) });
        sources.push(source);
    }
    sources
}

pub(super) fn stages(
    page: &mut Page<'_>,
    root: &Table<'_, '_>,
    nodes: &mut Vec<Node>,
    places: &mut Places,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    for (name, table) in page.tables(root.entries, "stage") {
        check_name(page, &name, &table.span);
        page.check_keys(&table, &stage_keys());
        let inputs = resources(page, &table, "input");
        let outputs = resources(page, &table, "output");
        let bare = |marked: &[Marked<Resource>]| -> Vec<Resource> {
            marked.iter().map(|m| m.value.clone()).collect()
        };
        let ways = ways::read(page, &table, &inputs, places);
        let (input_names, output_names) = (bare(&inputs), bare(&outputs));
        nodes.push(node(&name, &table, inputs, outputs));
        let Some(program) = program(page, &table, &name, places) else {
            continue;
        };
        let owner = Owner { name: &name, outputs: &output_names, env: &program.env };
        let gate = gate::gate(page, &table, &owner, places);
        let split = split::read(page, &table, (&program, &ways), output_names.len());
        stages.push(Stage {
            name,
            gate,
            inputs: input_names,
            outputs: output_names,
            ways,
            split,
            program,
            stamp: stamp(page, &table),
            allow_empty: page.boolean(&table, "allow_empty").unwrap_or(false),
        });
    }
    stages
}

fn node(
    name: &str,
    table: &Table<'_, '_>,
    inputs: Vec<Marked<Resource>>,
    outputs: Vec<Marked<Resource>>,
) -> Node {
    Node {
        title: table.title.clone(),
        name: name.to_owned(),
        span: table.span.clone(),
        inputs,
        outputs,
        below: None,
    }
}

/// One resource or several, each once.
fn resources(page: &mut Page<'_>, table: &Table<'_, '_>, key: &str) -> Vec<Marked<Resource>> {
    let Some(list) = page.strings(table, key, true) else {
        if !table.entries.contains_key(key) {
            let message = format!("{} has no `{key}`", table.title);
            page.error(&table.span, message, format!("add {key} = \"…\""));
        }
        return Vec::new();
    };
    if list.value.is_empty() {
        let message = format!("`{key}` in {} names nothing", table.title);
        page.error(&list.span, message, "name at least one resource");
    }
    let mut found: Vec<Marked<Resource>> = Vec::new();
    for text in list.value {
        let Some(one) = resource(page, text) else {
            continue;
        };
        if found.iter().any(|known| known.value == one.value) {
            let message = format!("`{key}` in {} names {} twice", table.title, one.value);
            page.error(&one.span, message, "name it once");
        }
        found.push(one);
    }
    found
}

pub(super) fn program(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    name: &str,
    places: &mut Places,
) -> Option<Program> {
    let timeout = page.parsed(table, "timeout", value::positive);
    let grace = page.parsed(table, "grace", value::duration);
    let output_max = page.parsed(table, "output_max", value::size);
    let retry = page.number(table, "retry", 0..=RETRY_MAX);
    let code = page.strings(table, "code", true).map(|list| list.value);
    let env = page.strings(table, "env", true).map(|list| list.value);
    for path in code.iter().flatten() {
        let outside = path.value.starts_with('/') || path.value.split('/').any(|part| part == "..");
        if outside || path.value.is_empty() {
            let message = format!("`code` in {} names {:?}", table.title, path.value);
            page.error(&path.span, message, "code is inside the project's folder");
        }
    }
    for variable in env.iter().flatten() {
        if variable.value.is_empty() || variable.value.contains(['=', '\0']) {
            let message = format!("{:?} cannot name an environment variable", variable.value);
            page.error(&variable.span, message, "write its name alone, without a value");
        }
    }
    let secrets = page.secrets(table);
    let ok_exit = page.numbers(table, "ok_exit", EXITS);
    let salt = page.string(table, "salt").map(|text| text.value);
    let previous = page.boolean(table, "previous").unwrap_or(false);
    let key = if table.entries.contains_key("tap") { "tap" } else { "run" };
    let argv = argv(page, table, key)?;
    places.origins.insert(name.to_owned(), page.place(argv[0].span.start));
    let bare = |list: Vec<Marked<String>>| list.into_iter().map(|word| word.value).collect();
    let usual = Program::new(bare(argv));
    Some(Program {
        timeout: timeout.unwrap_or(usual.timeout),
        grace: grace.unwrap_or(usual.grace),
        output_max: output_max.unwrap_or(usual.output_max),
        retry: retry.unwrap_or(0),
        code: code.map(bare),
        env: env.map_or(Vec::new(), bare),
        secrets,
        ok_exit: ok_exit.into_iter().map(|code| code as i32).filter(|code| *code != 0).collect(),
        salt,
        previous,
        ..usual
    })
}

/// The program that prints the essence of an output.
fn stamp(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Program> {
    table.entries.get("stamp")?;
    let words = argv(page, table, "stamp")?;
    Some(Program::new(words.into_iter().map(|word| word.value).collect()))
}

/// The words of a command.
fn argv(page: &mut Page<'_>, table: &Table<'_, '_>, key: &str) -> Option<Vec<Marked<String>>> {
    let hint = match key {
        "tap" => "write the tap and its arguments as a list: tap = [\"tap-jira\"]",
        _ => "write the program and its arguments as a list: run = [\"python3\", \"clean.py\"]",
    };
    if !table.entries.contains_key(key) {
        let message = format!("{} has no `{key}`", table.title);
        page.error(&table.span, message, hint);
        return None;
    }
    if let Some(toml::de::DeValue::String(_)) = table.entries.get(key).map(|v| v.get_ref()) {
        let text = page.string(table, key)?;
        let message = format!("`{key}` in {} is one string", table.title);
        page.error(&text.span, message, hint);
        return None;
    }
    let list = page.strings(table, key, false)?;
    if list.value.first().is_none_or(|word| word.value.is_empty()) {
        let message = format!("`{key}` in {} names no program", table.title);
        page.error(&list.span, message, hint);
        return None;
    }
    if let Some(word) = list.value.iter().find(|word| word.value.contains('\0')) {
        let message = format!("`{key}` in {} holds a NUL character", table.title);
        page.error(&word.span, message, "");
        return None;
    }
    Some(list.value)
}

fn schedule(page: &mut Page<'_>, table: &Table<'_, '_>, now: Timestamp) -> Option<Schedule> {
    let (every, cron) = (table.entries.get("every"), table.entries.get("cron"));
    if let (Some(_), Some(cron)) = (every, cron) {
        let message = format!("{} has both `every` and `cron`", table.title);
        page.error(&cron.span(), message, "keep one of them");
    }
    let zone = page.parsed(table, "timezone", |name| {
        TimeZone::get(name).map_err(|_| {
            format!("{name:?} is no time zone; write for example \"Europe/Paris\" or \"UTC\"")
        })
    });
    if let (Some(zone), None) = (table.entries.get("timezone"), cron) {
        let message = format!("`timezone` in {} needs a `cron`", table.title);
        page.error(&zone.span(), message, "remove it");
    }
    if cron.is_some() {
        let zone = zone.unwrap_or_else(TimeZone::system);
        return page.parsed(table, "cron", |text| Schedule::cron(text, zone, now));
    }
    page.parsed(table, "every", |text| match value::duration(text)? {
        short if short < EVERY_MIN => Err(format!("{text:?} is shorter than 1s")),
        every => Ok(Schedule::Every(every)),
    })
}
