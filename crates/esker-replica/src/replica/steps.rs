//! What a replica does to its model, step by step, for who publishes it again.

use super::Replica;
use crate::frame::Frame;
use crate::op::{Act, Op};
use crate::path::Path;
use crate::section::Junctions;

/// A step from one state of the publisher's to a later one.
#[derive(Debug)]
pub(crate) enum Step {
    /// The frames of a transaction, each with its section, and the nodes that were taken away by it.
    Applied { frames: Vec<(Path, Frame)>, deleted: Vec<Path> },
    /// To a transaction of a start, in another way; the nodes that were taken away, if that is known.
    Jumped { at: (u64, u64), deleted: Option<Vec<Path>> },
}

/// The steps since they were last asked for.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Nothing if nobody wants them.
    taken: Option<Vec<Step>>,
    /// Whether the publisher takes PUTs.
    pub(super) is_writable: bool,
    /// Something was applied that was wrong, and nobody was told of it.
    pub(super) is_spoiled: bool,
}

impl Steps {
    pub(super) fn are_wanted(&self) -> bool {
        self.taken.is_some()
    }

    /// The step that a transaction will have been, if it is good.
    pub(super) fn applying(&self, frames: &[Frame], read: &[(Path, Vec<Op>)]) -> Option<Step> {
        self.taken.as_ref()?;
        let sections = read.iter().map(|(section, _)| section.clone());
        let deleted = deleted(read.iter().flat_map(|(_, ops)| ops));
        Some(Step::Applied { frames: sections.zip(frames.iter().cloned()).collect(), deleted })
    }

    pub(super) fn push(&mut self, step: Option<Step>) {
        if let Some(taken) = &mut self.taken {
            taken.extend(step);
        }
    }

    pub(super) fn jumped(&mut self, at: (u64, u64), done: Option<&[Op]>) {
        let done = done.filter(|_| !std::mem::take(&mut self.is_spoiled));
        if let Some(taken) = &mut self.taken {
            taken.push(Step::Jumped { at, deleted: done.map(|done| deleted(done.iter())) });
        }
    }
}

fn deleted<'a>(ops: impl Iterator<Item = &'a Op>) -> Vec<Path> {
    ops.filter(|op| matches!(op.act, Act::Delete)).map(|op| op.path.clone()).collect()
}

impl Replica {
    /// One of a whole model, that remembers its steps until they are taken.
    pub(crate) fn stepping(seed: u64) -> Self {
        let mut replica = Self::new(super::Options { sections: Vec::new(), seed });
        replica.steps.taken = Some(Vec::new());
        replica
    }

    /// The steps since the last time.
    pub(crate) fn take_steps(&mut self) -> Vec<Step> {
        self.steps.taken.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether its model is, to the last bit, what the publisher had once.
    pub(crate) fn is_right(&self) -> bool {
        self.epoch.is_some() && !self.is_wrong
    }

    /// When the last heartbeat was sent, by the clock of the publisher that all relays hang on; 0 if that is not told.
    pub(crate) fn beat(&self) -> u64 {
        self.beat
    }

    /// Whether it asks at its own pace, and hears nothing.
    pub(crate) fn is_pulling(&self) -> bool {
        self.pull.is_some()
    }

    /// The dicts whose children are sections.
    pub(crate) fn junctions(&self) -> &Junctions {
        &self.junctions
    }

    /// Whether the publisher takes PUTs.
    pub(crate) fn is_writable(&self) -> bool {
        self.steps.is_writable
    }
}
