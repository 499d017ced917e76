//! Large contents, in pieces: brought before the PUT that names them, fetched part by part. What was lost with a
//! connection is asked for again; memory holds one piece.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Request;
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::snapshot::{CHUNK_MAX, Entry, Get, Range, Upload};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::cli;
use crate::commands::entry_json;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, hinted};
use crate::write::write_with;

/// How long one piece may take.
const PIECE_MAX: Duration = Duration::from_secs(20);
/// How long a hub may be away.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How soon it is looked for again, and how often it is asked whether it has checked what came.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often a file that changes while it is read is read again.
const READS_MAX: u32 = 3;

/// A hub that is asked again when it was away.
struct Line<'a> {
    place: &'a Place,
    hub: Hub,
    bar: ProgressBar,
}

impl Line<'_> {
    fn ask<R: Request>(&mut self, request: &R) -> Result<R::Reply> {
        let mut since: Option<Instant> = None;
        let mut last = String::new();
        loop {
            let fault = match self.hub.call_within(request, PIECE_MAX) {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            // A content that comes from the bucket tells how far it is.
            if fault.code == Code::Busy && fault.message != last {
                since = None;
                last.clone_from(&fault.message);
            }
            let may_pass = matches!(fault.code, Code::Timeout | Code::Unavailable | Code::Busy);
            if !may_pass || since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                return Err(fault.into());
            }
            self.bar.set_message("waits for the hub");
            std::thread::sleep(LOOK_EVERY);
            if fault.code == Code::Busy {
                continue;
            }
            if let Some(hub) = Hub::again(self.place) {
                self.hub = hub;
            }
        }
    }

    /// Shows how far something is.
    fn show(&self, what: &'static str, at: u64) {
        self.bar.set_message(what);
        self.bar.set_position(at);
    }
}

/// Brings a file's content, and gives what a PUT is to hold in its place. What is there of it already, from
/// an earlier try too, is not sent again.
pub(crate) fn bring(place: &Place, hub: Hub, file: &mut File) -> Result<(Hub, Bytes)> {
    let mut line = Line { place, hub, bar: bar(0) };
    let mut reads = 1;
    loop {
        let pointer = hash(&line, file)?;
        match send(&mut line, file, pointer) {
            Ok(()) => {
                line.bar.finish_and_clear();
                return Ok((line.hub, pointer.to_bytes()));
            }
            Err(error) if is(&error, Code::Conflict) && reads < READS_MAX => reads += 1,
            Err(error) => return Err(error),
        }
    }
}

fn hash(line: &Line<'_>, file: &mut File) -> Result<Pointer> {
    let length = file.metadata().context("cannot read the file")?.len();
    line.bar.set_length(length);
    file.rewind().context("cannot read the file")?;
    let mut hash = Sha256::new();
    let mut size = 0;
    loop {
        let piece = read_piece(file)?;
        if piece.is_empty() {
            let id = ContentId::from_bytes(hash.finalize().into());
            return Ok(Pointer { id, size });
        }
        hash.update(&piece);
        size += piece.len() as u64;
        line.show("reads", size);
    }
}

fn send(line: &mut Line<'_>, file: &mut File, Pointer { id, size }: Pointer) -> Result<()> {
    line.bar.set_length(size);
    let mut chunk = None;
    let mut offset = 0;
    loop {
        let ask = Upload { id, size, offset, chunk: chunk.take() };
        let answer = line.ask(&ask)?;
        if answer.is_complete {
            return Ok(());
        }
        offset = answer.have;
        if offset == size {
            line.show("is checked", offset);
            std::thread::sleep(LOOK_EVERY);
            continue;
        }
        line.show("sends", offset);
        file.seek(SeekFrom::Start(offset)).context("cannot read the file")?;
        let mut piece = read_piece(file)?;
        piece.truncate(usize::try_from(size - offset).unwrap_or(usize::MAX));
        if piece.is_empty() {
            let what = "the file became shorter while it was read";
            return Err(hinted(what, "put it again when nobody writes it"));
        }
        chunk = Some(piece.into());
    }
}

fn read_piece(file: &mut File) -> Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(CHUNK_MAX);
    file.take(CHUNK_MAX as u64).read_to_end(&mut piece).context("cannot read the file")?;
    Ok(piece)
}

/// Asks again as long as the hub brings a content from elsewhere, and gets on.
pub(crate) fn call<R: Request>(place: &Place, hub: Hub, request: &R) -> (Hub, Result<R::Reply>) {
    let asked = hub.call(request);
    if !asked.as_ref().is_err_and(|error| is(error, Code::Busy)) {
        return (hub, asked);
    }
    let mut line = Line { place, hub, bar: ProgressBar::hidden() };
    let asked = line.ask(request);
    (line.hub, asked)
}

/// `esker get` of what does not fit into one answer.
pub(crate) fn get(place: &Place, hub: Hub, get: &cli::Get, ask: Get) -> Result<()> {
    let mut line = Line { place, hub, bar: ProgressBar::hidden() };
    // Nothing of it yet, only what and which it is: all parts are then of this one commit.
    let nothing = Range { offset: 0, length: 0 };
    let found = line.ask(&Get { range: Some(nothing), ..ask.clone() })?;
    if get.json {
        let mut value = entry_json(&found.entry);
        value["at"] = found.at.to_string().into();
        return Ok(say::json(&value)?);
    }
    let ask = Get { at: found.at.into(), ..ask };
    match &get.output {
        Some(path) => {
            line.bar =
                bar(ask.range.map_or(found.entry.size, |range| range.length.min(found.entry.size)));
            write_with(path, |out| fetch(&mut line, &ask, &found.entry, out))
        }
        None => fetch(&mut line, &ask, &found.entry, &mut std::io::stdout().lock()),
    }
}

fn fetch(line: &mut Line<'_>, ask: &Get, entry: &Entry, out: &mut dyn Write) -> Result<()> {
    let wanted = ask.range.unwrap_or(Range { offset: 0, length: u64::MAX });
    let end = wanted.offset.saturating_add(wanted.length).min(entry.size);
    let mut hash = Sha256::new();
    let mut offset = wanted.offset;
    while offset < end {
        line.show("comes", offset - wanted.offset);
        let range = Some(Range { offset, length: (end - offset).min(CHUNK_MAX as u64) });
        let part = line.ask(&Get { range, ..ask.clone() })?.bytes.unwrap_or_default();
        if part.is_empty() {
            break;
        }
        hash.update(&part);
        out.write_all(&part)?;
        offset += part.len() as u64;
    }
    out.flush()?;
    line.bar.finish_and_clear();
    let found = ContentId::from_bytes(hash.finalize().into());
    let is_part = wanted.offset > 0 || end < entry.size;
    // The hash is that of the whole.
    if offset >= end && (is_part || entry.content_id.is_none_or(|id| id == found)) {
        return Ok(());
    }
    let came = offset - wanted.offset;
    let what = format!("{} is damaged: {came} bytes with the hash {found} came", entry.resource);
    Err(hinted(what, "put the same bytes again; `esker doctor` lists all that is missing"))
}

fn bar(length: u64) -> ProgressBar {
    let form = "  {msg:<18} {bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}";
    let style = ProgressStyle::with_template(form).expect("the template is well formed");
    ProgressBar::new(length).with_style(style)
}

/// Whether a content does not fit into one answer.
pub(crate) fn is_too_large(error: &anyhow::Error) -> bool {
    is(error, Code::TooLarge)
}

fn is(error: &anyhow::Error, code: Code) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == code)
}
