//! The journal: every batch that may not yet have reached its place in the repository, in one file.
//!
//! A record is a line `esker journal 1 LENGTH SUM`, then a payload of that length: a line `boot ID` (of the system's
//! start in which it was written; absent where that cannot be told), lines `move NAME FROM TO` (`none` where there
//! was nothing), then for each object a line `object ID LENGTH` and the bytes of its loose file. The sum is the git
//! id of the payload, so that a record cut off by a crash is known.
//!
//! While a new journal is written, the one before may still be there as `journal.old`: it is read first.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use esker_wire::revision::Revision;

use crate::error::Error;
use crate::files;
use crate::locks::Move;
use crate::objects::{Kind, id_of};

/// What every record begins with.
const MAGIC: &str = "esker journal 1";

/// A batch: its objects as loose files, and the references it moves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) boot: Option<String>,
    pub(crate) moves: Vec<Move>,
    pub(crate) objects: Vec<(Revision, Vec<u8>)>,
}

/// The open journal.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    /// Whether the file may be longer than that, or the disk may not know that it is not.
    broken: bool,
}

impl Journal {
    /// Opens the journal; its whole records. What a crash has left behind the last whole one is cut off.
    pub(crate) fn open(git_dir: &Path) -> Result<(Self, Vec<Record>), Error> {
        let path = path(git_dir);
        let (records, length) = load(git_dir)?;
        let file = open(&path).map_err(Error::write(&path))?;
        files::sync_parent(&path)?;
        let mut journal = Self { path, file, length, broken: true };
        journal.cut(length)?;
        Ok((journal, records))
    }

    /// How long it is.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends a record, durably, or leaves the journal as it was. This is the one wait for the disk of a batch.
    pub(crate) fn append(&mut self, record: &Record) -> Result<(), Error> {
        let bytes = write(record)?;
        if self.broken {
            self.cut(self.length)?;
        }
        let written = self.file.write_all(&bytes);
        let synced = written.and_then(|()| self.file.sync_data());
        if let Err(error) = synced {
            drop(self.cut(self.length));
            return Err(Error::write(&self.path)(error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Takes back what was appended after a length. Until that is done, nothing is appended.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), Error> {
        self.length = length;
        self.broken = true;
        let cut = self.file.set_len(length).and_then(|()| self.file.sync_all());
        cut.map_err(Error::write(&self.path))?;
        self.broken = false;
        Ok(())
    }

    /// Begins a new journal; the old one's path. The one before it must be removed by then.
    pub(crate) fn turn(&mut self) -> Result<PathBuf, Error> {
        if self.broken {
            self.cut(self.length)?;
        }
        let old = old(&self.path);
        if old.exists() {
            // A turn failed half-way: this is the file still appended to.
            fs::rename(&old, &self.path).map_err(Error::write(&self.path))?;
        }
        self.try_turn(&old).inspect_err(|_| drop(fs::rename(&old, &self.path)))?;
        Ok(old)
    }

    fn try_turn(&mut self, old: &Path) -> Result<(), Error> {
        fs::rename(&self.path, old).map_err(Error::write(old))?;
        files::sync_parent(old)?;
        let file = open(&self.path).map_err(Error::write(&self.path))?;
        files::sync_parent(old)?;
        self.file = file;
        self.length = 0;
        self.broken = false;
        Ok(())
    }

    /// Empties it, and removes the one before.
    pub(crate) fn clear(&mut self) -> Result<(), Error> {
        let old = old(&self.path);
        if old.exists() {
            remove(&old)?;
        }
        self.cut(0)
    }
}

/// Removes an old journal, durably.
pub(crate) fn remove(old: &Path) -> Result<(), Error> {
    files::remove(old).map_err(Error::write(old))?;
    files::sync_parent(old)
}

/// The whole records of the old journal and the present one, and how long the present one is with them.
///
/// What is not whole at the very end was cut off by a crash. A record is only appended to whole ones, so anywhere
/// else it is damage, and what follows it was acknowledged.
pub(crate) fn load(git_dir: &Path) -> Result<(Vec<Record>, u64), Error> {
    let path = path(git_dir);
    let mut bytes = read_file(&old(&path))?;
    let before = bytes.len();
    bytes.append(&mut read_file(&path)?);
    let mut records = Vec::new();
    let mut rest = bytes.as_slice();
    loop {
        match read(rest) {
            Found::Whole(record, after) => {
                records.push(record);
                rest = after;
            }
            Found::Strange => break Err("a later esker wrote it"),
            Found::Torn if is_followed(rest) => break Err("whole records follow a broken one"),
            Found::Torn => break Ok(()),
        }
    }
    .map_err(|reason| Error::Journal { path, reason })?;
    Ok((records, (bytes.len() - rest.len()).saturating_sub(before) as u64))
}

fn path(git_dir: &Path) -> PathBuf {
    git_dir.join("esker/journal")
}

fn old(path: &Path) -> PathBuf {
    path.with_extension("old")
}

fn open(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).open(path)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(Error::read(path)),
    }
}

fn write(record: &Record) -> Result<Vec<u8>, Error> {
    let mut payload = Vec::new();
    if let Some(boot) = &record.boot {
        payload.extend_from_slice(format!("boot {boot}\n").as_bytes());
    }
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

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
enum Found<'a> {
    /// A record, and what follows it.
    Whole(Record, &'a [u8]),
    /// A whole record that says something unknown.
    Strange,
    /// Anything else.
    Torn,
}

fn read(bytes: &[u8]) -> Found<'_> {
    match frame(bytes) {
        None => Found::Torn,
        Some((payload, rest)) => {
            payload_of(payload).map_or(Found::Strange, |record| Found::Whole(record, rest))
        }
    }
}

/// The first record's payload, and what follows it; none if it is not whole.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = line(bytes)?;
    let (length, sum) = head.strip_prefix(MAGIC)?.strip_prefix(' ')?.split_once(' ')?;
    let (payload, rest) = rest.split_at_checked(length.parse().ok()?)?;
    (id_of(Kind::Blob, payload).ok()?.to_string() == sum).then_some((payload, rest))
}

/// Whether there is a whole record somewhere behind a broken one.
fn is_followed(bytes: &[u8]) -> bool {
    let mut starts = bytes.windows(MAGIC.len()).enumerate().skip(1);
    starts.any(|(at, found)| found == MAGIC.as_bytes() && frame(&bytes[at..]).is_some())
}

fn payload_of(mut payload: &[u8]) -> Option<Record> {
    let mut record = Record::default();
    while !payload.is_empty() {
        let (text, rest) = line(payload)?;
        let words: Vec<&str> = text.split(' ').collect();
        payload = match words.as_slice() {
            ["boot", boot] => {
                record.boot = Some((*boot).to_owned());
                rest
            }
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
