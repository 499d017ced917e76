//! The journal: every batch that may not yet be where git looks for it, in two files written in turn.
//!
//! A record is a line `esker journal 2 GENERATION NUMBER LENGTH SUM`, then a payload of that length: lines
//! `settled GENERATION` (what that generation and all before it tell is in its place), lines `move NAME FROM TO`
//! (`none` where there was nothing), then for each object a line `object ID KIND LENGTH` and its content. The sum is
//! the CRC-32 of `GENERATION NUMBER LENGTH` and the payload; each object's id tells the rest.
//!
//! A file holds the records of one generation, numbered from 0, and then what is left of an earlier one: it is
//! written over, not made anew, for a flush of bytes in their old place is one wait for the disk and not two.

mod old;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::files;
use crate::locks::Move;
use crate::objects::{Kind, Object};

/// What every record begins with.
const MAGIC: &str = "esker journal 2";
/// A file grows by so many bytes at once, written with zeros.
const STEP: u64 = 256 * 1024;
/// A file longer than this is made short again at the next start.
const KEPT_MAX: u64 = 16 * 1024 * 1024;

/// A batch: its objects, and the references it moves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pub(crate) objects: Vec<Object>,
    pub(crate) moves: Vec<Move>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.moves.is_empty()
    }
}

/// The open journal.
pub(crate) struct Journal {
    files: [Half; 2],
    /// The generation that is written; it is in the file of its parity.
    generation: u64,
    number: u64,
    /// How long the records of this generation are.
    length: u64,
    /// The last generation that is known to be in its place, and of which the disk knows that it is.
    settled: u64,
    /// Whether this generation tells of something that may not be in its place.
    is_needed: bool,
    /// Whether there may be something at `length` that was refused.
    is_torn: bool,
}

struct Half {
    path: PathBuf,
    file: File,
    /// How long the file is.
    length: u64,
}

impl Journal {
    /// Opens the journal; the batches that may not be in their place, in order. The next is written behind them.
    pub(crate) fn open(git_dir: &Path) -> Result<(Self, Vec<Batch>), Error> {
        let found = load(git_dir)?;
        let [a, b] = paths(git_dir);
        let mut files = [Half::open(a)?, Half::open(b)?];
        // What is read may not be on disk: of the process that wrote it, the last flush may have failed.
        let half = &mut files[(found.generation % 2) as usize];
        let mut told = read_file(&half.path)?;
        told.truncate(found.length as usize);
        half.write(0, told)?;
        if found.batches.is_empty() {
            for (parity, half) in (0..).zip(&mut files) {
                let needed = if found.generation % 2 == parity { found.length } else { 0 };
                half.shorten(needed)?;
            }
        }
        files::sync_parent(&files[0].path)?;
        let journal = Self {
            files,
            generation: found.generation,
            number: found.number,
            length: found.length,
            settled: found.settled,
            is_needed: !found.batches.is_empty(),
            is_torn: true,
        };
        Ok((journal, found.batches))
    }

    /// How long the records are that are not yet known to be in their place.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends a batch, durably, or leaves the journal as it was. This is the one wait for the disk of a PUT.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<(), Error> {
        self.append_payload(&payload(batch))?;
        self.is_needed = true;
        Ok(())
    }

    /// Notes that a generation and all before it are in their place.
    fn settle(&mut self, generation: u64) -> Result<(), Error> {
        if generation > self.settled {
            self.append_payload(format!("settled {generation}\n").as_bytes())?;
            self.settled = generation;
        }
        Ok(())
    }

    /// Notes that all is in its place.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        if self.is_needed {
            let last = self.generation;
            self.turn()?;
            self.settle(last)?;
            self.is_needed = false;
        }
        Ok(())
    }

    /// Begins the next generation in the other file. What that file holds must be in its place.
    pub(crate) fn turn(&mut self) -> Result<(), Error> {
        if self.is_torn {
            self.mend()?;
        }
        // Were this not on disk before the other file is written over, a broken first record there could not be
        // told from the loss of what it held.
        self.settle(self.generation - 1)?;
        self.generation += 1;
        self.number = 0;
        self.length = 0;
        Ok(())
    }

    fn append_payload(&mut self, payload: &[u8]) -> Result<(), Error> {
        if self.is_torn {
            self.mend()?;
        }
        let head = format!("{} {} {}", self.generation, self.number, payload.len());
        let sum = sum(&head, payload);
        let mut bytes = format!("{MAGIC} {head} {sum:08x}\n").into_bytes();
        bytes.extend_from_slice(payload);
        let length = self.length + bytes.len() as u64;
        let at = self.length;
        let half = self.half();
        if let Err(error) = half.write(at, bytes) {
            self.is_torn = true;
            // If it cannot be taken back now, nothing is appended until it can.
            return Err(match (self.mend(), error) {
                (Err(_), Error::Write { path, why }) => Error::Unsure { path, why },
                (_, error) => error,
            });
        }
        self.length = length;
        self.number += 1;
        Ok(())
    }

    /// Makes sure that nothing follows the last record.
    fn mend(&mut self) -> Result<(), Error> {
        let at = self.length;
        self.half().blank(at)?;
        self.is_torn = false;
        Ok(())
    }

    fn half(&mut self) -> &mut Half {
        &mut self.files[(self.generation % 2) as usize]
    }
}

impl Half {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let file = files::open(&path)?;
        let length = file.metadata().map_err(Error::write(&path))?.len();
        Ok(Self { path, file, length })
    }

    /// Writes in the place of zeros or of what is left of an earlier generation, and flushes.
    fn write(&mut self, at: u64, mut bytes: Vec<u8>) -> Result<(), Error> {
        let end = at + bytes.len() as u64;
        let length = self.length.max(end.next_multiple_of(STEP));
        if end > self.length {
            bytes.resize((length - at) as usize, 0);
        }
        files::write_at(&self.file, &self.path, (at, &bytes))?;
        files::sync(&self.file, &self.path)?;
        self.length = length;
        Ok(())
    }

    /// Makes sure that there is no record at a place.
    fn blank(&mut self, at: u64) -> Result<(), Error> {
        let zeros = vec![0; MAGIC.len()];
        files::write_at(&self.file, &self.path, (at, &zeros))?;
        files::sync(&self.file, &self.path)
    }

    /// Gives back what a large batch has made it grow by.
    fn shorten(&mut self, needed: u64) -> Result<(), Error> {
        if self.length > KEPT_MAX.max(needed) {
            let length = needed.next_multiple_of(STEP);
            files::set_length(&self.file, &self.path, length)?;
            self.length = length;
        }
        Ok(())
    }
}

/// What a journal holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What may not be in its place, oldest first.
    pub(crate) batches: Vec<Batch>,
    generation: u64,
    number: u64,
    length: u64,
    settled: u64,
}

/// What one file holds.
#[derive(Default)]
struct Tape {
    generation: u64,
    records: Vec<Record>,
    length: u64,
}

#[derive(Default)]
struct Record {
    settled: Option<u64>,
    batch: Batch,
}

/// Reads the journal, also one of an earlier version.
///
/// What is not whole at the end of a generation was cut off by a crash and never acknowledged. A record is only
/// appended to whole ones, so anywhere else it is damage, and what follows it was acknowledged.
pub(crate) fn load(git_dir: &Path) -> Result<Found, Error> {
    let mut found =
        Found { generation: first_generation(), batches: old::load(git_dir)?, ..Found::default() };
    let [a, b] = paths(git_dir);
    let bytes = [read_file(&a)?, read_file(&b)?];
    let broken = |path: &Path, reason| Error::Journal { path: path.to_owned(), reason };
    let read = |path, bytes: &[u8]| tape(bytes).map_err(|reason| broken(path, reason));
    let mut tapes = [read(&a, &bytes[0])?, read(&b, &bytes[1])?];
    let settled = tapes.iter().flat_map(|tape| &tape.records).filter_map(|record| record.settled);
    found.settled = settled.max().unwrap_or(0);
    for (index, path) in [&a, &b].into_iter().enumerate() {
        let (tape, other) = (&tapes[index], &tapes[1 - index]);
        let rest = &bytes[index][tape.length as usize..];
        if is_followed(rest, (tape, other), found.settled) {
            return Err(broken(path, "whole records follow a broken one"));
        }
    }
    tapes.sort_by_key(|tape| tape.generation);
    for tape in tapes.into_iter().filter(|tape| tape.generation > 0) {
        found.generation = tape.generation;
        (found.number, found.length) = (tape.records.len() as u64, tape.length);
        if tape.generation > found.settled {
            let batches = tape.records.into_iter().map(|record| record.batch);
            found.batches.extend(batches.filter(|batch| !batch.is_empty()));
        }
    }
    Ok(found)
}

/// The whole records of a journal, also of a damaged one, in the order they were written.
pub(crate) fn salvage(git_dir: &Path) -> Result<Vec<Batch>, Error> {
    let mut found = Vec::new();
    let mut known = Vec::new();
    for path in paths(git_dir) {
        let bytes = read_file(&path)?;
        known.extend(frame(&bytes).map(|frame| frame.generation));
        let mut at = 0;
        while let Some(next) = memchr::memmem::find(&bytes[at..], MAGIC.as_bytes()) {
            at += next;
            match frame(&bytes[at..]) {
                Some(frame) => {
                    let batch = record(frame.payload).map(|record| record.batch);
                    found.extend(batch.ok().map(|batch| (frame.generation, frame.number, batch)));
                    // What a content holds is no record.
                    at += frame.length as usize;
                }
                None => at += 1,
            }
        }
    }
    // What is left of a content may look like a record.
    found.retain(|(generation, ..)| {
        known.is_empty() || known.iter().any(|known| generation.abs_diff(*known) <= 2)
    });
    found.sort_by_key(|(generation, number, _)| (*generation, *number));
    Ok(found.into_iter().map(|(_, _, batch)| batch).collect())
}

/// Whether a file of the journal can be read; that nothing in it makes esker panic is for others to try.
pub(crate) fn is_readable(bytes: &[u8]) -> bool {
    let none = Tape::default();
    tape(bytes).is_ok_and(|tape| {
        !is_followed(&bytes[tape.length as usize..], (&tape, &none), tape.generation / 2)
    })
}

/// The journal's files.
pub(crate) fn files(git_dir: &Path) -> [PathBuf; 2] {
    paths(git_dir)
}

/// Removes what an earlier version has left, when it is in its place.
pub(crate) fn remove_old(git_dir: &Path) -> Result<(), Error> {
    old::remove(git_dir)
}

fn paths(git_dir: &Path) -> [PathBuf; 2] {
    ["journal.0", "journal.1"].map(|name| git_dir.join("esker").join(name))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(Error::read(path)),
    }
}

/// The whole records at the beginning of a file, all of one generation.
fn tape(bytes: &[u8]) -> Result<Tape, &'static str> {
    let mut tape = Tape::default();
    while let Some(frame) = frame(&bytes[tape.length as usize..]) {
        let first = tape.records.is_empty();
        if frame.number != tape.records.len() as u64
            || !(first || frame.generation == tape.generation)
        {
            break;
        }
        tape.generation = frame.generation;
        tape.records.push(record(frame.payload)?);
        tape.length += frame.length;
    }
    Ok(tape)
}

/// A record whose sum is right.
struct Frame<'a> {
    generation: u64,
    number: u64,
    payload: &'a [u8],
    length: u64,
}

fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (line, rest) = line(bytes)?;
    let (head, found) = line.strip_prefix(MAGIC)?.strip_prefix(' ')?.rsplit_once(' ')?;
    let words: Vec<&str> = head.split(' ').collect();
    let [generation, number, length] = words.as_slice() else {
        return None;
    };
    let (payload, _) = rest.split_at_checked(length.parse().ok()?)?;
    (format!("{:08x}", sum(head, payload)) == found).then_some(Frame {
        generation: generation.parse().ok()?,
        number: number.parse().ok()?,
        payload,
        length: (line.len() + 1 + payload.len()) as u64,
    })
}

fn sum(head: &str, payload: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(head.as_bytes());
    sum.update(payload);
    sum.finalize()
}

/// Whether there is a whole record behind a broken one that must not be lost: of the same generation and a higher
/// number, or, if not even the first record is whole, of one beside the other file's that is not settled.
fn is_followed(bytes: &[u8], (tape, other): (&Tape, &Tape), settled: u64) -> bool {
    let number = tape.records.len() as u64;
    let is_near = |generation: u64| {
        if number > 0 {
            generation == tape.generation
        } else {
            other.generation == 0 || generation.abs_diff(other.generation) == 1
        }
    };
    let starts = memchr::memmem::find_iter(bytes, MAGIC.as_bytes());
    starts.filter_map(|at| frame(&bytes[at..])).any(|frame| {
        is_near(frame.generation) && frame.generation > settled && frame.number > number
    })
}

/// Where generations are counted from. Nobody can guess it: what is left of a content that someone has put may look
/// like records, but not like those of a generation that is still needed.
fn first_generation() -> u64 {
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), MAGIC) >> 17 | 1
}

fn payload(batch: &Batch) -> Vec<u8> {
    let size: usize = batch.objects.iter().map(|object| object.bytes.len() + 96).sum();
    let mut out = Vec::with_capacity(size + 256);
    for step in &batch.moves {
        let from = step.from.map_or("none".to_owned(), |from| from.to_string());
        out.extend_from_slice(format!("move {} {from} {}\n", step.name, step.to).as_bytes());
    }
    for Object { id, kind, bytes, .. } in &batch.objects {
        let head = format!("object {id} {} {}\n", kind.as_str(), bytes.len());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

fn record(mut payload: &[u8]) -> Result<Record, &'static str> {
    let mut record = Record::default();
    while !payload.is_empty() {
        payload = item(payload, &mut record).ok_or("a later esker wrote it")?;
    }
    Ok(record)
}

/// Reads one line and what belongs to it; what follows.
fn item<'a>(payload: &'a [u8], record: &mut Record) -> Option<&'a [u8]> {
    let (text, rest) = line(payload)?;
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        ["settled", generation] => record.settled = Some(generation.parse().ok()?),
        ["move", name, from, to] => record.batch.moves.push(item_move(name, from, to)?),
        ["object", id, kind, length] => {
            let (bytes, rest) = rest.split_at_checked(length.parse().ok()?)?;
            let (id, kind): (Revision, Kind) = (id.parse().ok()?, Kind::parse(kind)?);
            let bytes = Bytes::copy_from_slice(bytes);
            record.batch.objects.push(Object { id, kind, bytes, base: None });
            return Some(rest);
        }
        _ => return None,
    }
    Some(rest)
}

fn item_move(name: &str, from: &str, to: &str) -> Option<Move> {
    let from = if from == "none" { None } else { Some(from.parse().ok()?) };
    Some(Move { name: name.to_owned(), from, to: to.parse().ok()? })
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(1024)])?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests;
