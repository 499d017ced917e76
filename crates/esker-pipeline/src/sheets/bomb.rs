//! Bounds on what a workbook grows to when it is read, checked before a library that trusts it reads it.

use std::io::{self, Cursor, Read};

use zip::ZipArchive;

use super::Stop;

/// The most bytes the parts of a workbook may have when unpacked.
const UNPACKED_MAX: u64 = 512 << 20;
/// The most parts of a workbook.
const PARTS_MAX: usize = 10_000;
/// The most texts that an XLSX workbook's cells may share: each is kept in memory, however short it is.
const SHARED_MAX: u64 = 2_000_000;
/// The most cells an ODS workbook may stand for, repeated ones included.
const CELLS_MAX: u64 = 8_000_000;

/// Unpacks every part to nowhere: what the archive says of its sizes need not be true.
pub(super) fn check(bytes: &[u8]) -> Result<(), Stop> {
    let mut archive = open(bytes)?;
    if archive.len() > PARTS_MAX {
        return Err(Stop::TooLarge(format!("it has more than {PARTS_MAX} parts")));
    }
    let mut left = UNPACKED_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| corrupt(&error))?;
        let mut shared = Shared::default();
        let copied = io::copy(&mut part.take(left + 1), &mut shared);
        let copied = copied.map_err(|error| corrupt(&error))?;
        if shared.texts > SHARED_MAX {
            return Err(Stop::TooLarge(format!("it has more than {SHARED_MAX} shared texts")));
        }
        left = left.checked_sub(copied).ok_or_else(|| {
            Stop::TooLarge(format!("it unpacks to more than {} MiB", UNPACKED_MAX >> 20))
        })?;
    }
    Ok(())
}

/// Counts the elements `<si` that go by: the shared texts, if this is the part that has them.
#[derive(Default)]
struct Shared {
    texts: u64,
    /// How much of `<si` the last bytes were.
    seen: usize,
}

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const ELEMENT: &[u8; 3] = b"<si";
        for &byte in bytes {
            self.seen = match (byte, byte == ELEMENT[self.seen]) {
                (_, true) => self.seen + 1,
                (b'<', false) => 1,
                (_, false) => 0,
            };
            if self.seen == ELEMENT.len() {
                self.texts += 1;
                self.seen = 0;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(bytes: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, Stop> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|error| corrupt(&error))
}

fn corrupt(error: &dyn std::fmt::Display) -> Stop {
    Stop::Corrupt(format!("it is no workbook, or damaged ({error})"))
}

/// Counts the cells an ODS workbook stands for: a few bytes can say `repeat this a million times`.
pub(super) fn check_ods(bytes: &[u8]) -> Result<(), Stop> {
    let mut archive = open(bytes)?;
    let mut part = archive.by_name("content.xml").map_err(|error| corrupt(&error))?;
    let mut content = Vec::new();
    part.read_to_end(&mut content).map_err(|error| corrupt(&error))?;
    let too_many = Stop::TooLarge(format!("it has more than {CELLS_MAX} cells"));
    match count(&content) {
        Some(cells) if cells <= CELLS_MAX => Ok(()),
        Some(_) => Err(too_many),
        None => Err(Stop::Corrupt("its content is no spreadsheet".to_owned())),
    }
}

/// The cells of all sheets, as far as the library would unfold them: an empty cell counts if something follows
/// it in its row, an empty row if something follows it in its sheet.
fn count(content: &[u8]) -> Option<u64> {
    let mut tally = Tally::default();
    let mut known = false;
    let mut rest = content;
    while let Some(start) = rest.iter().position(|byte| *byte == b'<') {
        let tag = &rest[start + 1..];
        let end = tag.iter().position(|byte| *byte == b'>').unwrap_or(tag.len());
        let name = tag[..end].split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next()?;
        known |= name == b"office:spreadsheet";
        tally.take(name, &tag[..end]);
        rest = &tag[end..];
    }
    known.then_some(tally.cells)
}

#[derive(Default)]
struct Tally {
    cells: u64,
    /// The row's cells so far, and the empty ones that may follow.
    row: u64,
    empty_cells: u64,
    row_repeats: u64,
    /// The empty rows since one that held something, and the widest row.
    empty_rows: u64,
    widest: u64,
}

impl Tally {
    fn take(&mut self, name: &[u8], tag: &[u8]) {
        match name {
            b"table:table" => (self.empty_rows, self.widest) = (0, 0),
            b"table:table-row" => {
                self.end_row();
                self.row_repeats = repeats(tag, b"table:number-rows-repeated");
            }
            b"table:table-cell" | b"table:covered-table-cell" => {
                let repeats = repeats(tag, b"table:number-columns-repeated");
                let plain =
                    find(tag, b"office:").is_none() && find(tag, b"table:formula").is_none();
                if plain && tag.ends_with(b"/") {
                    self.empty_cells = self.empty_cells.saturating_add(repeats);
                } else {
                    let more = self.empty_cells.saturating_add(repeats);
                    self.row = self.row.saturating_add(more);
                    self.empty_cells = 0;
                }
            }
            // The end of a table: `</table:table>` has no name before its slash.
            b"" if tag.starts_with(b"/table:table-row") || tag == b"/table:table" => self.end_row(),
            _ => {}
        }
    }

    fn end_row(&mut self) {
        if self.row == 0 {
            self.empty_rows = self.empty_rows.saturating_add(self.row_repeats);
        } else {
            self.widest = self.widest.max(self.row);
            let full = self.row.saturating_mul(self.row_repeats);
            let gap = self.widest.saturating_mul(self.empty_rows);
            self.cells = self.cells.saturating_add(full).saturating_add(gap);
            self.empty_rows = 0;
        }
        (self.row, self.empty_cells, self.row_repeats) = (0, 0, 0);
    }
}

fn repeats(tag: &[u8], attribute: &[u8]) -> u64 {
    let value = || {
        let after = &tag[find(tag, attribute)? + attribute.len()..];
        let open = after.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
        let digits = after[open + 1..].iter().take_while(|byte| byte.is_ascii_digit());
        let digits: Vec<u8> = digits.copied().collect();
        String::from_utf8(digits).ok()?.parse().ok()
    };
    // What is there but no number is taken for the worst.
    match (find(tag, attribute), value()) {
        (None, _) => 1,
        (Some(_), number) => number.unwrap_or(u64::MAX),
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
