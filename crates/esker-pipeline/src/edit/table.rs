//! A table that is edited: its rows stay where they are written, and only those that change are held anew.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use esker_wire::edit::columns::apart;

use super::index::Index;
use super::miss::{Miss, nearest};
use super::scan::{Writing, is_heading};
use super::streams::Region;

/// A row by the order in which rows were found or added.
pub(super) type Id = u32;

/// A table, and what has become of it.
pub(super) struct Table<'a> {
    text: &'a str,
    region: Region,
    pub(super) writing: Writing,
    /// Where each row begins, a heading too.
    starts: Vec<u32>,
    /// The columns' names, no two alike; made up where the table has none.
    pub(super) columns: Vec<String>,
    /// The first row that is no heading.
    first: Id,
    /// The rows that there are, in their order.
    pub(super) order: Vec<Id>,
    /// The rows that were changed or added, as they are written now, without their line ends.
    fresh: HashMap<Id, String>,
    gone: HashSet<Id>,
    /// How many rows there have ever been.
    known: Id,
    is_rearranged: bool,
    /// The columns that name rows, once that was asked for.
    pub(super) key: Option<Vec<usize>>,
    indexes: Vec<Index>,
}

impl<'a> Table<'a> {
    /// Finds the rows. A declared key says by its names that there is a heading.
    pub(super) fn open(text: &'a str, region: Region, writing: Writing, key: &[String]) -> Self {
        let starts = writing.starts(text.as_bytes(), region.range.clone());
        let known = Id::try_from(starts.len()).expect("contents are held to CONTENT_MAX");
        let mut table = Self {
            text,
            region,
            writing,
            starts,
            columns: Vec::new(),
            first: 0,
            order: Vec::new(),
            fresh: HashMap::new(),
            gone: HashSet::new(),
            known,
            is_rearranged: false,
            key: None,
            indexes: Vec::new(),
        };
        let is_named = table.has_heading(key, (0, 1));
        table.columns = table.names(is_named);
        table.first = Id::from(is_named);
        table.order = (table.first..known).collect();
        table
    }

    /// Whether the first of two rows is a heading.
    fn has_heading(&self, key: &[String], (first, second): (Id, Id)) -> bool {
        if self.known <= first {
            return false;
        }
        let first = self.row(first);
        let second = (self.known > second).then(|| self.row(second));
        let holds = !key.is_empty() && key.iter().all(|name| first.iter().any(|cell| cell == name));
        holds || is_heading(&first, second.as_deref())
    }

    fn names(&self, is_named: bool) -> Vec<String> {
        let heading = if is_named { self.row(0) } else { Vec::new() };
        let width = match is_named {
            true => heading.len(),
            false => (0..self.known).map(|id| self.spans(id).count()).max().unwrap_or(0),
        };
        let mut names = HashSet::new();
        let name = |place: usize| match heading.get(place).filter(|name| !name.is_empty()) {
            Some(name) => apart(&mut names, name),
            None => apart(&mut names, &format!("column {}", place + 1)),
        };
        (0..width).map(name).collect()
    }

    /// What it is called.
    pub(super) fn title(&self) -> String {
        match self.region.path.is_empty() {
            true => "the table".to_owned(),
            false => format!("the stream {}", self.region.path.join(" › ")),
        }
    }

    /// The text that holds a row, and from where to where a row may go in it.
    fn written(&self, id: Id) -> (&str, Range<usize>) {
        if let Some(row) = self.fresh.get(&id) {
            return (row, 0..row.len());
        }
        let at = id as usize;
        let next = self.starts.get(at + 1).map_or(self.region.range.end, |next| *next as usize);
        (self.text, self.starts[at] as usize..next)
    }

    fn spans(&self, id: Id) -> super::scan::Cells<'_> {
        let (text, range) = self.written(id);
        self.writing.cells(text.as_bytes(), range)
    }

    /// A cell; none beyond the row's end.
    pub(super) fn cell(&self, id: Id, column: usize) -> Option<Cow<'_, str>> {
        let (text, _) = self.written(id);
        let span = self.spans(id).nth(column)?;
        Some(self.writing.decode(&text[span]))
    }

    /// A cell's text; one that a short row lacks is empty.
    pub(super) fn text(&self, id: Id, column: usize) -> Cow<'_, str> {
        self.cell(id, column).unwrap_or_default()
    }

    fn row(&self, id: Id) -> Vec<Cow<'_, str>> {
        let (text, _) = self.written(id);
        self.spans(id).map(|span| self.writing.decode(&text[span])).collect()
    }

    /// The cells of a row that are not empty, with their columns' names.
    pub(super) fn named(&self, id: Id) -> Vec<(String, String)> {
        let name = |place: usize| match self.columns.get(place) {
            Some(name) => name.clone(),
            None => format!("column {}", place + 1),
        };
        let cells = self.row(id).into_iter().enumerate().filter(|(_, cell)| !cell.is_empty());
        cells.map(|(place, cell)| (name(place), cell.into_owned())).collect()
    }

    pub(super) fn is_there(&self, id: Id) -> bool {
        !self.gone.contains(&id)
    }

    /// Where a row stands among the others, from 0.
    pub(super) fn position(&self, id: Id) -> Option<usize> {
        let guess = id.checked_sub(self.first).map(|at| at as usize);
        guess
            .filter(|at| self.order.get(*at) == Some(&id))
            .or_else(|| self.order.iter().position(|row| *row == id))
    }

    /// Where a column stands that is named, or numbered as `#4`.
    pub(super) fn column(&self, name: &str) -> Result<usize, Miss> {
        let by_name = self.columns.iter().position(|column| column == name);
        let number =
            || name.strip_prefix('#').or_else(|| name.strip_prefix("column "))?.parse().ok();
        let by_number =
            || number().filter(|at| (1..=self.columns.len()).contains(at)).map(|at| at - 1);
        by_name.or_else(by_number).ok_or_else(|| {
            let near = nearest(name, self.columns.iter());
            Miss::Column(format!("{} has no column {name:?}; {near}", self.title()))
        })
    }

    /// The rows whose cells in these columns are these.
    pub(super) fn rows_with(&mut self, columns: &[usize], values: &[&str]) -> Vec<Id> {
        let at = self.indexes.iter().position(|index| index.columns == columns);
        let at = at.unwrap_or_else(|| {
            let index = Index::of(self, columns.to_vec());
            self.indexes.push(index);
            self.indexes.len() - 1
        });
        let mut found: Vec<Id> = self.indexes[at].maybe(values);
        found.sort_unstable();
        found.dedup();
        found.retain(|id| {
            let mut pairs = columns.iter().zip(values);
            self.is_there(*id) && pairs.all(|(column, value)| self.text(*id, *column) == *value)
        });
        found
    }

    /// Gives a cell another text; a row that ends before it is lengthened.
    pub(super) fn set(&mut self, id: Id, column: usize, text: &str) -> Result<(), Miss> {
        let encoded = self.writing.encode(text)?;
        let (written, range) = self.written(id);
        let spans: Vec<Range<usize>> = self.spans(id).collect();
        let end = spans.last().map_or(range.end, |span| span.end);
        let mut row = String::with_capacity(end - range.start + encoded.len());
        match spans.get(column) {
            Some(span) => {
                row.push_str(&written[range.start..span.start]);
                row.push_str(&encoded);
                row.push_str(&written[span.end..end]);
            }
            None if text.is_empty() => return Ok(()),
            None => {
                row.push_str(&written[range.start..end]);
                let missing = column + 1 - spans.len();
                row.extend(std::iter::repeat_n(char::from(self.writing.mark), missing));
                row.push_str(&encoded);
            }
        }
        self.mend(&mut row);
        self.fresh.insert(id, row);
        self.note(id, Some(column));
        Ok(())
    }

    /// A row of one empty cell would be a blank line, which is no row or none that lasts.
    fn mend(&self, row: &mut String) {
        if row.is_empty() {
            row.push_str(if self.writing.is_tabs() { "\t" } else { "\"\"" });
        }
    }

    /// Tells the indexes of a row that is new to them.
    fn note(&mut self, id: Id, column: Option<usize>) {
        let mut indexes = std::mem::take(&mut self.indexes);
        for index in &mut indexes {
            if column.is_none_or(|column| index.columns.contains(&column)) {
                index.add(self, id);
            }
        }
        self.indexes = indexes;
    }

    /// Adds a row at a position, with these texts in the first columns.
    pub(super) fn add(&mut self, texts: &[&str], position: usize) -> Result<Id, Miss> {
        let filled = texts.iter().rposition(|text| !text.is_empty()).map_or(1, |last| last + 1);
        // Streams made of a workbook leave out the empty cells at the end; tables by themselves are of one width.
        let width = if self.writing.indent > 0 { filled } else { filled.max(self.columns.len()) };
        let mut row = "\t".repeat(self.writing.indent);
        for column in 0..width {
            if column > 0 {
                row.push(char::from(self.writing.mark));
            }
            row.push_str(&self.writing.encode(texts.get(column).unwrap_or(&""))?);
        }
        self.mend(&mut row);
        let id = self.known;
        self.known += 1;
        self.fresh.insert(id, row);
        self.order.insert(position.min(self.order.len()), id);
        self.is_rearranged = true;
        self.note(id, None);
        Ok(id)
    }

    pub(super) fn remove(&mut self, id: Id) {
        if let Some(position) = self.position(id) {
            self.order.remove(position);
            self.gone.insert(id);
            self.is_rearranged = true;
        }
    }

    /// Moves a row to a position among the others.
    pub(super) fn shift(&mut self, id: Id, position: usize) {
        if let Some(from) = self.position(id)
            && from != position
        {
            self.order.remove(from);
            self.order.insert(position.min(self.order.len()), id);
            self.is_rearranged = true;
        }
    }

    /// Where it stands in the content.
    pub(super) fn range(&self) -> Range<usize> {
        self.region.range.clone()
    }

    /// Whether its first row is a heading, or is none, as before; else it would be read as another table.
    pub(super) fn is_read_alike(&self, key: &[String]) -> bool {
        if self.fresh.is_empty() && !self.is_rearranged || self.known == 0 {
            return true;
        }
        let place = |at: usize| self.order.get(at).copied().unwrap_or(Id::MAX);
        if self.first == 1 {
            return self.has_heading(key, (0, place(0)));
        }
        let Some(first) = self.order.first() else {
            return true;
        };
        let is_header = self.spans(*first).next().is_some_and(|span| {
            let (text, _) = self.written(*first);
            text[span].starts_with("=====")
        });
        let line = || {
            let (text, range) = self.written(*first);
            Writing::guess(&text[range]).mark == self.writing.mark
        };
        !is_header
            && (self.writing.indent > 0 || line())
            && !self.has_heading(key, (*first, place(1)))
    }

    /// Appends the table as it is now.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let bytes = self.text.as_bytes();
        let range = self.range();
        let mut at = range.start;
        if !self.is_rearranged {
            let mut changed: Vec<&Id> = self.fresh.keys().collect();
            changed.sort_unstable();
            for id in changed {
                let start = self.starts[*id as usize] as usize;
                out.extend_from_slice(&bytes[at..start]);
                out.extend_from_slice(self.fresh[id].as_bytes());
                at = self.body_end(*id);
            }
            out.extend_from_slice(&bytes[at..range.end]);
            return;
        }
        let rows = self.starts.get(self.first as usize).map_or(range.end, |start| *start as usize);
        out.extend_from_slice(&bytes[at..rows]);
        let line_end = self.line_end();
        let is_open =
            (self.starts.len() as Id).checked_sub(1).is_some_and(|last| self.tail(last).is_empty());
        let mut is_ended = match self.first {
            1 => !self.tail(0).is_empty(),
            _ => out.is_empty() || out.ends_with(b"\n") || out.ends_with(b"\xef\xbb\xbf"),
        };
        for (index, id) in self.order.iter().enumerate() {
            out.extend_from_slice(if is_ended { "" } else { line_end }.as_bytes());
            let (text, body) = self.written(*id);
            let end = if self.fresh.contains_key(id) { body.end } else { self.body_end(*id) };
            out.extend_from_slice(&text.as_bytes()[body.start..end]);
            let tail = if self.is_new(*id) { line_end } else { self.tail(*id) };
            is_ended = !tail.is_empty();
            let is_last = index + 1 == self.order.len();
            match is_last && is_open {
                true => out.extend_from_slice(without_end(tail).as_bytes()),
                false if is_last && !is_ended => out.extend_from_slice(line_end.as_bytes()),
                false => out.extend_from_slice(tail.as_bytes()),
            }
        }
    }

    fn is_new(&self, id: Id) -> bool {
        id as usize >= self.starts.len()
    }

    /// Where a row that was there at first ends, without its line end.
    fn body_end(&self, id: Id) -> usize {
        let at = id as usize;
        let next = self.starts.get(at + 1).map_or(self.region.range.end, |next| *next as usize);
        let start = self.starts[at] as usize;
        let cells = self.writing.cells(self.text.as_bytes(), start..next);
        cells.last().map_or(next, |cell| cell.end)
    }

    /// What follows a row that was there at first: its line end, and blank lines.
    fn tail(&self, id: Id) -> &'a str {
        let next =
            self.starts.get(id as usize + 1).map_or(self.region.range.end, |next| *next as usize);
        &self.text[self.body_end(id)..next]
    }

    /// How lines end here.
    fn line_end(&self) -> &'static str {
        let is_crlf = !self.starts.is_empty() && self.tail(0).starts_with("\r\n");
        if is_crlf { "\r\n" } else { "\n" }
    }
}

/// A line end, or several, less one.
fn without_end(tail: &str) -> &str {
    let less = tail.strip_suffix("\r\n").or_else(|| tail.strip_suffix('\n'));
    less.unwrap_or_default()
}
