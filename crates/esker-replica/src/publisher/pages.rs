//! Pages: the nodes of a model in order, as operations that make them.

use bytes::Bytes;

use crate::digest::{self, Digest};
use crate::frame::{BODY_MAX, Frame, Header, Type};
use crate::model::Model;
use crate::model::walk::{Step, Walk};
use crate::op::{Act, Writer};
use crate::path::{DEPTH_MAX, Key, Path};
use crate::value::VALUE_MAX;

/// What a leaf's path and all else of its operation take at most.
const ROOM: usize = BODY_MAX - VALUE_MAX;

/// What is wished of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// The nodes with all below them, in order.
    pub(crate) bases: &'a [Path],
    /// Only what comes behind this.
    pub(crate) after: Option<&'a [Key]>,
    /// Only what changed after this transaction, and how it did.
    pub(crate) since: Option<u64>,
}

impl<'a> Wish<'a> {
    /// All of these.
    pub(crate) fn of(bases: &'a [Path]) -> Self {
        Self { bases, after: None, since: None }
    }
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    ops: Writer,
    /// The sum of what the nodes are by themselves.
    digest: Digest,
    /// The last node on it, if there are more behind.
    pub(crate) next: Option<Path>,
}

impl Page {
    /// With room for so many bytes.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { ops: Writer::with_room(bytes), ..Self::default() }
    }

    /// As a frame, whole.
    pub(crate) fn frame(self, kind: Type, (epoch, seq): (u64, u64), zstd: bool) -> Bytes {
        let header = Header {
            epoch,
            seq,
            after: self.digest,
            ops: u32::try_from(self.ops.count()).expect("pages are bounded"),
            last: self.next.is_none(),
            ..Header::new(kind)
        };
        Frame { header, body: self.ops.finish().into() }.to_one(zstd)
    }

    /// Says what became of a node, beside what a model tells.
    pub(crate) fn push(&mut self, path: &[Key], act: &Act) {
        self.ops.push(path, act);
    }

    /// Says that there is a dict, and nothing of what it has.
    pub(crate) fn push_dict(&mut self, path: &[Key]) {
        self.ops.push(path, &Act::Dict);
        self.digest += digest::of_dict(path);
    }
}

/// Fills a page with about so many bytes; the bases are in order, none within another.
pub(crate) fn page(model: &Model, wish: &Wish<'_>, bytes_max: usize) -> Page {
    let mut page = Page::default();
    fill(&mut page, model, wish, bytes_max);
    page
}

/// Goes on filling a page.
pub(crate) fn fill(page: &mut Page, model: &Model, wish: &Wish<'_>, bytes_max: usize) {
    let mut is_begun = false;
    for base in wish.bases {
        let after = wish.after.filter(|after| after.starts_with(base));
        if after.is_none() && wish.after.is_some_and(|after| base.as_slice() < after) {
            continue;
        }
        let mut walk = Walk::of(model, base);
        if let Some(after) = after {
            walk = walk.behind(after);
        }
        while let Some((path, step)) = walk.next(wish.since) {
            match step {
                Step::Leaf(value) | Step::Beside(value)
                    if page.ops.size() + value.size() + ROOM > BODY_MAX =>
                {
                    // What does not fit any more begins the next page.
                    page.next = Some(if is_begun { page.ops.last().to_vec() } else { Path::new() });
                    break;
                }
                Step::Leaf(value) => page.ops.push_leaf(path, value),
                Step::Beside(value) => page.ops.push_beside(path, value),
                Step::Dict if wish.since.is_none() => page.ops.push(path, &Act::Dict),
                // It may have been another dict before, and something else between.
                Step::Dict => page.ops.push(path, &Act::Clear),
            }
            is_begun = true;
            if page.ops.size() >= bytes_max || page.ops.is_full(DEPTH_MAX) {
                page.next = Some(path.to_vec());
                break;
            }
        }
        // What has changed is not checked page by page.
        if wish.since.is_none() {
            page.digest += model.digest_between(base, after, page.next.as_deref());
        }
        if page.next.is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
