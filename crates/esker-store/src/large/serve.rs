//! Contents for those who read: where git holds a pointer, the bytes it points to.

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::pointer::{ContentId, POINTER_LENGTHS, Pointer};
use esker_wire::revision::Revision;
use esker_wire::snapshot::Range;

use crate::error::Error;
use crate::objects::Kind;
use crate::store::Store;

/// What to do about a large content that is missing or damaged.
pub(crate) const MEND: &str = "put the same bytes again with `esker put`, or stop esker and bring them from \
    a mirror or clone: `esker repair --from URL`; `esker doctor` lists all that is missing";

impl Store {
    /// What a blob points to, if it is a pointer.
    pub(crate) fn pointer(&mut self, blob: Revision) -> Result<Option<Pointer>, Error> {
        let size = self.objects.size(blob)?.unwrap_or(0);
        if !POINTER_LENGTHS.contains(&size) {
            return Ok(None);
        }
        if let Some(known) = self.large.pointers.get(&blob) {
            return Ok(known);
        }
        let pointer = Pointer::from_bytes(&self.objects.get(blob, Kind::Blob)?);
        self.large.pointers.insert(blob, pointer, 1);
        Ok(pointer)
    }

    /// A content's real size, and its hash if it is a large one.
    pub(crate) fn size_of(&mut self, blob: Revision) -> Result<(u64, Option<ContentId>), Error> {
        match self.pointer(blob)? {
            Some(pointer) => Ok((pointer.size, Some(pointer.id))),
            None => Ok((self.objects.size(blob)?.unwrap_or(0), None)),
        }
    }

    /// A whole content; a large one is checked.
    pub(crate) fn whole(&mut self, blob: Revision) -> Result<Bytes, Fault> {
        match self.pointer(blob)? {
            Some(pointer) => self.read_large(pointer),
            None => Ok(self.objects.get(blob, Kind::Blob)?),
        }
    }

    /// The part of a content that is asked for; empty beyond its end. A part of a large one cannot be checked.
    pub(crate) fn part(&mut self, blob: Revision, range: Option<Range>) -> Result<Bytes, Fault> {
        match (self.pointer(blob)?, range) {
            (Some(pointer), Some(range)) => {
                self.check_answer(range.length.min(pointer.size.saturating_sub(range.offset)))?;
                self.check_pruned(pointer)?;
                self.large.tier.read_part(pointer, range).map_err(mend)
            }
            (None, Some(range)) => Ok(slice(&self.objects.get(blob, Kind::Blob)?, range)),
            (_, None) => self.whole(blob),
        }
    }

    fn read_large(&mut self, pointer: Pointer) -> Result<Bytes, Fault> {
        self.check_answer(pointer.size)?;
        self.check_pruned(pointer)?;
        let read = self.large.tier.read(pointer);
        if let Err(Error::Content { id, .. }) = &read
            && self.durable.is_some()
            && self.large.tier.size(*id)?.is_some()
        {
            self.large.tier.set_aside(*id)?;
        }
        read.map_err(mend)
    }

    /// Refuses a content that was pruned.
    fn check_pruned(&mut self, pointer: Pointer) -> Result<(), Fault> {
        self.pruned(pointer.id)?.map_or(Ok(()), Err)
    }

    fn check_answer(&self, length: u64) -> Result<(), Fault> {
        let max = self.options.content_max;
        if length <= max {
            return Ok(());
        }
        let text = format!("the content has {length} bytes, an answer may have {max}");
        Err(Fault::new(Code::TooLarge, text)
            .hint("ask for it in parts, with offset and length, as `esker get` does"))
    }
}

fn mend(error: Error) -> Fault {
    match error {
        Error::Content { .. } => error.into_fault().hint(MEND),
        other => other.into_fault(),
    }
}

fn slice(bytes: &Bytes, range: Range) -> Bytes {
    let clamp = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let start = clamp(range.offset);
    let end = clamp(range.offset.saturating_add(range.length));
    bytes.slice(start..end)
}
