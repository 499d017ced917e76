//! Whether tables are what their schemas say: columns, cells, keys.

mod keys;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use csv::ByteRecord;
use esker_wire::name::Resource;
use esker_wire::stacked;

use self::keys::{Foreign, Key};
use super::BOM;
use super::cell;
use super::finding::{Finding, Findings, quoted};
use super::rows::{Position, Rows};
use super::schema::{Matching, Schema, Tables};

/// A content, or one stream of it.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    /// The stream's name; none of a whole content.
    pub(crate) stream: Option<String>,
    pub(crate) bytes: Cow<'a, [u8]>,
    /// How many lines of the whole content are before it.
    pub(crate) before: usize,
}

impl<'a> Part<'a> {
    pub(crate) fn whole(content: &'a [u8]) -> Self {
        Self { stream: None, bytes: Cow::Borrowed(content), before: 0 }
    }

    /// One stream of a stacked stream.
    pub(crate) fn stream(content: &'a [u8], name: &str) -> Result<Self, Finding> {
        let streams = parts(content)?;
        let known: Vec<String> =
            streams.iter().filter_map(|stream| stream.stream.clone()).collect();
        let found = streams.into_iter().find(|stream| stream.stream.as_deref() == Some(name));
        found.ok_or_else(|| missing(name, &known))
    }
}

/// What tables are held against beside their own schema.
pub(crate) struct Around<'a> {
    /// The other streams of the content.
    streams: &'a [Part<'a>],
    /// The current versions of the resources that foreign keys refer to.
    pub(crate) resources: &'a BTreeMap<Resource, Bytes>,
}

fn missing(name: &str, known: &[String]) -> Finding {
    let known = known.join(", ");
    Finding::new(format!("there is no stream {}; there are: {known}", quoted(name)))
}

/// The streams of a stacked stream.
pub(super) fn parts(content: &[u8]) -> Result<Vec<Part<'static>>, Finding> {
    if !content.starts_with(stacked::HEADER) {
        let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let found = quoted(&String::from_utf8_lossy(line));
        let what = format!("expected a stacked stream, which begins with =====NAME, found {found}");
        return Err(Finding::new(what).on_line(1));
    }
    let streams = stacked::parse(content)
        .map_err(|error| Finding::new(format!("not a stacked stream: {error}")))?;
    let part = |stream: &stacked::Stream<'_>| Part {
        stream: Some(String::from_utf8_lossy(stream.name).into_owned()),
        bytes: Cow::Owned(stream.content()),
        before: stream.line,
    };
    Ok(streams.iter().map(part).collect())
}

/// Everything that is wrong with a content, or a stream of it.
pub(crate) fn judge(
    tables: &Tables,
    part: &Part<'_>,
    resources: &BTreeMap<Resource, Bytes>,
) -> Findings {
    let streams = match part.bytes.starts_with(stacked::HEADER) {
        true => parts(&part.bytes),
        false => Ok(Vec::new()),
    };
    let streams = match (streams, tables) {
        (Err(finding), _) => return Findings::one(finding),
        (Ok(streams), Tables::Streams(_)) if streams.is_empty() => {
            return parts(&part.bytes).err().map_or_else(Findings::default, Findings::one);
        }
        (Ok(streams), _) => streams,
    };
    let around = Around { streams: &streams, resources };
    match (tables, streams.as_slice()) {
        (Tables::One(schema), []) => of_table(schema, part, &around),
        (Tables::One(schema), [only]) => of_table(schema, only, &around),
        (Tables::One(_), several) => {
            let names: Vec<&str> =
                several.iter().filter_map(|stream| stream.stream.as_deref()).collect();
            Findings::one(Finding::new(format!(
                "it has {} streams: {}; name one with `stream`, or describe them in a Data Package",
                several.len(),
                names.join(", ")
            )))
        }
        (Tables::Streams(schemas), streams) => {
            let mut findings = Findings::default();
            for (name, schema) in schemas {
                match streams.iter().find(|stream| stream.stream.as_ref() == Some(name)) {
                    Some(stream) => findings.extend(of_table(schema, stream, &around)),
                    None => {
                        let known = streams.iter().filter_map(|stream| stream.stream.clone());
                        findings.push(missing(name, &known.collect::<Vec<_>>()));
                    }
                }
            }
            findings
        }
    }
}

fn of_table(schema: &Schema, part: &Part<'_>, around: &Around<'_>) -> Findings {
    let mut checker = Checker {
        schema,
        part,
        columns: Vec::new(),
        seen: Seen::default(),
        findings: Findings::default(),
    };
    if let Err(finding) = checker.run(around) {
        checker.push(finding);
    }
    checker.findings
}

/// What is told once of a table, however often it occurs.
#[derive(Default)]
struct Seen {
    crlf: bool,
}

/// A column as it is written, and its field.
struct Column {
    name: String,
    field: Option<usize>,
}

struct Checker<'a> {
    schema: &'a Schema,
    part: &'a Part<'a>,
    columns: Vec<Column>,
    seen: Seen,
    findings: Findings,
}

impl Checker<'_> {
    fn push(&mut self, finding: Finding) {
        let stream = self.part.stream.clone();
        self.findings.push(Finding { stream, ..finding });
    }

    fn find(&mut self, position: Position, column: Option<usize>, what: String) {
        let stream = self.part.stream.clone();
        let name = column.map(|column| format!("column {}", self.columns[column].name));
        let (line, row) = (Some(position.line), Some(position.row));
        self.findings.add(|| Finding { stream, line, row, place: name, what });
    }

    fn run(&mut self, around: &Around<'_>) -> Result<(), Finding> {
        let mut content: &[u8] = &self.part.bytes;
        if let Some(rest) = content.strip_prefix(BOM) {
            content = rest;
            if !self.schema.allow.bom {
                let what = "it begins with a byte order mark; save it as UTF-8 without one, or \
                    write \"allow\": [\"bom\"] in the schema";
                self.push(Finding {
                    row: Some(1),
                    ..Finding::new(what).on_line(self.part.before + 1)
                });
            }
        }
        let mut rows = Rows::new(content, self.part.before, self.schema.delimiter)?;
        let mut record = ByteRecord::new();
        let Some(heading) = rows.next(&mut record)? else {
            return Err(
                Finding::new("it is empty: it has no heading").on_line(self.part.before + 1)
            );
        };
        self.heading(&record, heading);
        let schema = self.schema;
        let mut unique: Vec<(usize, Key)> = Vec::new();
        for (column, known) in self.columns.iter().enumerate() {
            let field = known.field.map(|field| &schema.fields[field]);
            // Alone a primary key says so already.
            let is_key = known.field.is_some_and(|field| schema.primary_key == [field]);
            if field.is_some_and(|field| field.constraints.unique && !is_key) {
                unique.push((column, Key::default()));
            }
        }
        let mut primary = self.places(&schema.primary_key).map(|places| (places, Key::default()));
        let mut foreign = Vec::new();
        for key in &schema.foreign_keys {
            if let Some(places) = self.places(&key.fields) {
                match Foreign::read(key, self.part, around) {
                    Ok(known) => foreign.push((places, known)),
                    Err(finding) => self.push(finding),
                }
            }
        }
        while let Some(position) = rows.next(&mut record)? {
            let Some(cells) = self.cells(&record, position) else {
                continue;
            };
            for (column, key) in &mut unique {
                self.unique(key, &cells, &[*column], (position, "unique"));
            }
            if let Some((places, key)) = &mut primary {
                self.unique(key, &cells, places, (position, "primaryKey"));
            }
            for (places, known) in &foreign {
                self.foreign(known, &cells, places, position);
            }
        }
        Ok(())
    }

    /// The columns of these fields; none if one is not there, which is told already.
    fn places(&self, fields: &[usize]) -> Option<Vec<usize>> {
        if fields.is_empty() {
            return None;
        }
        let place = |field: &usize| self.columns.iter().position(|c| c.field == Some(*field));
        fields.iter().map(place).collect()
    }

    fn heading(&mut self, record: &ByteRecord, position: Position) {
        let last = record.len().saturating_sub(1);
        for (index, cell) in record.iter().enumerate() {
            let cell = if index == last { self.end(cell, position) } else { cell };
            let name = String::from_utf8_lossy(cell).into_owned();
            let field = self.schema.fields.iter().position(|field| field.name == name);
            let is_twice = self.columns.iter().any(|known| known.name == name);
            let field = field.filter(|_| !is_twice);
            self.columns.push(Column { name, field });
            if is_twice {
                self.find(position, Some(index), "the column comes twice".to_owned());
            }
            if let Err(what) = self.text(cell) {
                self.find(position, Some(index), what);
            }
        }
        self.matching(position);
    }

    /// Whether the columns are those of the schema.
    fn matching(&mut self, position: Position) {
        let schema = self.schema;
        let there = |field: usize| self.columns.iter().any(|column| column.field == Some(field));
        let absent: Vec<&str> = (0..schema.fields.len())
            .filter(|field| !there(*field))
            .map(|field| schema.fields[field].name.as_str())
            .collect();
        let unknown: Vec<usize> = (0..self.columns.len())
            .filter(|column| self.columns[*column].field.is_none())
            .collect();
        let is_none_known = unknown.len() == self.columns.len();
        use Matching::{Equal, Exact, Partial, Subset, Superset};
        let matching = schema.matching;
        let mut told = Vec::new();
        if matches!(matching, Exact | Equal | Subset) || matching == Partial && is_none_known {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            for name in &absent {
                let hint = crate::definition::nearest(name, &names);
                told.push((None, format!("the column {} is missing; {hint}", quoted(name))));
            }
        }
        if matches!(matching, Exact | Equal | Superset) {
            let what = "the column is not in the schema (fieldsMatch)";
            told.extend(unknown.iter().map(|column| (Some(*column), what.to_owned())));
        }
        let order = self.columns.iter().filter_map(|column| column.field);
        if matching == Exact && told.is_empty() && !order.is_sorted() {
            let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
            let what = format!(
                "the columns are not in the schema's order, {}; \"fieldsMatch\": \"equal\" allows any",
                names.join(", ")
            );
            told.push((None, what));
        }
        for (column, what) in told {
            self.find(position, column, what);
        }
    }

    /// The cells of a row, each checked by itself; none where there is no value. No row at all if it has too many
    /// cells or too few.
    fn cells<'r>(
        &mut self,
        record: &'r ByteRecord,
        position: Position,
    ) -> Option<Vec<Option<&'r str>>> {
        let last = record.len().saturating_sub(1);
        let (there, wanted) = (record.len(), self.columns.len());
        if there > wanted || (there < wanted && !self.schema.allow.short) {
            let what = format!("{} cells, the heading has {}", record.len(), self.columns.len());
            self.find(position, None, what);
            self.end(&record[last], position);
            return None;
        }
        let schema = self.schema;
        let mut cells = Vec::with_capacity(record.len());
        for (index, cell) in record.iter().enumerate() {
            let cell = if index == last { self.end(cell, position) } else { cell };
            let text = match self.text(cell) {
                Ok(text) => text,
                Err(what) => {
                    self.find(position, Some(index), what);
                    cells.push(None);
                    continue;
                }
            };
            let Some(field) = self.columns[index].field.map(|field| &schema.fields[field]) else {
                cells.push(Some(text));
                continue;
            };
            let is_there = !schema.missing.iter().any(|missing| missing == text);
            cells.push(Some(text).filter(|_| is_there));
            if is_there {
                if let Some(what) = cell::fault(&field.kind, &field.constraints, text) {
                    self.find(position, Some(index), what);
                }
            } else if field.constraints.required {
                self.find(position, Some(index), "there is no value (required)".to_owned());
            }
        }
        for index in there..wanted {
            let field = self.columns[index].field.map(|field| &schema.fields[field]);
            if field.is_some_and(|field| field.constraints.required) {
                self.find(position, Some(index), "there is no value (required)".to_owned());
            }
            cells.push(None);
        }
        Some(cells)
    }

    /// The last cell of a row without its carriage return, which is told once.
    fn end<'c>(&mut self, cell: &'c [u8], position: Position) -> &'c [u8] {
        let Some(rest) = cell.strip_suffix(b"\r") else {
            return cell;
        };
        if !self.seen.crlf && !self.schema.allow.crlf {
            self.seen.crlf = true;
            let what = "the line ends in a carriage return (CRLF); end lines with a line feed \
                alone, or write \"allow\": [\"crlf\"] in the schema";
            self.find(position, None, what.to_owned());
        }
        rest
    }

    /// A cell as text; what is wrong with its bytes, if something is.
    fn text<'c>(&self, cell: &'c [u8]) -> Result<&'c str, String> {
        let text = std::str::from_utf8(cell).map_err(|error| {
            let byte = cell[error.valid_up_to()];
            let lossy = quoted(&String::from_utf8_lossy(cell));
            format!("{lossy} is not UTF-8: it holds the byte 0x{byte:02X}; save it as UTF-8")
        })?;
        if text.contains('\0') {
            return Err(format!("{} holds a NUL character", quoted(text)));
        }
        if text.contains('\n') && !self.schema.allow.newlines {
            return Err(format!(
                "{} goes over several lines; is a quote not closed? If it is right, write \
                 \"allow\": [\"newlines\"] in the schema",
                quoted(text)
            ));
        }
        Ok(text)
    }

    fn unique(
        &mut self,
        key: &mut Key,
        cells: &[Option<&str>],
        places: &[usize],
        (position, rule): (Position, &str),
    ) {
        let values: Option<Vec<&str>> = places.iter().map(|place| cells[*place]).collect();
        let is_primary = rule == "primaryKey";
        let Some(values) = values else {
            if is_primary {
                let empty = places.iter().copied().find(|place| cells[*place].is_none());
                let field = empty.and_then(|place| self.columns[place].field);
                let schema = self.schema;
                if field.is_none_or(|field| !schema.fields[field].constraints.required) {
                    self.find(position, empty, "there is no value (primaryKey)".to_owned());
                }
            }
            return;
        };
        if let Some(row) = key.insert(&values, position.row) {
            let shown = quoted(&values.join(", "));
            let column = places.first().copied().filter(|_| places.len() == 1);
            self.find(position, column, format!("{shown} is in row {row} already ({rule})"));
        }
    }

    fn foreign(
        &mut self,
        known: &Foreign,
        cells: &[Option<&str>],
        places: &[usize],
        position: Position,
    ) {
        let values: Option<Vec<&str>> = places.iter().map(|place| cells[*place]).collect();
        if let Some(values) = values.filter(|values| !known.has(values)) {
            let shown = quoted(&values.join(", "));
            let column = places.first().copied().filter(|_| places.len() == 1);
            self.find(position, column, format!("{shown} is not in {} (foreignKeys)", known.title));
        }
    }
}

#[cfg(test)]
mod tests;
