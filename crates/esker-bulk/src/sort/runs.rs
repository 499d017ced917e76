//! Sorting what is larger than memory: sorted runs on disk, merged.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use crate::sort::order;
use crate::sort::shape::{Record, Shape};

/// How many runs are merged at once.
const MERGE_MAX: usize = 64;
/// How much of each is read at once, in bytes.
const READ: usize = 64 * 1024;

/// A part of a partition, and the rank of its first byte: records with the same key are written by rising rank.
pub(crate) type Ranked = (u64, Bytes);

/// Runs of one partition.
pub(crate) struct Runs {
    shape: Shape,
    is_reversed: bool,
    folder: PathBuf,
    runs: Vec<File>,
    /// How many bytes were written.
    pub(crate) written: u64,
}

/// The next record of a run.
struct Next {
    rank: u64,
    bytes: Vec<u8>,
    run: BufReader<File>,
    shape: Shape,
    is_reversed: bool,
}

impl Next {
    fn key(&self) -> &[u8] {
        self.shape.first(&self.bytes).map_or(&[], |record| record.key)
    }

    /// Reads the next record; whether there is one.
    fn advance(&mut self) -> io::Result<bool> {
        let mut head = [0; 12];
        match self.run.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        let [a, b, c, d, e, f, g, h, length @ ..] = head;
        self.rank = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        self.bytes.resize(u32::from_le_bytes(length) as usize, 0);
        self.run.read_exact(&mut self.bytes)?;
        Ok(true)
    }
}

impl Ord for Next {
    /// The greatest is written first.
    fn cmp(&self, other: &Self) -> Ordering {
        let keys = self.key().cmp(other.key());
        let keys = if self.is_reversed { keys } else { keys.reverse() };
        keys.then(other.rank.cmp(&self.rank))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Next {}

impl Runs {
    /// Runs in a folder.
    pub(crate) fn new(shape: Shape, is_reversed: bool, folder: &Path) -> Self {
        Self { shape, is_reversed, folder: folder.to_owned(), runs: Vec::new(), written: 0 }
    }

    /// Adds a run of these records.
    ///
    /// # Errors
    /// `not-writable` if it cannot be written.
    pub(crate) fn add(&mut self, mut parts: Vec<Ranked>, records: usize) -> Result<(), Fault> {
        parts.sort_by_key(|(rank, _)| *rank);
        let (ranks, parts): (Vec<u64>, Vec<Bytes>) = parts.into_iter().unzip();
        let sorted = order::sort(self.shape, &parts, self.is_reversed, records);
        let run = (|| {
            let mut run = BufWriter::with_capacity(READ, tempfile::tempfile_in(&self.folder)?);
            for (part, from) in sorted.places() {
                let bytes = &parts[part][from..];
                let size = self.shape.first(bytes).map_or(0, |record| record.size);
                self.written += put(&mut run, ranks[part] + from as u64, &bytes[..size])?;
            }
            run.into_inner().map_err(io::IntoInnerError::into_error)
        })();
        self.runs.push(run.map_err(|error| self.cannot(&error))?);
        Ok(())
    }

    fn cannot(&self, error: &io::Error) -> Fault {
        let text = format!("cannot keep a sorted run in {}: {error}", self.folder.display());
        Fault::new(Code::NotWritable, text).hint("choose another folder with --spill")
    }

    /// Tells all records in their order.
    ///
    /// # Errors
    /// Those of `tell`, and `not-writable` for runs that cannot be kept or read.
    pub(crate) fn merge<E: From<Fault>>(
        mut self,
        mut tell: impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        while self.runs.len() > MERGE_MAX {
            // The first ones, so that those that are merged are about as long.
            let some: Vec<File> = self.runs.drain(..MERGE_MAX).collect();
            let (mut written, folder) = (0, self.folder.clone());
            let merged = (|| {
                let mut run = BufWriter::with_capacity(READ, tempfile::tempfile_in(&folder)?);
                let mut heap = self.heap(some)?;
                while let Some(mut top) = heap.peek_mut() {
                    written += put(&mut run, top.rank, &top.bytes)?;
                    if !top.advance()? {
                        PeekMut::pop(top);
                    }
                }
                run.into_inner().map_err(io::IntoInnerError::into_error)
            })();
            self.written += written;
            let merged = merged.map_err(|error| self.cannot(&error))?;
            self.runs.push(merged);
        }
        let runs = std::mem::take(&mut self.runs);
        let mut heap = self.heap(runs).map_err(|error| self.cannot(&error))?;
        while let Some(mut top) = heap.peek_mut() {
            if let Some(record) = self.shape.first(&top.bytes) {
                tell(record)?;
            }
            if !top.advance().map_err(|error| self.cannot(&error))? {
                PeekMut::pop(top);
            }
        }
        Ok(self.written)
    }

    fn heap(&self, runs: Vec<File>) -> io::Result<BinaryHeap<Next>> {
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for mut run in runs {
            run.seek(SeekFrom::Start(0))?;
            let run = BufReader::with_capacity(READ, run);
            let (shape, is_reversed) = (self.shape, self.is_reversed);
            let mut next = Next { rank: 0, bytes: Vec::new(), run, shape, is_reversed };
            if next.advance()? {
                heap.push(next);
            }
        }
        Ok(heap)
    }
}

fn put(run: &mut impl Write, rank: u64, bytes: &[u8]) -> io::Result<u64> {
    run.write_all(&rank.to_le_bytes())?;
    run.write_all(&(bytes.len() as u32).to_le_bytes())?;
    run.write_all(bytes)?;
    Ok(12 + bytes.len() as u64)
}
