//! Contents as trees: JSON and TOML as they are nested, tables and stacked streams by row and column.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use csv::StringRecord;
use esker_replica::json::{self, Json};
use esker_replica::path::{KEY_MAX, Key};
use esker_replica::tree::Tree;
use esker_replica::value::Value;
use esker_store::diff::table::{self, Sheet};

/// The largest content that is told, in bytes.
pub(super) const SIZE_MAX: u64 = 16 * 1024 * 1024;

/// The most cells that are told of one content.
const CELLS_MAX: usize = 1_000_000;

/// How long reading one may take.
const READING_MAX: Duration = Duration::from_secs(2);

/// The fields that items of an array are known by, the first that fits.
const NAMES: [&str; 3] = ["id", "key", "name"];

/// The deepest nesting that is told; models go deeper, but nobody reads it.
const DEPTH_MAX: usize = 64;

/// What is told of a content that is not told.
pub(super) fn none(why: &str) -> Tree {
    Tree::dict([("kind", Tree::from("none")), ("why", Tree::from(why))])
}

/// A content as a tree.
pub(super) fn tree(content_type: Option<&str>, content: &[u8]) -> Tree {
    let told = content_type.unwrap_or_default();
    let begins = content.trim_ascii_start().first();
    if told.contains("json") || begins.is_some_and(|byte| b"{[".contains(byte)) {
        match serde_json::from_slice::<Json>(content) {
            Ok(json) => return nested("json", &json),
            Err(_) if told.contains("json") => return none("it is no JSON"),
            Err(_) => {}
        }
    }
    if told.contains("toml") {
        let read = std::str::from_utf8(content).ok().and_then(|text| toml::from_str(text).ok());
        return read.map_or_else(|| none("it is no TOML"), |json: Json| nested("toml", &json));
    }
    if table::suits(content_type, content) {
        return tables(content).unwrap_or_else(|why| none(&why));
    }
    none("it is neither JSON nor TOML nor tables")
}

fn nested(kind: &str, json: &Json) -> Tree {
    let value = of_json(json, 0);
    Tree::dict([("kind", Tree::from(kind)), ("value", value)])
}

fn of_json(json: &Json, depth: usize) -> Tree {
    match json {
        _ if depth == DEPTH_MAX => json::tree(&Json::String(json.to_string())),
        Json::Object(values) if values.keys().all(|key| key.len() <= KEY_MAX) => {
            Tree::dict(values.iter().map(|(key, one)| (Key::new(key), of_json(one, depth + 1))))
        }
        Json::Array(items) => array(items, depth).unwrap_or_else(|| json::tree(json)),
        leaf => Tree::Leaf(json::value(leaf)),
    }
}

/// An array whose items have names is a dict by them, with the field and their order under `[]`.
fn array(items: &[Json], depth: usize) -> Option<Tree> {
    let by = NAMES.iter().find(|field| are_named(items, field))?;
    let named = || items.iter().filter_map(|item| name(item, by));
    let order = std::iter::once((*by).to_owned()).chain(named()).map(|name| Value::from(&*name));
    let order = Tree::Leaf(Value::List(order.collect()));
    let children =
        named().zip(items).map(|(name, item)| (Key::new(name), of_json(item, depth + 1)));
    Some(Tree::dict(children.chain([(Key::new("[]"), order)])))
}

fn are_named(items: &[Json], field: &str) -> bool {
    let mut seen = BTreeSet::from(["[]".to_owned()]);
    let mut is_named = |item: &Json| {
        name(item, field).is_some_and(|name| name.len() <= KEY_MAX && seen.insert(name))
    };
    !items.is_empty() && items.iter().all(&mut is_named)
}

fn name(item: &Json, field: &str) -> Option<String> {
    match item.get(field)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn tables(content: &[u8]) -> Result<Tree, String> {
    let tables =
        table::read(content, Instant::now() + READING_MAX).map_err(|stop| format!("{stop:?}"))?;
    let cells: usize = tables.iter().flat_map(|table| &table.rows).map(StringRecord::len).sum();
    if cells > CELLS_MAX {
        return Err(format!("it has {cells} cells, {CELLS_MAX} are told"));
    }
    let order = tables.iter().map(|table| Value::from(table.name.as_str()));
    let order = Tree::Leaf(Value::List(order.collect()));
    let told = tables.iter().map(|table| (Key::new(&table.name), sheet(&table.sheet())));
    let told = Tree::dict(told);
    Ok(Tree::dict([("kind", Tree::from("table")), ("order", order), ("tables", told)]))
}

/// A table: its columns, the order of its rows, and the rows by their keys.
fn sheet(sheet: &Sheet<'_>) -> Tree {
    let list = |texts: &[String]| {
        Tree::Leaf(Value::List(texts.iter().map(|text| Value::from(text.as_str())).collect()))
    };
    let (by, keys) = keys(sheet);
    let rows = keys.iter().zip(sheet.rows).map(|(key, row)| {
        let cells = sheet.columns.iter().zip(row).filter(|(column, _)| column.len() <= KEY_MAX);
        let cells = cells.map(|(column, cell)| (Key::new(column), Tree::from(cell)));
        (Key::new(key), Tree::dict(cells))
    });
    Tree::dict([
        ("columns", list(&sheet.columns)),
        ("key", list(&by)),
        ("order", list(&keys)),
        ("rows", Tree::dict(rows)),
    ])
}

/// The first column whose cells are filled and unique, else the first such two of the first ones, else the rows' numbers.
fn keys(sheet: &Sheet<'_>) -> (Vec<String>, Vec<String>) {
    const PAIRED_MAX: usize = 4;
    let width = sheet.columns.len();
    let singles = (0..width).map(|column| vec![column]);
    let paired = width.min(PAIRED_MAX);
    let pairs = (0..paired).flat_map(|a| (a + 1..paired).map(move |b| vec![a, b]));
    for columns in singles.chain(pairs) {
        if let Some(keys) = unique(sheet, &columns) {
            return (columns.iter().map(|column| sheet.columns[*column].clone()).collect(), keys);
        }
    }
    (Vec::new(), (1..=sheet.rows.len()).map(|number| number.to_string()).collect())
}

fn unique(sheet: &Sheet<'_>, columns: &[usize]) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::with_capacity(sheet.rows.len());
    let mut fractions = 0;
    for row in sheet.rows {
        let cells: Vec<&str> =
            columns.iter().map(|column| row.get(*column).unwrap_or_default()).collect();
        if cells.iter().any(|cell| cell.is_empty()) {
            return None;
        }
        let key = cells.join(" | ");
        if key.len() > KEY_MAX || !seen.insert(key.clone()) {
            return None;
        }
        // Numbers with a fraction measure something; that they differ is chance.
        fractions += usize::from(key.contains('.') && key.parse::<f64>().is_ok());
        keys.push(key);
    }
    (fractions < keys.len()).then_some(keys)
}

#[cfg(test)]
mod tests;
