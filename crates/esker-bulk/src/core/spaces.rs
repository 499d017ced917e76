//! Spaces: how one is begun, shared out, sealed and forgotten.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use esker_wire::bulk::{Head, Label, Reply, Status, hash};

use crate::core::ledger::Class;
use crate::core::seen::Seen;
use crate::core::{Core, refuse};
use crate::space::{About, Ids, Keep};

/// What a worker knows of a space.
#[derive(Debug, Default)]
pub(crate) struct Space {
    /// What it is like; nothing if nobody has begun it: a cache.
    pub(crate) about: Option<About>,
    /// The hashes of ids that are there from the beginning, rising.
    shares: Vec<u64>,
    /// The attempts that count, of each task, once it is sealed.
    pub(crate) sealed: Option<HashMap<u32, u16>>,
    /// Whether something in it was forgotten: of an id that has no content, nobody can tell any more whether it had one.
    pub(crate) has_forgotten: bool,
    /// The batches of every attempt of every task.
    pub(crate) writers: HashMap<(u32, u16), Seen>,
}

impl Space {
    /// What its contents are held for.
    pub(crate) fn class(&self) -> Class {
        match self.about.as_ref().map(|about| about.keep) {
            Some(Keep::All) => Class::Pinned,
            Some(Keep::Cache) | None => Class::Cached,
        }
    }

    /// Whether an id is there from the beginning, though nothing was written to it.
    pub(crate) fn begins_with(&self, id: &[u8]) -> bool {
        if self.has_forgotten {
            return false;
        }
        match self.about.as_ref().map(|about| &about.ids) {
            Some(Ids::Numbered { .. }) => {
                self.about.as_ref().is_some_and(|it| it.number(id).is_some())
            }
            Some(Ids::Listed { .. }) => self.shares.binary_search(&hash(id)).is_ok(),
            Some(Ids::None) | None => false,
        }
    }

    /// Whether there is anything to be remembered about it.
    pub(crate) fn is_known(&self) -> bool {
        self.about.is_some() || !self.writers.is_empty() || self.sealed.is_some()
    }

    /// How often it was begun anew, and how often its nodes have changed; nothing if nobody has begun it.
    pub(crate) fn version(&self) -> Option<(u32, u16)> {
        self.about.as_ref().map(|about| (about.generation, about.epoch()))
    }

    /// What is remembered besides contents takes of memory, in bytes.
    fn notes(&self) -> u64 {
        let writers = self.writers.values().map(Seen::memory).sum::<u64>();
        let winners = self.sealed.as_ref().map_or(0, |winners| 16 * winners.len() as u64);
        8 * self.shares.len() as u64 + writers + winners
    }
}

impl Core {
    /// Holds the same as [`Core::reach`] of a message that writes, and that it still may.
    pub(crate) fn write(&self, head: &Head) -> Result<(), Reply> {
        self.reach(head)?;
        let is_sealed = self.spaces.get(&head.space).is_some_and(|space| space.sealed.is_some());
        match is_sealed {
            false => Ok(()),
            true => Err(refuse(
                Status::Sealed,
                "the space is sealed",
                "nothing is written to it any more",
            )),
        }
    }

    /// Runs something on a space, and keeps count of what it remembers.
    pub(crate) fn in_space<T>(&mut self, space: u64, change: impl FnOnce(&mut Space) -> T) -> T {
        let space = self.spaces.entry(space).or_default();
        let before = space.notes();
        let changed = change(space);
        self.ledger.notes = self.ledger.notes + space.notes() - before;
        changed
    }

    /// Runs something on what is known of a writer to a space, and keeps count of what that takes. It costs the same
    /// however many writers there are.
    pub(crate) fn in_writer<T>(
        &mut self,
        space: u64,
        writer: (u32, u16),
        change: impl FnOnce(&mut Seen) -> T,
    ) -> T {
        let writers = &mut self.spaces.entry(space).or_default().writers;
        let (seen, before) = match writers.entry(writer) {
            Entry::Vacant(place) => (place.insert(Seen::default()), 0),
            Entry::Occupied(place) => {
                let seen = place.into_mut();
                let before = seen.memory();
                (seen, before)
            }
        };
        let changed = change(seen);
        self.ledger.notes = self.ledger.notes + seen.memory() - before;
        changed
    }

    /// Takes note of what a space is like, or of the table of all nodes.
    pub(crate) fn open(&mut self, head: &Head, text: &Bytes) -> Result<Reply, Reply> {
        if head.epoch == 0 {
            return self.open_root(text);
        }
        let about = About::from_json(text).map_err(|fault| Reply::Refused(Status::Bad, fault))?;
        if about.hash() != head.space {
            return Err(refuse(Status::Bad, "another space is described than is named", ""));
        }
        let known = self.spaces.get(&head.space).and_then(|space| space.about.as_ref());
        let generation = known.map_or(0, |known| known.generation);
        match known {
            Some(known) if *known == about => return Ok(Reply::Text(Bytes::new())),
            Some(known)
                if known.generation == about.generation && known.epoch() == about.epoch() =>
            {
                let text = format!("the space {} is there, and is another one", about.name);
                return Err(refuse(Status::Conflict, text, "look at what it is like"));
            }
            Some(known)
                if (known.generation, known.epoch()) > (about.generation, about.epoch()) =>
            {
                let text = format!("the space {} was changed since", about.name);
                return Err(refuse(Status::Stale, text, "look at what it is like"));
            }
            _ => {}
        }
        if about.generation > generation {
            // What was there before is not what is meant any more.
            self.drop_space(head.space);
        }
        self.in_space(head.space, |space| space.about = Some(about));
        Ok(Reply::Text(Bytes::new()))
    }

    pub(crate) fn share(&mut self, head: &Head, hashes: &Bytes) -> Result<Reply, Reply> {
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let is_rising = || hashes.chunks_exact(8).map(number).is_sorted();
        if !is_rising() {
            return Err(refuse(Status::Bad, "the hashes of a share do not rise", ""));
        }
        if self.make_room(hashes.len() as u64).is_err() {
            return Err(refuse(
                Status::Busy,
                "there is no room for the ids of a list",
                "try again",
            ));
        }
        let new: Vec<u64> = hashes.chunks_exact(8).map(number).collect();
        self.in_space(head.space, |space| match space.shares.last().zip(new.first()) {
            Some((last, first)) if last >= first => {
                let all: BTreeSet<u64> = space.shares.drain(..).chain(new).collect();
                space.shares = all.into_iter().collect();
            }
            _ => space.shares.extend(new),
        });
        Ok(Reply::Text(Bytes::new()))
    }

    /// Says which attempt of each task counts, and lets go of what the others have written.
    pub(crate) fn seal(&mut self, head: &Head, winners: &[(u32, u16)]) -> Result<Reply, Reply> {
        let winners: HashMap<u32, u16> = winners.iter().copied().collect();
        let known = self.spaces.get(&head.space).and_then(|space| space.sealed.as_ref());
        match known {
            Some(known) if *known == winners => return Ok(Reply::Text(Bytes::new())),
            Some(_) => {
                let text = "the space is sealed, and other attempts count";
                return Err(refuse(Status::Conflict, text, "who sealed it first has said so"));
            }
            None => {}
        }
        let theirs: Vec<u32> = self
            .entries
            .iter()
            .filter(|(_, it)| it.space == head.space)
            .map(|(at, _)| at)
            .collect();
        for at in theirs {
            self.change(at, |entry| {
                entry.parts.retain(|held| counts(&winners, held.label.task, held.label.attempt));
                entry.staged.clear();
            });
        }
        self.in_space(head.space, |space| {
            space.sealed = Some(winners);
            space.writers.clear();
        });
        Ok(Reply::Text(Bytes::new()))
    }

    pub(crate) fn drop_space(&mut self, space: u64) -> Reply {
        let theirs: Vec<u32> =
            self.entries.iter().filter(|(_, it)| it.space == space).map(|(at, _)| at).collect();
        for at in theirs {
            self.forget(at);
        }
        self.in_space(space, |space| *space = Space::default());
        self.spaces.remove(&space);
        Reply::Text(Bytes::new())
    }
}

/// Whether what an attempt at a task has written counts; what nobody in particular has always does.
pub(crate) fn counts(winners: &HashMap<u32, u16>, task: u32, attempt: u16) -> bool {
    Label::is_anonymous(task) || winners.get(&task) == Some(&attempt)
}
