//! Frames that have come and cannot be applied yet: they wait for those before them.

use std::collections::BTreeMap;

use crate::frame::Frame;

/// The most frames that wait.
const FRAMES_MAX: usize = 4096;

/// The most bytes of frames that wait.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Frames of one epoch by transaction and part.
#[derive(Debug, Default)]
pub(super) struct Kept {
    frames: BTreeMap<(u64, u16), Frame>,
    bytes: usize,
}

impl Kept {
    /// Keeps a frame; the oldest go when there are too many, which leaves a gap.
    pub(super) fn push(&mut self, frame: Frame) {
        self.bytes += frame.body.len();
        let place = (frame.header.seq, frame.header.part);
        if let Some(twin) = self.frames.insert(place, frame) {
            self.bytes -= twin.body.len();
        }
        while self.frames.len() > FRAMES_MAX || self.bytes > BYTES_MAX {
            let Some((_, oldest)) = self.frames.pop_first() else { return };
            self.bytes -= oldest.body.len();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
    }

    /// Forgets frames, and tells how many.
    pub(super) fn forget(&mut self, is_old: impl Fn(&Frame) -> bool) -> u64 {
        let before = self.frames.len();
        let bytes = &mut self.bytes;
        self.frames.retain(|_, frame| {
            let stays = !is_old(frame);
            *bytes -= if stays { 0 } else { frame.body.len() };
            stays
        });
        (before - self.frames.len()) as u64
    }

    /// As [`Kept::forget`], of all transactions up to one.
    pub(super) fn forget_until(&mut self, last: u64) -> u64 {
        let mut count = 0;
        while let Some(oldest) = self.frames.first_entry().filter(|first| first.key().0 <= last) {
            self.bytes -= oldest.remove().body.len();
            count += 1;
        }
        count
    }

    /// A transaction, and how many of its frames are there, one behind the other; so many were, of the one it was then.
    pub(super) fn begun(&self, seq: u64, before: (u64, u16)) -> (u64, u16) {
        let mut part = if before.0 == seq { before.1 } else { 0 };
        while self.frames.contains_key(&(seq, part)) {
            part += 1;
        }
        (seq, part)
    }

    /// Takes a transaction, if all of its frames are there.
    pub(super) fn take_whole(&mut self, seq: u64) -> Option<Vec<Frame>> {
        let frames = self.frames.range((seq, 0)..=(seq, u16::MAX));
        let parts = frames.clone().next()?.1.header.parts;
        if frames.count() != usize::from(parts) {
            return None;
        }
        let places: Vec<_> = (0..parts).map(|part| (seq, part)).collect();
        Some(self.take(&places))
    }

    /// Takes what a transaction has of a section, if all of its frames are there; `follows` judges the first one.
    pub(super) fn take_section(
        &mut self,
        section: u64,
        follows: impl Fn(&Frame) -> bool,
    ) -> Option<Vec<Frame>> {
        let of_section = self.frames.iter().filter(|(_, frame)| frame.header.section == section);
        let mut places: Vec<(u64, u16)> = Vec::new();
        for (&place, frame) in of_section {
            let goes_on = places.last().is_some_and(|&(seq, part)| place == (seq, part + 1));
            if !goes_on {
                places.clear();
                if frame.header.prev == frame.header.seq || !follows(frame) {
                    return None;
                }
            }
            places.push(place);
            if frame.header.last {
                return Some(self.take(&places));
            }
        }
        None
    }

    fn take(&mut self, places: &[(u64, u16)]) -> Vec<Frame> {
        let taken: Vec<Frame> =
            places.iter().filter_map(|place| self.frames.remove(place)).collect();
        self.bytes -= taken.iter().map(|frame| frame.body.len()).sum::<usize>();
        taken
    }

    /// Whether anything of a section waits.
    pub(super) fn has(&self, section: u64) -> bool {
        self.frames.values().any(|frame| frame.header.section == section)
    }
}

#[cfg(test)]
mod tests;
