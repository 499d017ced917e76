//! The journal: every batch that may not yet have reached its place in the repository, in one file.
//!
//! A record is a line `esker journal 1 LENGTH SUM`, then a payload of that length: lines `move NAME FROM TO`
//! (`none` where there was nothing), then for each object a line `object ID LENGTH` and the bytes of its loose
//! file. The sum is the git id of the payload, so that a record cut off by a crash is known.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use esker_wire::revision::Revision;

use crate::durable::{self, Move};
use crate::error::Error;
use crate::objects::{Kind, id_of};

/// What every record begins with.
const MAGIC: &str = "esker journal 1";

/// A batch: its objects as loose files, and the references it moves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) moves: Vec<Move>,
    pub(crate) objects: Vec<(Revision, Vec<u8>)>,
}

/// The open journal.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// Opens the journal; its whole records. What follows the last whole one is cut off.
    pub(crate) fn open(git_dir: &Path) -> Result<(Self, Vec<Record>), Error> {
        let path = git_dir.join("esker/journal");
        let mut options = File::options();
        let options = options.read(true).append(true).create(true);
        let mut file = options.open(&path).map_err(Error::write(&path))?;
        durable::sync_parent(&path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(Error::read(&path))?;
        let mut records = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some((record, after)) = read(rest) {
            records.push(record);
            rest = after;
        }
        let length = (bytes.len() - rest.len()) as u64;
        let mut journal = Self { path, file, length };
        if !rest.is_empty() {
            journal.cut(length)?;
        }
        Ok((journal, records))
    }

    /// How long it is.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends a record, durably, or leaves the journal as it was. This is the one wait for the disk of a batch.
    pub(crate) fn append(&mut self, record: &Record) -> Result<(), Error> {
        let bytes = write(record)?;
        let written = self.file.write_all(&bytes);
        let synced = written.and_then(|()| self.file.sync_data());
        if let Err(error) = synced {
            self.cut(self.length)?;
            return Err(Error::write(&self.path)(error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Takes back what was appended after a length.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), Error> {
        let cut = || {
            self.file.set_len(length)?;
            (&self.file).seek(SeekFrom::Start(length))?;
            self.file.sync_data()
        };
        cut().map_err(Error::write(&self.path))?;
        self.length = length;
        Ok(())
    }
}

fn write(record: &Record) -> Result<Vec<u8>, Error> {
    let mut payload = Vec::new();
    for step in &record.moves {
        let from = step.from.map_or("none".to_owned(), |from| from.to_string());
        let line = format!("move {} {from} {}\n", step.name, step.to);
        payload.extend_from_slice(line.as_bytes());
    }
    for (id, bytes) in &record.objects {
        payload.extend_from_slice(format!("object {id} {}\n", bytes.len()).as_bytes());
        payload.extend_from_slice(bytes);
    }
    let sum = id_of(Kind::Blob, &payload)?;
    let mut out = format!("{MAGIC} {} {sum}\n", payload.len()).into_bytes();
    out.append(&mut payload);
    Ok(out)
}

/// The first record, and what follows it; none if it is not whole.
fn read(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = line(bytes)?;
    let (length, sum) = head.strip_prefix(MAGIC)?.trim_start().split_once(' ')?;
    let (payload, rest) = rest.split_at_checked(length.parse().ok()?)?;
    if id_of(Kind::Blob, payload).ok()?.to_string() != sum {
        return None;
    }
    Some((payload_of(payload)?, rest))
}

fn payload_of(mut payload: &[u8]) -> Option<Record> {
    let mut record = Record::default();
    while !payload.is_empty() {
        let (text, rest) = line(payload)?;
        let words: Vec<&str> = text.split(' ').collect();
        payload = match words.as_slice() {
            ["move", name, from, to] => {
                record.moves.push(Move {
                    name: (*name).to_owned(),
                    from: if *from == "none" { None } else { Some(from.parse().ok()?) },
                    to: to.parse().ok()?,
                });
                rest
            }
            ["object", id, length] => {
                let (bytes, rest) = rest.split_at_checked(length.parse().ok()?)?;
                record.objects.push((id.parse().ok()?, bytes.to_vec()));
                rest
            }
            _ => return None,
        };
    }
    Some(record)
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests;
