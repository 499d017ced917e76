//! What is sorted, read from its files piece by piece, each of whole records.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use esker_wire::fault::{Code, Fault};

use crate::sort::shape::{FIXED, RECORD_MAX, Shape, frame};
use crate::sort::{Column, Error, Kind, Progress, Sort, number};

/// How many bytes are read to find one record for the sample at first.
const LOOK: usize = 2048;

/// How many bytes of what can be read only once are copied between two looks whether it is to end.
const COPY: u64 = 1024 * 1024;

/// A file that can be read at any place.
struct Input {
    name: String,
    file: File,
    length: u64,
}

/// All that is sorted, in its order.
pub(crate) struct Inputs {
    all: Vec<Input>,
    kind: Kind,
    is_numeric: bool,
    is_unique: bool,
    /// Of CSV: what stands before the records, and the column that they are sorted by.
    header: Option<(Vec<u8>, usize)>,
}

/// Reads all from the beginning to the end.
pub(crate) struct Reader<'a> {
    inputs: &'a Inputs,
    /// Which input, and from which byte on.
    at: (usize, u64),
    /// The beginning of a record whose end is still to be read.
    rest: Vec<u8>,
    tasks: u32,
    chunk: usize,
}

fn cannot_read(name: &str, error: &io::Error) -> Fault {
    Fault::new(Code::NotFound, format!("cannot read {name}: {error}"))
}

impl Input {
    /// Opens a file; what is none, or can be read only once, is copied to one in the folder first.
    fn open(path: &Path, folder: &Path, progress: &Progress) -> Result<Self, Error> {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { "standard input".into() } else { path.display().to_string() };
        let read = || -> io::Result<File> {
            let mut once: Box<dyn Read> = match is_stdin {
                true => Box::new(io::stdin().lock()),
                false => {
                    let file = File::open(path)?;
                    let about = file.metadata()?;
                    if about.is_file() {
                        return Ok(file);
                    }
                    if about.is_dir() {
                        return Err(io::ErrorKind::IsADirectory.into());
                    }
                    Box::new(file)
                }
            };
            let mut file = tempfile::tempfile_in(folder)?;
            while io::copy(&mut once.by_ref().take(COPY), &mut file)? > 0
                && progress.go_on().is_ok()
            {}
            Ok(file)
        };
        let opened = read().and_then(|file| Ok((file.metadata()?.len(), file)));
        progress.go_on()?;
        let (length, file) = opened.map_err(|error| cannot_read(&name, &error))?;
        Ok(Self { name, file, length })
    }

    /// Adds as many bytes from a place on as there are, at most so many.
    fn read(&self, at: u64, most: usize, into: &mut Vec<u8>) -> Result<(), Fault> {
        let count = self.length.saturating_sub(at).min(most as u64) as usize;
        let from = into.len();
        into.resize(from + count, 0);
        let read = self.file.read_exact_at(&mut into[from..], at);
        read.map_err(|error| cannot_read(&self.name, &error))
    }
}

impl Inputs {
    /// Opens files.
    ///
    /// # Errors
    /// `not-found` for a file that cannot be read, `bad-request` for one that is not of this kind; [`Error::Stopped`].
    pub(crate) fn open(
        paths: &[PathBuf],
        asked: &Sort,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let open = |path: &PathBuf| Input::open(path, &asked.spill, progress);
        let all = paths.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let mut inputs = Self {
            all,
            kind: asked.kind.clone(),
            is_numeric: asked.is_numeric,
            is_unique: asked.is_unique,
            header: None,
        };
        match &asked.kind {
            Kind::Records if asked.is_numeric => {
                let fault = Fault::bad_request("records of 100 bytes have no numbers as keys");
                return Err(fault.hint("sort lines or CSV with --numeric").into());
            }
            Kind::Records => inputs.all.iter().try_for_each(check_fixed)?,
            Kind::Lines => {}
            Kind::Csv(column) => inputs.header = inputs.common_header(column)?,
        }
        Ok(inputs)
    }

    /// How many bytes there are.
    pub(crate) fn total(&self) -> u64 {
        self.all.iter().map(|input| input.length).sum()
    }

    /// How records lie in pieces.
    pub(crate) fn shape(&self) -> Shape {
        match self.kind {
            Kind::Records => Shape::Fixed,
            Kind::Lines if !self.is_numeric => Shape::Lines,
            Kind::Lines | Kind::Csv(_) => Shape::Framed,
        }
    }

    /// What stands before the records.
    pub(crate) fn header(&self) -> &[u8] {
        self.header.as_ref().map_or(&[], |(text, _)| text)
    }

    /// The header that all files of CSV begin with.
    fn common_header(&self, column: &Column) -> Result<Option<(Vec<u8>, usize)>, Fault> {
        let mut found: Option<(Vec<u8>, usize)> = None;
        for input in self.all.iter().filter(|input| input.length > 0) {
            let mut bytes = Vec::new();
            input.read(0, RECORD_MAX, &mut bytes)?;
            let mut records = Records::new(&bytes);
            let bad = |why: &str| Fault::bad_request(format!("{}: {why}", input.name));
            let Some((from, to)) = records.next().map_err(|why| bad(&why))? else { continue };
            let text = terminated(&bytes, (from, to));
            if let Some((known, _)) = &found {
                if known.trim_ascii_end() != text.trim_ascii_end() {
                    return Err(bad("its header is another one than that of the first file"));
                }
                continue;
            }
            let names: Vec<&[u8]> = records.fields.iter().collect();
            let place = column.find(&names).ok_or_else(|| {
                let names: Vec<_> =
                    names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
                let hint = format!("it has {}", names.join(", "));
                bad(&format!("there is no column {column}")).hint(hint)
            })?;
            found = Some((text, place));
        }
        Ok(found)
    }

    /// Keys of records at about so many places, evenly spread.
    ///
    /// # Errors
    /// `not-found` for what cannot be read.
    pub(crate) fn sample(&self, count: u64) -> Result<Vec<Vec<u8>>, Fault> {
        let (total, mut keys, mut bytes) = (self.total(), Vec::new(), Vec::new());
        let mut before = 0;
        let mut number = 0;
        let count = count.min(total);
        let place =
            |number: u64| (u128::from(total) * u128::from(number) / u128::from(count)) as u64;
        for input in &self.all {
            while number < count && place(number) < before + input.length {
                let at = place(number) - before;
                number += 1;
                for look in [LOOK, RECORD_MAX] {
                    bytes.clear();
                    if let Some(key) = self.key_behind(input, at, look, &mut bytes)? {
                        keys.push(key);
                        break;
                    }
                }
            }
            before += input.length;
        }
        Ok(keys)
    }

    /// The key of the first record that begins behind a place, if it ends soon enough.
    fn key_behind(
        &self,
        input: &Input,
        at: u64,
        look: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<Vec<u8>>, Fault> {
        if self.shape() == Shape::Fixed {
            input.read(at - at % FIXED as u64, FIXED, bytes)?;
            return Ok(Shape::Fixed.first(bytes).map(|record| record.key.to_owned()));
        }
        input.read(at, look, bytes)?;
        let Some(from) = memchr::memchr(b'\n', bytes).filter(|_| at > 0) else {
            let is_begin = at == 0 && !matches!(self.kind, Kind::Csv(_));
            return Ok(is_begin.then(|| self.key_of_line(bytes)).flatten());
        };
        let rest = &bytes[from + 1..];
        Ok(match &self.header {
            None => self.key_of_line(rest),
            Some((_, column)) => {
                let mut records = Records::new(rest);
                // A guess: inside a quoted field this is no record. Only the sizes of partitions depend on it.
                let is_whole = matches!(records.next(), Ok(Some((_, to))) if to < rest.len());
                let field = records.fields.get(*column).filter(|_| is_whole);
                field.map(|field| self.csv_key(field))
            }
        })
    }

    fn key_of_line(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let line = &bytes[..memchr::memchr(b'\n', bytes)?];
        let mut key = Vec::new();
        match self.is_numeric {
            true => self.line_key(line, &mut key),
            false => key.extend_from_slice(line),
        }
        Some(key)
    }

    /// The key of a line that is sorted by its number; where it is the same, the line itself decides.
    fn line_key(&self, line: &[u8], key: &mut Vec<u8>) {
        number::key(line, key);
        if !self.is_unique {
            key.extend_from_slice(line);
        }
    }

    fn csv_key(&self, field: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        match self.is_numeric {
            true => number::key(field, &mut key),
            false => key.extend_from_slice(field),
        }
        key
    }

    /// Makes of lines what can be sorted by its numbers.
    pub(crate) fn frame_lines(&self, lines: &[u8]) -> Vec<u8> {
        let (mut framed, mut key) = (Vec::with_capacity(lines.len() * 2), Vec::new());
        let mut rest = lines;
        while let Some(record) = Shape::Lines.first(rest) {
            key.clear();
            self.line_key(record.key, &mut key);
            frame(&mut framed, &key, record.text);
            rest = &rest[record.size..];
        }
        framed
    }

    /// Whether pieces are lines that are to be framed.
    pub(crate) fn are_lines_framed(&self) -> bool {
        self.kind == Kind::Lines && self.is_numeric
    }

    /// Reads all in pieces of about so many bytes.
    pub(crate) fn reader(&self, chunk: usize) -> Reader<'_> {
        Reader { inputs: self, at: (0, 0), rest: Vec::new(), tasks: 0, chunk }
    }
}

fn check_fixed(input: &Input) -> Result<(), Fault> {
    if input.length.is_multiple_of(FIXED as u64) {
        return Ok(());
    }
    let text = format!("{} has {} bytes: no whole records of {FIXED}", input.name, input.length);
    Err(Fault::bad_request(text).hint("sort lines with --lines, or CSV with --csv"))
}

/// The text of a record of CSV, with a newline behind it as there was, if there was one.
fn terminated(bytes: &[u8], (from, to): (usize, usize)) -> Vec<u8> {
    let is_text = |byte: &u8| !b"\r\n".contains(byte);
    let text = &bytes[from..to];
    let begin = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(begin, |last| last + 1);
    let is_crlf = bytes[from + end..].starts_with(b"\r\n");
    let newline: &[u8] = if is_crlf { b"\r\n" } else { b"\n" };
    [&text[begin..end], newline].concat()
}

/// Records of CSV, where they are.
struct Records<'a> {
    reader: csv::Reader<&'a [u8]>,
    fields: csv::ByteRecord,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut builder = csv::ReaderBuilder::new();
        builder.has_headers(false).flexible(true).buffer_capacity(64 * 1024);
        Self { reader: builder.from_reader(bytes), fields: csv::ByteRecord::new() }
    }

    /// Where the next one is: between the end of the one before it and its own; `fields` has what it says.
    fn next(&mut self) -> Result<Option<(usize, usize)>, String> {
        let from = self.reader.position().byte() as usize;
        let read = self.reader.read_byte_record(&mut self.fields);
        let is_one = read.map_err(|error| error.to_string())?;
        Ok(is_one.then(|| (from, self.reader.position().byte() as usize)))
    }
}

impl Reader<'_> {
    /// Puts the next piece in the place of `piece`; the number of the task that it is, or nothing at the end.
    ///
    /// # Errors
    /// `not-found` for what cannot be read, `bad-request` for what is no such record, `too-large` for one that is too
    /// long.
    pub(crate) fn next(&mut self, piece: &mut Vec<u8>) -> Result<Option<u32>, Fault> {
        piece.clear();
        while let Some(input) = self.inputs.all.get(self.at.0) {
            piece.append(&mut self.rest);
            let (from, begun) = (self.at.1, piece.len());
            input.read(from, self.chunk.saturating_sub(begun).max(FIXED), piece)?;
            self.at.1 += (piece.len() - begun) as u64;
            let is_end = self.at.1 >= input.length;
            if is_end {
                self.at = (self.at.0 + 1, 0);
            }
            match &self.inputs.header {
                Some((_, column)) if matches!(self.inputs.kind, Kind::Csv(_)) => {
                    self.frame_csv(input, (piece, *column), (from - begun as u64, is_end))?;
                }
                _ => self.cut(input, piece, is_end)?,
            }
            if !piece.is_empty() {
                self.tasks += 1;
                return Ok(Some(self.tasks));
            }
        }
        Ok(None)
    }

    /// Leaves whole records in a piece, and keeps the beginning of the next one.
    fn cut(&mut self, input: &Input, piece: &mut Vec<u8>, is_end: bool) -> Result<(), Fault> {
        let end = match self.inputs.kind {
            Kind::Records => piece.len() - piece.len() % FIXED,
            _ => memchr::memrchr(b'\n', piece).map_or(0, |last| last + 1),
        };
        if is_end && end < piece.len() {
            piece.push(b'\n');
            return Ok(());
        }
        self.rest.extend_from_slice(&piece[end..]);
        piece.truncate(end);
        self.check_rest(input)
    }

    fn check_rest(&self, input: &Input) -> Result<(), Fault> {
        match self.rest.len() > RECORD_MAX {
            true => Err(too_long(&format!("{}, before byte {}", input.name, self.at.1))),
            false => Ok(()),
        }
    }

    /// Makes of CSV, read from a byte on, whole records with their keys before them.
    fn frame_csv(
        &mut self,
        input: &Input,
        (piece, column): (&mut Vec<u8>, usize),
        (begin, is_end): (u64, bool),
    ) -> Result<(), Fault> {
        let mut framed = Vec::with_capacity(piece.len() * 3 / 2);
        let mut records = Records::new(piece);
        let mut done = 0;
        let mut is_header = begin == 0;
        while let Some((from, to)) = records.next().map_err(|why| csv_fault(input, begin, &why))? {
            if to >= piece.len() && !is_end {
                break;
            }
            done = to;
            if std::mem::take(&mut is_header) {
                continue;
            }
            let Some(field) = records.fields.get(column) else {
                let why = format!("a record has no column {}", column + 1);
                return Err(csv_fault(input, begin + from as u64, &why));
            };
            let text = terminated(piece, (from, to));
            frame(&mut framed, &self.inputs.csv_key(field), &text);
        }
        if !is_end {
            self.rest.extend_from_slice(&piece[done..]);
        }
        *piece = framed;
        self.check_rest(input)
    }
}

fn csv_fault(input: &Input, at: u64, why: &str) -> Fault {
    Fault::bad_request(format!("{}, at byte {at}: {why}", input.name))
}

/// The fault of a record that is too long.
pub(crate) fn too_long(place: &str) -> Fault {
    let text = format!("{place}: a record has more than {RECORD_MAX} bytes");
    Fault::new(Code::TooLarge, text).hint("is a quote not closed, or is it no text?")
}
