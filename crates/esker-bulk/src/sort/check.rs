//! Whether records are sorted, and what they are: a checksum that is the same however they are sorted.

use std::cmp::Ordering;
use std::path::PathBuf;

use serde::Serialize;

use crate::sort::input::Inputs;
use crate::sort::shape::Tally;
use crate::sort::{Error, Progress, Sort};

/// How many bytes are read at once.
const CHUNK: usize = 8 << 20;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// How many records there are.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The sum of the CRC-32C of each.
    pub checksum: String,
    /// How many have the key of the one before them.
    pub duplicates: u64,
    /// Which is the first that belongs before the one before it, counted from 1.
    pub unsorted: Option<u64>,
}

/// Reads files, in their order, and holds them against how they should be sorted.
///
/// # Errors
/// A fault for what cannot be read; [`Error::Stopped`].
pub fn check(asked: &Sort, paths: &[PathBuf], progress: &Progress) -> Result<Checked, Error> {
    let inputs = Inputs::open(paths, asked, progress)?;
    progress.begin(inputs.total());
    let shape = inputs.shape();
    let mut reader = inputs.reader(CHUNK);
    let (mut tally, mut duplicates, mut unsorted) = (Tally::default(), 0, None);
    let (mut piece, mut last) = (Vec::new(), None::<Vec<u8>>);
    while reader.next(&mut piece)?.is_some() {
        progress.go_on()?;
        let framed;
        let records = match inputs.are_lines_framed() {
            true => {
                framed = inputs.frame_lines(&piece);
                &framed
            }
            false => &piece,
        };
        let (mut from, mut before) = (0, last.as_deref());
        while let Some(record) = shape.first(&records[from..]) {
            tally.count(record.text);
            let order = before.map_or(Ordering::Less, |before| before.cmp(record.key));
            let order = if asked.is_reversed && before.is_some() { order.reverse() } else { order };
            duplicates += u64::from(order == Ordering::Equal);
            let is_bad = order == Ordering::Greater || order == Ordering::Equal && asked.is_unique;
            if is_bad && unsorted.is_none() {
                unsorted = Some(tally.records);
            }
            before = Some(record.key);
            from += record.size;
        }
        last = before.map(<[u8]>::to_vec);
        progress.add(piece.len() as u64);
    }
    let Tally { records, bytes, sum } = tally;
    Ok(Checked { records, bytes, checksum: format!("{sum:016x}"), duplicates, unsorted })
}
