//! The cells of one sheet, gathered in any order and written row by row.

use calamine::{Data, Range};

use esker_wire::message::CONTENT_MAX;

use super::{Stop, cell, too_long};

/// The most cells of one sheet that hold something.
const CELLS_MAX: usize = 4_000_000;

/// The cells of a sheet that hold something.
#[derive(Debug, Default)]
pub(super) struct Grid {
    cells: Vec<((u32, u32), String)>,
    bytes: usize,
}

impl Grid {
    /// Adds a cell at a row and column from 0.
    pub(super) fn push(&mut self, place: (u32, u32), text: String) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        self.bytes += text.len();
        if self.bytes > CONTENT_MAX {
            return Err(too_long());
        }
        if self.cells.len() == CELLS_MAX {
            return Err(Stop::TooLarge(format!("a sheet has more than {CELLS_MAX} cells")));
        }
        self.cells.push((place, text));
        Ok(())
    }

    pub(super) fn of_range(range: &Range<Data>) -> Result<Self, Stop> {
        let mut grid = Self::default();
        let (top, left) = range.start().unwrap_or((0, 0));
        for (row, column, value) in range.used_cells() {
            let (row, column) = (u32::try_from(row), u32::try_from(column));
            let (Ok(row), Ok(column)) = (row, column) else {
                return Err(Stop::Corrupt("a cell is out of bounds".to_owned()));
            };
            grid.push((top + row, left + column), cell::of_ods(value))?;
        }
        Ok(grid)
    }

    /// The rows as lines; empty ones before the last that holds something are kept.
    pub(super) fn into_text(mut self) -> Result<Vec<u8>, Stop> {
        // Files hold their cells in order; sorting what is sorted costs nothing. Of a cell that comes twice
        // the last counts.
        self.cells.sort_by_key(|(place, _)| *place);
        self.cells.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                std::mem::swap(next, kept);
            }
            same
        });
        let mut out = Vec::with_capacity(self.bytes + self.cells.len());
        let (mut row, mut column) = (0, 0);
        for ((at_row, at_column), text) in &self.cells {
            let (lines, from) = match at_row - row {
                0 => (0, column),
                more => (more, 0),
            };
            let gap = lines as usize + at_column.saturating_sub(from) as usize;
            if out.len() + gap + text.len() > CONTENT_MAX {
                return Err(too_long());
            }
            out.resize(out.len() + lines as usize, b'\n');
            out.resize(out.len() + at_column.saturating_sub(from) as usize, b'\t');
            out.extend_from_slice(text.as_bytes());
            (row, column) = (*at_row, *at_column);
        }
        if !out.is_empty() {
            out.push(b'\n');
        }
        Ok(out)
    }
}
