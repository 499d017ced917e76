//! What is stored and asked for: contents like tables, each different, and the messages about them.

use bytes::Bytes;
use esker_bus::service::Frames;
use esker_wire::message::{Message, Request};

use esker_wire::revision::Revision;
use esker_wire::snapshot::{Get, Log, Put, Resolve};

/// The text that contents are cut from: large enough that two rarely share a line.
const POOL: usize = 1024 * 1024;

/// What a content begins with: two numbers of 16 digits, and what parts them.
const STAMP: usize = 34;

/// Contents of one size.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    pool: Bytes,
    size: usize,
    /// Tells the contents of one case from those of another.
    salt: u64,
}

impl Contents {
    /// Contents of `size` bytes, at least those of the stamp.
    pub(crate) fn new(size: usize, salt: u64) -> Self {
        let mut pool = String::with_capacity(POOL + 64);
        let mut random = Random(salt);
        while pool.len() < POOL {
            let (a, b) = (random.below(100_000), random.below(1_000));
            pool += &format!("{a},item {b},{},planned\n", random.below(1 << 40));
        }
        Self { pool: pool.into(), size, salt }
    }

    /// The content of this number: always the same, and the same as no other.
    pub(crate) fn get(&self, number: u64) -> Bytes {
        let mut text = format!("{:016x} {number:016x}\n", self.salt).into_bytes();
        let rest = self.size.saturating_sub(STAMP);
        let room = (POOL - rest) as u64;
        let from = Random(number ^ self.salt).below(room);
        let from = usize::try_from(from).unwrap_or_default();
        text.extend_from_slice(&self.pool[from..from + rest]);
        text.into()
    }
}

/// Numbers that look random, the same in every run.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number, less than `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64, see Steele and others, "Fast splittable pseudorandom number generators".
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

/// The resource of a number, and its file in the store.
pub(crate) fn path(number: usize) -> String {
    format!("raw/r{number}")
}

/// A request about a resource, as frames.
fn about(verb: &str, number: usize) -> Message {
    Message::request(verb, &path(number))
}

/// A PUT of a resource.
pub(crate) fn put(number: usize, content: Bytes) -> Frames {
    let mut message = about(Put::VERB, number);
    message.body.push(content);
    message.to_frames()
}

/// The same in the form of the first clients.
pub(crate) fn seed_put(number: usize, content: &[u8]) -> Frames {
    let mut text = format!("=====PUT bench r{number}").into_bytes();
    for line in content.split(|byte| *byte == b'\n') {
        text.extend_from_slice(b"\n\t");
        text.extend_from_slice(line);
    }
    vec![text.into()]
}

/// A GET of the newest version of a resource, or of the one of a revision.
pub(crate) fn get(number: usize, at: Option<Revision>) -> Frames {
    let mut message = about(Get::VERB, number);
    if let Some(at) = at {
        message.head_mut().push("at", at);
    }
    message.to_frames()
}

/// A LOG of a resource.
pub(crate) fn log(number: usize, limit: u64) -> Frames {
    let mut message = about(Log::VERB, number);
    message.head_mut().push("limit", limit);
    message.to_frames()
}

/// A RESOLVE of what a person says.
pub(crate) fn resolve(at: &str) -> Frames {
    let mut message = Message::request(Resolve::VERB, "");
    message.head_mut().push("at", at);
    message.to_frames()
}

/// The revision that the answer to a PUT, or to a RESOLVE, tells.
pub(crate) fn revision(reply: &Frames) -> Option<Revision> {
    Message::from_frames(reply).ok()?.head().parse("revision").ok()?
}
