//! Finding sheets by name, columns by their headings, and cells in both.

use super::verdict::Verdict;
use crate::error::{BadInput, quoted, quoted_list};
use crate::streams::{self, Stream};

/// The names of the sheets a plan has.
pub(super) const SHEETS: [&str; 4] = ["Params", "Holidays", "Staff", "Work"];

/// A spreadsheet's own words for a formula that failed.
const FAILED: [&str; 8] =
    ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!"];

/// All sheets.
#[derive(Debug)]
pub(super) struct Workbook<'a> {
    streams: Vec<Stream<'a>>,
}

/// A column that is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its heading.
    pub(super) name: &'static str,
    /// Whether it must be there.
    pub(super) required: bool,
}

/// A cell and where it is.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) sheet: &'static str,
    /// From 1.
    pub(super) row: usize,
    /// Number, from 1, and name; none if the sheet has no such column.
    pub(super) column: Option<(usize, &'static str)>,
    /// Without blanks around.
    pub(super) text: String,
    /// Whether it is a failed formula.
    pub(super) broken: bool,
}

/// A row that is not blank: its number, from 1, and all its cells' texts.
pub(super) type Row = (usize, Vec<String>);

impl<'a> Workbook<'a> {
    /// Reads the stacked stream of sheets.
    pub(super) fn read(input: &'a [u8]) -> Result<Self, BadInput> {
        let streams = streams::read(input)?;
        for stream in &streams {
            if let Some(line) = stream.untabbed.or(stream.blank) {
                return Err(BadInput::whole(format!(
                    "line {} of the input does not begin with a tab; give a stacked stream with a stream per sheet",
                    stream.line + line
                )));
            }
        }
        Ok(Self { streams })
    }

    /// The rows of a sheet that are not blank; tells if there is no such sheet.
    pub(super) fn rows(&self, sheet: &'static str, verdict: &mut Verdict) -> Option<Vec<Row>> {
        let mut found = self.streams.iter().filter(|stream| is_named(stream.name, sheet));
        let Some(stream) = found.next() else {
            let names = self.streams.iter().map(|stream| stream.name);
            let names = quoted_list(names);
            let problem = format!("the sheet is missing, the workbook has {names}");
            verdict.bad_sheet(sheet, None, problem);
            return None;
        };
        if let Some(other) = found.next() {
            let names = quoted_list([stream.name, other.name]);
            let problem = format!("two sheets have the name: {names}; rename one");
            verdict.bad_sheet(sheet, None, problem);
        }
        let rows = stream.lines.iter().zip(1..).map(|(line, row)| {
            let cells = line.split('\t').map(|cell| unescaped(cell).trim().to_owned());
            (row, cells.collect::<Vec<String>>())
        });
        Some(rows.filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())).collect())
    }

    /// The cells of the wanted columns in every row below the headings.
    pub(super) fn table<const COUNT: usize>(
        &self,
        sheet: &'static str,
        columns: [Column; COUNT],
        verdict: &mut Verdict,
    ) -> Vec<[Cell; COUNT]> {
        let Some(rows) = self.rows(sheet, verdict) else {
            return Vec::new();
        };
        let Some((headings, rows)) = rows.split_first() else {
            let names = columns.iter().filter(|column| column.required);
            let names: Vec<&str> = names.map(|column| column.name).collect();
            let names = names.join(", ");
            let problem =
                format!("the sheet is empty; its first row must name the columns {names}");
            verdict.bad_sheet(sheet, None, problem);
            return Vec::new();
        };
        let positions = positions(sheet, &columns, headings, verdict);
        let cells = rows.iter().map(|(row, texts)| {
            std::array::from_fn(|index| {
                let column = positions[index].map(|position| (position + 1, columns[index].name));
                let text = positions[index].and_then(|position| texts.get(position));
                let cell = Cell {
                    sheet,
                    row: *row,
                    column,
                    text: text.cloned().unwrap_or_default(),
                    broken: false,
                };
                checked(cell, verdict)
            })
        });
        cells.collect()
    }

    /// Warns of sheets that are no part of a plan.
    pub(super) fn warn_of_others(&self, verdict: &mut Verdict) {
        for stream in &self.streams {
            if !SHEETS.iter().any(|sheet| is_named(stream.name, sheet)) {
                verdict.doubt_sheet(|| {
                    format!("sheet {}: the sheet is no part of a plan and is ignored", stream.name)
                });
            }
        }
    }
}

/// Marks and tells a failed formula.
pub(super) fn checked(mut cell: Cell, verdict: &mut Verdict) -> Cell {
    if FAILED.contains(&cell.text.as_str()) {
        let problem = format!("{} is a failed formula; mend it in the sheet", quoted(&cell.text));
        verdict.bad(&cell, problem);
        cell.broken = true;
        cell.text.clear();
    }
    cell
}

/// Where each wanted column is.
fn positions<const COUNT: usize>(
    sheet: &'static str,
    columns: &[Column; COUNT],
    (row, headings): &Row,
    verdict: &mut Verdict,
) -> [Option<usize>; COUNT] {
    for heading in headings.iter().filter(|heading| !heading.is_empty()) {
        if !columns.iter().any(|column| is_named(heading, column.name)) {
            verdict.doubt_sheet(|| {
                let heading = quoted(heading);
                format!("sheet {sheet}, row {row}: the column {heading} is unknown and ignored")
            });
        }
    }
    columns.map(|column| {
        let named = |(_, heading): &(usize, &String)| is_named(heading, column.name);
        let mut found = headings.iter().enumerate().filter(named);
        let position = found.next().map(|(position, _)| position);
        let mut bad = |problem| verdict.bad_sheet(sheet, Some(*row), problem);
        if found.next().is_some() {
            bad(format!("two columns are named {}; rename one", column.name));
        }
        if position.is_none() && column.required {
            let names = headings.iter().map(String::as_str).filter(|name| !name.is_empty());
            let names = quoted_list(names);
            bad(format!("the column {} is missing, the row has {names}", column.name));
        }
        position
    })
}

/// Whether two names are the same but for case and blanks around.
fn is_named(name: &str, wanted: &str) -> bool {
    name.trim().to_lowercase() == wanted.to_lowercase()
}

/// A cell's text with `\t`, `\n`, `\r` and `\\` put back.
fn unescaped(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    let mut characters = cell.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
