//! Workbooks (XLSX, XLSM, ODS) as stacked streams: a stream per sheet, a line per row, a tab between cells.
//!
//! Row N of a sheet is line N of its stream. In a cell, tab, line feed, carriage return and backslash are
//! written `\t`, `\n`, `\r`, `\\`. A workbook is a stranger's compressed archive, so everything it may grow to
//! is bounded before and while it is read.

mod bomb;
mod cell;
mod grid;

use std::io::Cursor;

use calamine::{Ods, OdsError, Reader, Sheet, SheetType, Xlsx, XlsxError};
use esker_wire::message::CONTENT_MAX;
use esker_wire::stacked;

use self::grid::Grid;

/// The largest file of a source, in bytes.
pub(crate) const FILE_MAX: u64 = 64 << 20;
/// What encrypted workbooks, and those of before 2007, begin with.
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Why a workbook cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("cannot read {file}: it is encrypted, or in a format older than .xlsx")]
    Encrypted { file: String },
    #[error("cannot read {file}: {why}")]
    Corrupt { file: String, why: String },
    #[error("cannot read {file}: {what}")]
    TooLarge { file: String, what: String },
    #[error("there is no sheet {sheet:?} in {file}; its sheets are {}", quoted(.sheets))]
    NoSheet { file: String, sheet: String, sheets: Vec<String> },
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

impl Unreadable {
    /// What to do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Encrypted { .. } => "save it as .xlsx without a password",
            Self::Corrupt { .. } => "open it in a spreadsheet program and save it again",
            Self::TooLarge { .. } => "split it, or name the `sheets` that are needed",
            Self::NoSheet { .. } => "correct `sheets` in esker.toml, or the sheet's name",
        }
    }
}

/// What stops a workbook from being read, before it is known in which file.
#[derive(Debug)]
enum Stop {
    Encrypted,
    Corrupt(String),
    TooLarge(String),
}

impl Stop {
    fn in_file(self, file: &str) -> Unreadable {
        let file = file.to_owned();
        match self {
            Self::Encrypted => Unreadable::Encrypted { file },
            Self::Corrupt(why) => Unreadable::Corrupt { file, why },
            Self::TooLarge(what) => Unreadable::TooLarge { file, what },
        }
    }
}

impl From<XlsxError> for Stop {
    fn from(error: XlsxError) -> Self {
        match error {
            XlsxError::Password => Self::Encrypted,
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<OdsError> for Stop {
    fn from(error: OdsError) -> Self {
        match error {
            OdsError::Password => Self::Encrypted,
            other => Self::Corrupt(other.to_string()),
        }
    }
}

/// Whether a file is a workbook, by its name.
pub(crate) fn is_workbook(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    matches!(ending.as_deref(), Some("xlsx" | "xlsm" | "ods"))
}

/// The wanted sheets of a workbook, or all of them, as one stacked stream.
pub(crate) fn to_stacked(
    file: &str,
    bytes: &[u8],
    wanted: &[String],
) -> Result<Vec<u8>, Unreadable> {
    if bytes.starts_with(&COMPOUND) {
        return Err(Stop::Encrypted.in_file(file));
    }
    bomb::check(bytes).map_err(|stop| stop.in_file(file))?;
    if file.to_ascii_lowercase().ends_with(".ods") {
        let mut book = open_ods(bytes).map_err(|stop| stop.in_file(file))?;
        let names = choose(file, book.sheets_metadata(), wanted)?;
        write(file, &names, |name| Grid::of_range(&book.worksheet_range(name)?))
    } else {
        let opened = Xlsx::new(Cursor::new(bytes)).map_err(Stop::from);
        let mut book = opened.map_err(|stop| stop.in_file(file))?;
        let names = choose(file, book.sheets_metadata(), wanted)?;
        write(file, &names, |name| {
            let mut cells = book.worksheet_cells_reader(name)?;
            let mut grid = Grid::default();
            while let Some(cell) = cells.next_cell()? {
                grid.push(cell.get_position(), cell::of_xlsx(cell.get_value()))?;
            }
            Ok(grid)
        })
    }
}

fn open_ods(bytes: &[u8]) -> Result<Ods<Cursor<&[u8]>>, Stop> {
    bomb::check_ods(bytes)?;
    Ok(Ods::new(Cursor::new(bytes))?)
}

/// The names of the sheets to write, in order.
fn choose(file: &str, sheets: &[Sheet], wanted: &[String]) -> Result<Vec<String>, Unreadable> {
    let tables = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<String> = tables.map(|sheet| sheet.name.clone()).collect();
    if let Some(missing) = wanted.iter().find(|name| !names.contains(name)) {
        return Err(Unreadable::NoSheet {
            file: file.to_owned(),
            sheet: missing.clone(),
            sheets: names,
        });
    }
    Ok(if wanted.is_empty() { names } else { wanted.to_vec() })
}

fn write(
    file: &str,
    names: &[String],
    mut read: impl FnMut(&str) -> Result<Grid, Stop>,
) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::new();
    for name in names {
        let text = read(name).and_then(Grid::into_text);
        let text = text.map_err(|stop| stop.in_file(file))?;
        if out.len() + text.len() > CONTENT_MAX {
            return Err(too_long().in_file(file));
        }
        if name.is_empty() || name.contains('\n') {
            let why = format!("a sheet is named {name:?}");
            return Err(Stop::Corrupt(why).in_file(file));
        }
        stacked::write(&mut out, name, &text);
    }
    Ok(out)
}

fn too_long() -> Stop {
    Stop::TooLarge(format!("its sheets are more than {} MiB of text", CONTENT_MAX >> 20))
}

#[cfg(test)]
mod tests;
