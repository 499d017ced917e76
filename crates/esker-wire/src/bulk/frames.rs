//! Putting contents into frames and taking them out again, without copying those that are large.

use bytes::{Bytes, BytesMut};

use crate::bulk::{FRAMES_MAX, HEAD_SIZE, Head};
use crate::fault::Fault;

/// Contents up to this size are gathered in one frame; larger ones have one of their own.
const GATHER_MAX: usize = 4 * 1024;

/// A message in the making.
pub(super) struct Writer {
    first: BytesMut,
    table: usize,
    contents: Vec<Bytes>,
    /// Small contents that follow a large one.
    gathered: BytesMut,
}

impl Writer {
    pub(super) fn new(room: usize) -> Self {
        let mut first = BytesMut::with_capacity(HEAD_SIZE + room);
        first.resize(HEAD_SIZE, 0);
        Self { first, table: 0, contents: Vec::new(), gathered: BytesMut::new() }
    }

    /// A field of the table; the table is written before any content.
    pub(super) fn field(&mut self, bytes: &[u8]) {
        self.first.extend_from_slice(bytes);
        self.table += bytes.len();
    }

    pub(super) fn content(&mut self, bytes: &Bytes) {
        if bytes.len() > GATHER_MAX {
            self.settle();
            self.contents.push(bytes.clone());
        } else if self.contents.is_empty() {
            self.first.extend_from_slice(bytes);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
    }

    fn settle(&mut self) {
        if !self.gathered.is_empty() {
            self.contents.push(self.gathered.split().freeze());
        }
    }

    pub(super) fn finish(mut self, head: &Head) -> Vec<Bytes> {
        self.settle();
        head.write(&mut self.first, self.table);
        let mut frames = Vec::with_capacity(1 + self.contents.len());
        frames.push(self.first.freeze());
        frames.append(&mut self.contents);
        frames
    }
}

/// A message taken apart: its head, its table, and its contents in order.
pub(super) struct Reader<'a> {
    pub(super) head: Head,
    pub(super) table: Bytes,
    rest: Bytes,
    frames: std::slice::Iter<'a, Bytes>,
}

impl<'a> Reader<'a> {
    /// # Errors
    /// `bad-request` if this is no bulk message.
    pub(super) fn new(frames: &'a [Bytes]) -> Result<Self, Fault> {
        let [first, further @ ..] = frames else {
            return Err(Fault::bad_request("a bulk message without a frame"));
        };
        if frames.len() > FRAMES_MAX {
            let text =
                format!("a bulk message of {} frames; {FRAMES_MAX} are allowed", frames.len());
            return Err(Fault::bad_request(text));
        }
        let (head, end) = Head::read(first)?;
        let (table, rest) = (first.slice(HEAD_SIZE..end), first.slice(end..));
        Ok(Self { head, table, rest, frames: further.iter() })
    }

    /// The next content, of so many bytes.
    ///
    /// # Errors
    /// `bad-request` if there are not so many in one frame.
    pub(super) fn content(&mut self, size: usize) -> Result<Bytes, Fault> {
        while self.rest.is_empty() && size > 0 {
            let next = self.frames.next();
            self.rest = next.cloned().ok_or_else(|| short(size))?;
        }
        if self.rest.len() < size {
            return Err(short(size));
        }
        Ok(self.rest.split_to(size))
    }

    /// Holds that nothing is left.
    ///
    /// # Errors
    /// `bad-request` otherwise.
    pub(super) fn end(mut self) -> Result<(), Fault> {
        if self.rest.is_empty() && self.frames.all(Bytes::is_empty) {
            return Ok(());
        }
        Err(Fault::bad_request("a bulk message has more bytes than its table tells"))
    }
}

fn short(size: usize) -> Fault {
    let text = format!(
        "a bulk message's table tells of a content of {size} bytes that is not in one frame"
    );
    Fault::bad_request(text)
}
