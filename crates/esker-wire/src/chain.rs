//! The chain: how a follower knows that it has seen everything, in order, without trusting the network.
//!
//! A publisher numbers what it publishes with an epoch, new and larger at every start, and a sequence, one
//! more each time. Clocks and arrival order decide nothing.

/// A place in a publisher's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The publisher's start; a later start has a larger one.
    pub epoch: u64,
    /// How many things that start has published, this one included.
    pub seq: u64,
}

/// What a link means to one who has followed the chain so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The successor of the last one.
    Next,
    /// Seen before.
    Duplicate,
    /// Something in between was lost, or the publisher was started anew: refetch what is derived from it.
    Lost,
    /// From a publisher that has been replaced: ignore.
    Zombie,
}

/// Follows one publisher's chain. Pure: it is told links and says what they mean.
#[derive(Debug, Clone, Default)]
pub struct Follower {
    last: Option<Link>,
}

impl Follower {
    /// Takes the link of something that carries news (an event).
    pub fn event(&mut self, link: Link) -> Step {
        let Some(last) = self.last else {
            self.last = Some(link);
            return Step::Lost;
        };
        if link.epoch < last.epoch {
            return Step::Zombie;
        }
        if link.epoch == last.epoch && link.seq <= last.seq {
            return Step::Duplicate;
        }
        self.last = Some(link);
        if link.epoch == last.epoch && link.seq == last.seq + 1 { Step::Next } else { Step::Lost }
    }

    /// Takes the link of a heartbeat, which repeats the last event's.
    pub fn heartbeat(&mut self, link: Link) -> Step {
        match self.last {
            Some(last) if last == link => Step::Duplicate,
            _ => match self.event(link) {
                // A heartbeat that is ahead tells of an event that never came.
                Step::Next | Step::Lost => Step::Lost,
                step => step,
            },
        }
    }
}

#[cfg(test)]
mod tests;
