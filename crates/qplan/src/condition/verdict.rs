//! What is wrong and what is doubtful about the sheets, gathered cell by cell.

use super::sheet::{Cell, SHEETS};
use crate::error::{BadCell, Error};
use crate::warnings::Warnings;

/// The most bad cells told; further ones are counted.
const BAD_CELLS_MAX: usize = 10_000;

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    bad: Vec<BadCell>,
    more: usize,
    warnings: Warnings,
}

impl Verdict {
    /// A cell is wrong. A cell that holds a spreadsheet's error was told already.
    pub(super) fn bad(&mut self, cell: &Cell, problem: String) {
        if !cell.broken {
            self.add(told(cell, problem));
        }
    }

    /// A cell is doubtful.
    pub(super) fn doubt(&mut self, cell: &Cell, problem: impl FnOnce() -> String) {
        self.warnings.add(|| told(cell, problem()).to_string());
    }

    /// A sheet, or a row of it, is wrong.
    pub(super) fn bad_sheet(&mut self, sheet: &str, row: Option<usize>, problem: String) {
        self.add(BadCell { sheet: sheet.to_owned(), row, column: None, problem });
    }

    /// A sheet is doubtful.
    pub(super) fn doubt_sheet(&mut self, problem: impl FnOnce() -> String) {
        self.warnings.add(problem);
    }

    /// The warnings, if nothing is wrong; or else the bad cells in the order one comes upon them.
    pub(super) fn passed(mut self) -> Result<Vec<String>, Error> {
        self.bad.sort_by_key(|cell| {
            let sheet = SHEETS.iter().position(|sheet| *sheet == cell.sheet);
            let column = cell.column.as_ref().map(|(number, _)| *number);
            (sheet, cell.row, column)
        });
        if self.more > 0 {
            let sheet = self.bad.last().map_or(String::new(), |cell| cell.sheet.clone());
            self.bad.push(BadCell {
                sheet,
                row: None,
                column: None,
                problem: format!("{} more cells are wrong from here on", self.more),
            });
        }
        match self.bad.is_empty() {
            true => Ok(self.warnings.into_vec()),
            false => Err(Error::Cells(self.bad)),
        }
    }

    fn add(&mut self, cell: BadCell) {
        if self.bad.len() < BAD_CELLS_MAX {
            self.bad.push(cell);
        } else {
            self.more += 1;
        }
    }
}

fn told(cell: &Cell, problem: String) -> BadCell {
    BadCell {
        sheet: cell.sheet.to_owned(),
        row: Some(cell.row),
        column: cell.column.map(|(number, name)| (number, name.to_owned())),
        problem,
    }
}
