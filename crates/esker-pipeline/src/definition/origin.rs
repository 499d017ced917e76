//! Where a source's data comes from: which keys say so, and which go with them.

use super::Origin;
use super::folder::Pattern;
use super::gate;
use super::page::{Page, Table};
use super::parts::{PROGRAM_KEYS, program};
use super::pull::{self, Pull};
use super::read::Places;
use super::tap::{self, Tap};
use super::value::Schedule;

/// What every source may say.
const COMMON: [&str; 6] = ["output", "allow_empty", "every", "cron", "timezone", "stamp"];

/// The kinds of sources by the key that makes a source one, each with the keys that go with it.
pub(super) fn kinds() -> [(&'static str, Vec<&'static str>); 9] {
    [
        ("file", vec!["sheets"]),
        ("folder", Vec::new()),
        ("run", PROGRAM_KEYS.to_vec()),
        ("tap", [&tap::KEYS[..], &PROGRAM_KEYS[1..]].concat()),
        ("git", [&pull::GIT[..], &pull::BOUNDS].concat()),
        ("hub", [&pull::HUB[..], &pull::BOUNDS].concat()),
        ("jira", [&pull::JIRA[..], &pull::BOUNDS].concat()),
        ("sql", [&pull::SQL[..], &pull::BOUNDS].concat()),
        ("http", [&pull::HTTP[..], &pull::BOUNDS].concat()),
    ]
}

/// Every key of a source.
pub(super) fn keys() -> Vec<&'static str> {
    let kinds = kinds().into_iter().flat_map(|(kind, keys)| [vec![kind], keys].concat());
    COMMON.into_iter().chain(gate::KEYS).chain(kinds).collect()
}

pub(super) fn read(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    name: &str,
    places: &mut Places,
) -> Option<Origin> {
    let kind = kind(page, table)?;
    if let Some(value) = table.entries.get(kind) {
        places.origins.insert(name.to_owned(), page.place(value.span().start));
    }
    match kind {
        "file" => file(page, table),
        "folder" => page.parsed(table, "folder", Pattern::parse).map(Origin::Folder),
        "run" => program(page, table, name, places).map(Origin::Run),
        "tap" => {
            let program = program(page, table, name, places)?;
            Tap::read(page, table, program).map(Origin::Tap)
        }
        kind => Pull::of(kind, page, table).map(Origin::Pull),
    }
}

/// The key that says where the data comes from; complains if there is not one, and of keys that need another.
fn kind(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<&'static str> {
    let has = |key: &str| table.entries.contains_key(key);
    let kinds = kinds();
    let found: Vec<_> = kinds.iter().filter(|(kind, _)| has(kind)).collect();
    let [(kind, keys)] = found.as_slice() else {
        let message = match found.as_slice() {
            [(one, _), (other, _), ..] => format!("{} has both `{one}` and `{other}`", table.title),
            _ => format!("{} does not say where its data comes from", table.title),
        };
        let hint = "a source is a file (file = \"plan.xlsx\"), a folder (folder = \"drop/*.csv\"), a program (run = [\"python3\", \"pull.py\"]), an \
            address (http = \"https://…\"), a query (sql = \"select …\"), a tap (tap = [\"tap-jira\"]), issues (jira = \"https://…\"), a repository (git = \"https://…\") or another \
            esker (hub = \"tcp://…\")";
        page.error(&table.span, message, hint);
        return None;
    };
    for key in table.entries.keys() {
        let written = key.get_ref().as_ref();
        if written == *kind || keys.contains(&written) || is_common(written) {
            continue;
        }
        // One that no kind has is told as unknown.
        if let Some((needed, _)) = kinds.iter().find(|(_, keys)| keys.contains(&written)) {
            let message = format!("`{written}` in {} needs a `{needed}`", table.title);
            page.error(&key.span(), message, "remove it");
        }
    }
    Some(kind)
}

/// Whether a key goes with every kind.
pub(super) fn is_common(key: &str) -> bool {
    COMMON.contains(&key) || gate::KEYS.contains(&key)
}

fn file(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Origin> {
    let path = page.string(table, "file")?;
    if path.value.is_empty() || path.value.contains('\0') {
        let message = format!("`file` in {} names no file", table.title);
        page.error(&path.span, message, "name a file in the project's folder");
    }
    let sheets = page.strings(table, "sheets", false);
    if let Some(sheets) = &sheets
        && !crate::sheets::is_workbook(&path.value)
    {
        let message = format!("`sheets` in {}: {} has no sheets", table.title, path.value);
        page.error(&sheets.span, message, "only .xlsx, .xlsm and .ods have");
    }
    let names = sheets.map_or(Vec::new(), |sheets| sheets.value);
    Some(Origin::File {
        path: path.value,
        sheets: names.into_iter().map(|sheet| sheet.value).collect(),
    })
}

/// A file's schedule would do nothing.
pub(super) fn needed(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    schedule: Option<Schedule>,
) -> Option<Schedule> {
    let is_file = ["file", "folder"].iter().any(|key| table.entries.contains_key(*key));
    if !is_file {
        return schedule;
    }
    for key in ["every", "cron"] {
        if let Some((found, _)) = table.entries.get_key_value(key) {
            let title = &table.title;
            let message =
                format!("`{key}` in {title} is not needed: a file is read whenever it changes");
            page.warning(&found.span(), message, "remove it");
        }
    }
    None
}
