//! The keys of tables: which values came before, and which there are elsewhere.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use csv::ByteRecord;
use sha2::{Digest, Sha256};

use super::super::BOM;
use super::super::finding::{Finding, quoted};
use super::super::rows::Rows;
use super::super::schema::{ForeignKey, Target};
use super::{Around, Part};

/// What stands for some values: long enough that no two are mistaken for each other, short enough to be kept.
type Mark = [u8; 16];

fn mark(values: &[&str]) -> Mark {
    let mut hash = Sha256::new();
    for value in values {
        hash.update((value.len() as u64).to_le_bytes());
        hash.update(value);
    }
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash.finalize()[..16]);
    mark
}

/// The values of a key that came so far, and the row of each.
#[derive(Debug, Default)]
pub(super) struct Key(HashMap<Mark, usize>);

impl Key {
    /// Takes values in; the row in which they were before, if they were.
    pub(super) fn insert(&mut self, values: &[&str], row: usize) -> Option<usize> {
        let before = *self.0.entry(mark(values)).or_insert(row);
        (before != row).then_some(before)
    }
}

/// The values that a foreign key refers to.
#[derive(Debug)]
pub(super) struct Foreign {
    /// What people know them by: `raw/staff, column name`.
    pub(super) title: String,
    marks: HashSet<Mark>,
}

impl Foreign {
    pub(super) fn read(
        key: &ForeignKey,
        part: &Part<'_>,
        around: &Around<'_>,
    ) -> Result<Self, Finding> {
        let fields = key.to_fields.join(", ");
        let (name, bytes) = match &key.to {
            Target::Itself => ("the table".to_owned(), Cow::Borrowed(&*part.bytes)),
            Target::Stream(name) => {
                let mut streams = around.streams.iter();
                let stream = streams.find(|stream| stream.stream.as_ref() == Some(name));
                let stream = stream.ok_or_else(|| gone(&format!("stream {name}")))?;
                (format!("stream {name}"), Cow::Borrowed(&*stream.bytes))
            }
            Target::Resource(resource, None) => {
                let bytes = around.resources.get(resource);
                let bytes = bytes.ok_or_else(|| gone(resource.as_str()))?;
                (resource.to_string(), Cow::Borrowed(&**bytes))
            }
            Target::Resource(resource, Some(stream)) => {
                let name = format!("{resource}:{stream}");
                let bytes = around.resources.get(resource);
                let bytes = bytes.ok_or_else(|| gone(resource.as_str()))?;
                let part = Part::stream(bytes, stream).map_err(|_| gone(&name))?;
                (name, part.bytes)
            }
        };
        let title = format!("{name}, column {fields}");
        let marks = marks(&bytes, key).map_err(|why| {
            Finding::new(format!("cannot look {fields} up in {name}: {why} (foreignKeys)"))
        })?;
        Ok(Self { title, marks })
    }

    pub(super) fn has(&self, values: &[&str]) -> bool {
        self.marks.contains(&mark(values))
    }
}

fn gone(name: &str) -> Finding {
    Finding::new(format!("{name}, which it refers to, is not there (foreignKeys)"))
}

fn marks(bytes: &[u8], key: &ForeignKey) -> Result<HashSet<Mark>, String> {
    let content = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let mut rows = Rows::new(content, 0, None).map_err(|finding| finding.to_string())?;
    let mut record = ByteRecord::new();
    let mut next = |record: &mut ByteRecord| rows.next(record).map_err(|f| f.to_string());
    if next(&mut record)?.is_none() {
        return Err("it is empty".to_owned());
    }
    let heading = texts(&record);
    let place = |field: &String| {
        let place = heading.iter().position(|name| name == field);
        place.ok_or_else(|| format!("it has no column {}", quoted(field)))
    };
    let places: Vec<usize> = key.to_fields.iter().map(place).collect::<Result<_, _>>()?;
    let mut marks = HashSet::new();
    while next(&mut record)?.is_some() {
        let cells = texts(&record);
        let values: Option<Vec<&str>> =
            places.iter().map(|place| cells.get(*place).map(|cell| &**cell)).collect();
        marks.extend(values.map(|values| mark(&values)));
    }
    Ok(marks)
}

/// The cells of a row, without the carriage return at its end.
fn texts(record: &ByteRecord) -> Vec<Cow<'_, str>> {
    let last = record.len().saturating_sub(1);
    let cell = |(index, cell): (usize, &'_ [u8])| -> String {
        let cell = if index == last { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
        String::from_utf8_lossy(cell).into_owned()
    };
    record.iter().enumerate().map(cell).map(Cow::Owned).collect()
}
