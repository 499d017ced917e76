//! Cuts: models that stay as they are, shared by all who ask at about the same time, encoded once for all of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use super::pages::{self, Page, Wish};
use crate::ask::{self, Cutting, Diff};
use crate::frame::{Frame, Header, Type};
use crate::model::Model;
use crate::nodes;
use crate::op::Act;
use crate::path::{Key, Path};
use crate::section::Junctions;

/// Who asks within this time gets the same cut: each costs copies of what changes while it is held.
const SHARED_FOR: Duration = Duration::from_secs(1);

/// How long a cut is held that nobody asks anything of.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Who fetches a cut asks for the next of it within this time.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// Who fetches a cut of which others had the end already, nearly always within this.
const ENDED_BUSY_MAX: Duration = Duration::from_secs(1);

/// The most cuts that are held.
const HELD_MAX: usize = 64;

/// About how many bytes a chunk has before it is compressed: enough to compress well, and to be soon there.
const CHUNK: usize = 512 * 1024;

/// About how many bytes another page has.
const PAGE: usize = 1024 * 1024;

/// A model that stays as it is, and its chunks as far as anybody asked for them.
#[derive(Debug)]
pub(super) struct Cut {
    told: Cutting,
    epoch: u64,
    model: Model,
    sections: Vec<Path>,
    /// The junctions above the sections, which their chunks begin with.
    above: Vec<Path>,
    chunks: Mutex<Chunks>,
    /// Whether anybody was given the last chunk.
    is_ended: AtomicBool,
}

#[derive(Debug, Default)]
struct Chunks {
    /// Each as it is, and compressed if anybody wished it so.
    made: Vec<(Bytes, Option<Bytes>)>,
    /// Where the next one begins; nothing before the first.
    after: Option<Path>,
    is_whole: bool,
}

/// The cuts that are held, the oldest first.
#[derive(Debug)]
pub(super) struct Cuts {
    epoch: u64,
    held: VecDeque<Held>,
    made: u64,
}

#[derive(Debug)]
struct Held {
    cut: Arc<Cut>,
    made: Duration,
    used: Duration,
    /// Whether anything of it was ever fetched.
    is_fetched: bool,
}

impl Cuts {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, held: VecDeque::new(), made: 0 }
    }

    /// A cut of the model as it is now, or was a moment ago.
    pub(super) fn make(
        &mut self,
        model: &mut Model,
        junctions: &Junctions,
        (seq, wish): (u64, &ask::Cut),
        now: Duration,
    ) -> Arc<Cut> {
        let mut sections = wish.sections.clone();
        sections.sort_unstable();
        sections.dedup();
        let is_shared = |held: &&mut Held| {
            let told = &held.cut.told;
            let is_new = held.made + SHARED_FOR > now && told.seq >= wish.from;
            (is_new || told.seq == seq) && held.cut.sections == sections
        };
        if let Some(held) = self.held.iter_mut().find(is_shared) {
            held.used = now;
            return Arc::clone(&held.cut);
        }
        let above: Vec<Path> = junctions.above(&sections).into_iter().cloned().collect();
        let digest = junctions.digest(model, &sections);
        self.made += 1;
        let told = Cutting { cut: self.made, seq, digest, nodes: model.nodes() };
        let chunks = Mutex::default();
        let cut = Arc::new(Cut {
            told,
            epoch: self.epoch,
            model: model.clone(),
            sections,
            above,
            chunks,
            is_ended: AtomicBool::new(false),
        });
        if self.held.len() == HELD_MAX {
            self.drop_one(now);
        }
        let held = Held { cut: Arc::clone(&cut), made: now, used: now, is_fetched: false };
        self.held.push_back(held);
        cut
    }

    /// Lets go of the oldest of those that matter least, so that whoever asks for cuts of ever other sections, and fetches
    /// none, takes nobody's from under him.
    fn drop_one(&mut self, now: Duration) {
        let is_busy = |held: &Held| {
            let is_ended = held.cut.is_ended.load(Ordering::Relaxed);
            held.used + if is_ended { ENDED_BUSY_MAX } else { BUSY_MAX } > now
        };
        let worth = |held: &Held| (is_busy(held), held.is_fetched, held.cut.sections.is_empty());
        let least = self.held.iter().enumerate().min_by_key(|(_, held)| worth(held));
        if let Some((index, _)) = least {
            self.held.remove(index);
        }
    }

    /// A cut that is held.
    pub(super) fn get(&mut self, cut: u64, now: Duration) -> Result<Arc<Cut>, Fault> {
        let Some(held) = self.held.iter_mut().find(|held| held.cut.told.cut == cut) else {
            let text = format!("cut {cut} is not held any more");
            return Err(Fault::new(Code::Gone, text).hint("ask CUT for another"));
        };
        held.used = now;
        held.is_fetched = true;
        Ok(Arc::clone(&held.cut))
    }

    /// Lets go of what nobody asks for.
    pub(super) fn forget(&mut self, now: Duration) {
        self.held.retain(|held| held.used + IDLE_MAX > now);
    }
}

impl Cut {
    pub(super) fn cutting(&self) -> Cutting {
        self.told.clone()
    }

    pub(super) fn seq(&self) -> u64 {
        self.told.seq
    }

    /// A chunk; all before it are made on the way.
    pub(super) fn chunk(&self, index: u32, zstd: bool) -> Result<Bytes, Fault> {
        let index = index as usize;
        // What a panic left behind is chunks that are whole.
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        while chunks.made.len() <= index {
            if chunks.is_whole {
                let text = format!("there is no chunk {index}, the cut has {}", chunks.made.len());
                return Err(Fault::bad_request(text));
            }
            self.make_chunk(&mut chunks);
        }
        if chunks.is_whole && index + 1 == chunks.made.len() {
            self.is_ended.store(true, Ordering::Relaxed);
        }
        let (plain, compressed) = &mut chunks.made[index];
        if !zstd {
            return Ok(plain.clone());
        }
        Ok(compressed.get_or_insert_with(|| compress(plain)).clone())
    }

    fn make_chunk(&self, chunks: &mut Chunks) {
        // The last node may take a little more.
        let mut page = Page::with_room(CHUNK + CHUNK / 64);
        if chunks.made.is_empty() {
            for path in &self.above {
                page.push_dict(path);
            }
        }
        let whole = [Path::new()];
        let bases = if self.sections.is_empty() { &whole } else { self.sections.as_slice() };
        let wish = Wish { after: chunks.after.as_deref(), ..Wish::of(bases) };
        pages::fill(&mut page, &self.model, &wish, CHUNK);
        chunks.after.clone_from(&page.next);
        chunks.is_whole = page.next.is_none();
        let frame = page.frame(Type::Chunk, (self.epoch, self.told.seq), false);
        chunks.made.push((frame, None));
    }

    /// These nodes with all below them.
    pub(super) fn page(&self, paths: &[Path], after: Option<&[Key]>, zstd: bool) -> ask::Page {
        let mut bases = paths.to_vec();
        bases.sort_unstable();
        bases.dedup_by(|inner, outer| inner.starts_with(outer));
        let wish = Wish { after, ..Wish::of(&bases) };
        self.told_page(pages::page(&self.model, &wish, PAGE), Type::Chunk, zstd)
    }

    /// What has changed.
    pub(super) fn diff(&self, asked: &Diff, deleted: &[Path]) -> ask::Page {
        let mut page = Page::default();
        let whole = [Path::new()];
        let bases = if self.sections.is_empty() { &whole } else { self.sections.as_slice() };
        let after = asked.after.as_ref().map(|(_, after)| after.as_slice());
        if after.is_none() {
            let is_wished = |path: &&Path| bases.iter().any(|base| path.starts_with(base));
            for path in deleted.iter().filter(is_wished) {
                page.push(path, &Act::Delete);
            }
        }
        let wish = Wish { bases, after, since: Some(asked.from) };
        pages::fill(&mut page, &self.model, &wish, PAGE);
        self.told_page(page, Type::Diff, asked.zstd)
    }

    fn told_page(&self, page: Page, kind: Type, zstd: bool) -> ask::Page {
        let next = page.next.clone();
        let frame = page.frame(kind, (self.epoch, self.told.seq), zstd);
        ask::Page { of: self.told.clone(), frame, next }
    }

    /// Digests of what the queries are of.
    pub(super) fn compare(&self, queries: &[u8]) -> Result<Bytes, Fault> {
        let body = nodes::answer(&self.model, queries)
            .map_err(|error| Fault::bad_request(format!("cannot read the queries: {error}")))?;
        let header = Header {
            epoch: self.epoch,
            seq: self.told.seq,
            after: self.told.digest,
            last: true,
            ..Header::new(Type::Nodes)
        };
        Ok(Frame { header, body: body.into() }.to_one(false))
    }
}

fn compress(frame: &Bytes) -> Bytes {
    Frame::from_one(frame).expect("it is one of ours").to_one(true)
}

#[cfg(test)]
mod tests;
