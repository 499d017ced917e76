//! Publishing what another publisher did: its frames as they are, by its own numbers.

use std::time::Duration;

use super::deleted::Deleted;
use super::ring::Ring;
use super::{Now, Publication, Publisher};
use crate::frame::Frame;
use crate::model::{Branch, Found, Model};
use crate::path::{Key, Path};

impl Publisher {
    /// Publishes the frames of a transaction, each of a section; these nodes were taken away by it.
    pub(crate) fn mirror(
        &mut self,
        frames: Vec<(Path, Frame)>,
        deleted: Vec<Path>,
        now: Now,
    ) -> Vec<Publication> {
        let mut published = Vec::with_capacity(frames.len());
        for (path, Frame { header, body }) in frames {
            let Some(section) = self.chain_of(&path, now.since) else { continue };
            self.seq = header.seq;
            self.chains.touch(section, header.seq, now.since);
            published.push(self.send(section, &header, body, now));
        }
        for path in deleted {
            self.deleted.push(self.seq, path);
        }
        published
    }

    /// Says that a model is as of this transaction now, without those between. Of all its sections something may have changed;
    /// these nodes were taken away, if that is known.
    pub(crate) fn jump(
        &mut self,
        seq: u64,
        (model, now): (&Model, Duration),
        deleted: Option<Vec<Path>>,
    ) {
        self.ring = Ring::new(self.options.ring_bytes_max, self.options.ring_age_max);
        let before = std::mem::replace(&mut self.seq, seq);
        match deleted {
            Some(paths) => self.deleted.leap(before, seq, paths),
            None => self.deleted = Deleted::from(seq),
        }
        for path in self.sections_of(model) {
            self.chain_of(&path, now);
        }
        self.chains.touch_all(seq, now);
    }

    /// Does something with a model that another has.
    pub(crate) fn with_model<T>(&mut self, model: &Model, work: impl FnOnce(&mut Self) -> T) -> T {
        self.model = model.clone();
        let done = work(self);
        // Held any longer it would cost the other a copy of what it changes.
        self.model = Model::default();
        done
    }

    /// Where a section's chain is; none of what is no section.
    fn chain_of(&mut self, path: &[Key], now: Duration) -> Option<usize> {
        self.options.junctions.is_section(path).then(|| self.section(path, now))
    }

    /// The sections that there are.
    pub(super) fn sections_of(&self, model: &Model) -> Vec<Path> {
        let mut sections = Vec::new();
        for junction in self.options.junctions.paths() {
            let Some(Found::Dict(branch)) = model.get(junction) else { continue };
            let children = Branch::children(branch);
            let paths =
                children.map(|(key, _)| [junction.as_slice(), std::slice::from_ref(key)].concat());
            sections.extend(paths.filter(|path| self.options.junctions.is_section(path)));
        }
        sections
    }
}
