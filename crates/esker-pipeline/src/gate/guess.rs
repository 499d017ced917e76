//! A schema guessed from a table: what is true of every row of it, and likely to be meant.
//!
//! Whatever is guessed is held against the table before it is told, so that a guess never refuses what it is of.

use std::collections::{BTreeMap, HashSet};

use csv::ByteRecord;
use serde_json::{Map, Value, json};

use super::BOM;
use super::cell::{self, Constraints, Digits, Kind};
use super::rows::Rows;
use super::schema;
use super::table::{self, Part};

/// How many different values of a column are remembered: of more nobody knows whether one comes twice.
const VALUES_MAX: usize = 1_000_000;

/// A type, and how the schema says it.
struct Candidate {
    kind: Kind,
    says: Value,
}

/// What is known of a column so far.
struct Column {
    name: String,
    /// What all its values may be, the narrowest first.
    candidates: Vec<Candidate>,
    is_filled: bool,
    /// Its values, as long as no two are alike.
    values: Option<HashSet<String>>,
    has_any: bool,
}

/// What is known of a table.
#[derive(Default)]
struct Looks {
    columns: Vec<Column>,
    rows: usize,
    /// What a schema has to allow.
    allow: Vec<&'static str>,
}

/// A Data Package of the streams that a schema can be written of, and why the others have none.
pub(crate) fn of_streams(content: &[u8]) -> (Option<Value>, Vec<String>) {
    let (mut resources, mut notes) = (Vec::new(), Vec::new());
    let streams = match table::parts(content) {
        Ok(streams) => streams,
        Err(finding) => return (None, vec![finding.to_string()]),
    };
    for part in &streams {
        let name = part.stream.as_deref().unwrap_or_default();
        match of_part(part) {
            Ok(schema) => resources.push(json!({ "name": name, "schema": schema })),
            Err(why) => notes.push(format!("{name}: {why}")),
        }
    }
    let package = (!resources.is_empty()).then(|| json!({ "resources": resources }));
    (package, notes)
}

/// A Table Schema of a content.
///
/// # Errors
/// Why there is none that it would pass.
pub(crate) fn of_table(content: &[u8]) -> Result<Value, String> {
    of_part(&Part::whole(content))
}

fn of_part(part: &Part<'_>) -> Result<Value, String> {
    let looks = look(part)?;
    if looks.rows == 0 {
        return Err("it has no rows below its heading".to_owned());
    }
    let schema = looks.schema();
    let tables = schema::read(&schema).map_err(|wrong| wrong.message)?;
    let findings = table::judge(&tables, &Part { stream: None, ..part.clone() }, &BTreeMap::new());
    match findings.shown.first() {
        None => Ok(schema),
        Some(finding) => Err(finding.to_string()),
    }
}

fn look(part: &Part<'_>) -> Result<Looks, String> {
    let mut looks = Looks::default();
    let mut content: &[u8] = &part.bytes;
    if let Some(rest) = content.strip_prefix(BOM) {
        content = rest;
        looks.allow.push("bom");
    }
    let told = |finding: super::finding::Finding| finding.to_string();
    let mut rows = Rows::new(content, part.before, None).map_err(told)?;
    let mut record = ByteRecord::new();
    if rows.next(&mut record).map_err(told)?.is_none() {
        return Err("it is empty".to_owned());
    }
    looks.columns = looks.cells(&record)?.iter().map(|name| Column::new(name)).collect();
    while rows.next(&mut record).map_err(told)?.is_some() {
        let cells = looks.cells(&record)?;
        if cells.len() < looks.columns.len() {
            looks.allow("short");
        }
        for (column, cell) in
            looks.columns.iter_mut().zip(cells.iter().chain(std::iter::repeat(&String::new())))
        {
            column.add(cell);
        }
        looks.rows += 1;
    }
    Ok(looks)
}

impl Looks {
    fn allow(&mut self, word: &'static str) {
        if !self.allow.contains(&word) {
            self.allow.push(word);
        }
    }

    /// The cells of a row; what a schema has to allow of them is noted.
    fn cells(&mut self, record: &ByteRecord) -> Result<Vec<String>, String> {
        let last = record.len().saturating_sub(1);
        let mut cells = Vec::with_capacity(record.len());
        for (index, cell) in record.iter().enumerate() {
            let bare = cell.strip_suffix(b"\r").filter(|_| index == last);
            if bare.is_some() {
                self.allow("crlf");
            }
            let text = std::str::from_utf8(bare.unwrap_or(cell));
            let text = text.map_err(|_| "it is not UTF-8; save it so".to_owned())?;
            if text.contains('\n') {
                self.allow("newlines");
            }
            cells.push(text.to_owned());
        }
        Ok(cells)
    }

    fn schema(&self) -> Value {
        let mut columns = self.columns.iter().enumerate();
        let key = columns.find(|(at, column)| column.is_key(*at, self.rows)).map(|(_, one)| one);
        let key = key.map(|column| column.name.as_str());
        let fields: Vec<Value> = self.columns.iter().map(Column::field).collect();
        let mut schema = Map::new();
        schema.insert("fields".to_owned(), fields.into());
        if let Some(key) = key {
            schema.insert("primaryKey".to_owned(), key.into());
        }
        if !self.allow.is_empty() {
            schema.insert("allow".to_owned(), json!(self.allow));
        }
        schema.into()
    }
}

impl Column {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            candidates: candidates(),
            is_filled: true,
            values: Some(HashSet::new()),
            has_any: false,
        }
    }

    fn add(&mut self, cell: &str) {
        if cell.is_empty() {
            self.is_filled = false;
            return;
        }
        self.has_any = true;
        let none = Constraints::default();
        self.candidates.retain(|one| {
            cell::fault(&one.kind, &none, cell).is_none() && is_meant(&one.kind, cell)
        });
        let values = self.values.as_mut();
        let is_new = values
            .is_some_and(|values| values.len() < VALUES_MAX && values.insert(cell.to_owned()));
        if !is_new {
            self.values = None;
        }
    }

    /// Whether it names the rows: the first such column does. Whole numbers are names where they come first or are
    /// called so; elsewhere they are amounts that happen to differ.
    fn is_key(&self, at: usize, rows: usize) -> bool {
        let names = match self.candidates.first().map(|one| &one.kind) {
            None => true,
            Some(Kind::Integer(_)) => at == 0 || self.name.eq_ignore_ascii_case("id"),
            Some(_) => false,
        };
        rows > 1 && names && self.is_filled && self.values.is_some()
    }

    fn field(&self) -> Value {
        let mut field = Map::new();
        field.insert("name".to_owned(), self.name.clone().into());
        let narrowest = self.candidates.first().filter(|_| self.has_any);
        let says = narrowest.map_or_else(|| json!({ "type": "string" }), |one| one.says.clone());
        if let Value::Object(says) = says {
            field.extend(says);
        }
        if self.is_filled {
            field.insert("constraints".to_owned(), json!({ "required": true }));
        }
        field.into()
    }
}

/// The types there are, the narrowest first; a text is what is none of them.
fn candidates() -> Vec<Candidate> {
    let digits = |decimal| Digits { is_bare: true, decimal, group: None };
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    let (yes, no) = (words(&["true", "True", "TRUE"]), words(&["false", "False", "FALSE"]));
    let truth = json!({ "type": "boolean", "trueValues": yes, "falseValues": no });
    let kinds = [
        (Kind::Integer(digits('.')), json!({ "type": "integer" })),
        (Kind::Number(digits('.')), json!({ "type": "number" })),
        (Kind::Number(digits(',')), json!({ "type": "number", "decimalChar": "," })),
        (Kind::Boolean { yes, no }, truth),
        (Kind::Date(None), json!({ "type": "date" })),
        (Kind::DateTime(None), json!({ "type": "datetime" })),
    ];
    kinds.into_iter().map(|(kind, says)| Candidate { kind, says }).collect()
}

/// Whether a value that can be read so is likely to be meant so: `00123` names something, and counts nothing.
fn is_meant(kind: &Kind, cell: &str) -> bool {
    let digits = cell.trim_start_matches(['-', '+']);
    let is_padded = digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    !matches!(kind, Kind::Integer(_) | Kind::Number(_)) || (!is_padded && !cell.starts_with('+'))
}

#[cfg(test)]
mod tests;
