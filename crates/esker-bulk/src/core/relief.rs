//! Making room: what is forgotten, what goes to disk, and when there is none.

use std::sync::Arc;

use bytes::Bytes;
use esker_wire::bulk::Status;

use crate::core::entries::Entry;
use crate::core::fifo::Seen;
use crate::core::ledger::Class;
use crate::core::parts::{Parts, Place};
use crate::core::{Core, STAGED_MAX, WRITER_MAX};
use crate::spill::Segment;

/// A part that is to be written to disk.
#[derive(Debug)]
pub(crate) struct Job {
    /// What it is known by.
    pub(crate) flight: u64,
    pub(crate) entry: u32,
    pub(crate) ticket: u32,
    pub(crate) bytes: Bytes,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) job: Job,
    /// Where it is on disk; nothing if it could not be written.
    pub(crate) place: Option<(Arc<Segment>, u64)>,
}

impl Core {
    /// Makes room for so many bytes more.
    ///
    /// # Errors
    /// `TooLarge` if there never is so much, `Busy` if there will be soon, `Full` if something has to be done first.
    pub(crate) fn make_room(&mut self, bytes: u64) -> Result<(), Status> {
        while self.ledger.beyond(bytes) > 0 {
            if !self.evict() {
                self.relieve();
                // As much as this needs goes to disk, though there may be room for less.
                let wanted = self.ledger.beyond(bytes).saturating_sub(self.ledger.flight);
                if wanted > 0 && self.no_disk.is_none() {
                    self.spill(wanted);
                }
                self.tally.refused += 1;
                return Err(match self.ledger.flight > 0 {
                    _ if bytes > self.ledger.budget / 2 => Status::TooLarge,
                    true => Status::Busy,
                    // Nothing that could go to disk is left.
                    false => Status::Full,
                });
            }
        }
        Ok(())
    }

    /// Forgets one content; whether there was one to be forgotten.
    fn evict(&mut self) -> bool {
        let entries = &mut self.entries;
        let next = self.fifo.next(|at, ticket, set| {
            let entry = entries.at_mut(at).filter(|entry| entry.is_turn(ticket))?;
            let seen = Seen { hash: entry.hash(), asked: entry.asked };
            if let Some(asked) = set {
                entry.asked = asked;
            }
            Some(seen)
        });
        let Some(at) = next else { return false };
        self.tally.evicted += 1;
        let space = self.entries.at(at).map(|entry| entry.space);
        if let Some(space) = space.and_then(|space| self.spaces.get_mut(&space)) {
            space.has_forgotten = true;
        }
        self.forget_content(at);
        true
    }

    /// Has contents go to disk while there is little room, and forgets what may be forgotten while there is none.
    pub(crate) fn relieve(&mut self) {
        while self.ledger.beyond(0) > 0 && self.evict() {}
        if self.fifo.turns() > 2 * self.entries.len() + 1024 {
            let entries = &self.entries;
            self.fifo.sweep(|at, ticket| entries.at(at).is_some_and(|entry| entry.is_turn(ticket)));
        }
        let wanted = self.ledger.to_spill();
        if wanted > 0 && self.no_disk.is_none() {
            self.spill(wanted);
        }
    }

    /// Chooses what goes to disk: the largest contents first, so much and no more.
    fn spill(&mut self, wanted: u64) {
        let spillable = |entry: &Entry| {
            let staged = entry.staged.iter().map(|staged| staged.parts.spillable()).sum::<u64>();
            staged + if entry.class == Class::Pinned { entry.parts.spillable() } else { 0 }
        };
        let mut largest: Vec<(u64, u32)> =
            self.entries.iter().map(|(at, entry)| (spillable(entry), at)).collect();
        largest.retain(|(bytes, _)| *bytes > 0);
        largest.sort_unstable_by(|one, other| other.cmp(one));
        let mut chosen = 0;
        for (_, at) in largest {
            let Some(entry) = self.entries.at_mut(at) else { continue };
            let ticket = entry.ticket;
            let pinned = (entry.class == Class::Pinned).then_some(&mut entry.parts);
            let staged = entry.staged.iter_mut().map(|staged| &mut staged.parts);
            for held in pinned.into_iter().chain(staged).flat_map(Parts::may_spill) {
                if chosen >= wanted {
                    return;
                }
                let Place::Memory(bytes) = &held.place else { continue };
                self.flights += 1;
                held.flight = self.flights;
                chosen += u64::from(held.stored);
                self.ledger.flight += u64::from(held.stored);
                let (flight, bytes) = (held.flight, bytes.clone());
                self.jobs.push(Job { flight, entry: at, ticket, bytes });
            }
        }
    }

    /// What is to be written to disk.
    pub(crate) fn take_jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    /// Takes note of what was written, or could not be.
    pub(crate) fn land(&mut self, Landed { job, place }: Landed) {
        let stored = job.bytes.len() as u64;
        self.ledger.flight -= stored;
        let is_it = self.entries.at(job.entry).is_some_and(|entry| entry.ticket == job.ticket);
        if !is_it {
            return;
        }
        if place.is_some() {
            self.tally.spilled += stored;
        }
        self.change(job.entry, |entry| {
            let staged = entry.staged.iter_mut().map(|staged| &mut staged.parts);
            let mut all = std::iter::once(&mut entry.parts).chain(staged);
            all.any(|parts| parts.land(job.flight, place.clone()));
        });
    }

    /// Says whether there is a disk to write to; nothing if there is, and why not otherwise.
    pub(crate) fn set_disk(&mut self, no_disk: Option<String>) {
        self.no_disk = no_disk;
    }

    /// After a while, a disk that could not be written to is tried again.
    pub(crate) fn try_disk_again(&mut self, has_disk: bool) {
        if has_disk {
            self.no_disk = None;
        }
    }

    /// Lets go of what writers have left behind.
    pub(crate) fn tick(&mut self, now: u64) {
        let is_left = |touched: u64, most: u64| now.saturating_sub(touched) > most;
        let with_staged: Vec<u32> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.staged.iter().any(|it| is_left(it.touched, STAGED_MAX)))
            .map(|(at, _)| at)
            .collect();
        for at in with_staged {
            self.change(at, |entry| entry.staged.retain(|it| !is_left(it.touched, STAGED_MAX)));
            if self.entries.at(at).is_some_and(Entry::is_empty) {
                self.forget(at);
            }
        }
        let caches: Vec<u64> = self
            .spaces
            .iter()
            .filter(|(_, space)| space.class() == Class::Cached)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in caches {
            self.in_space(hash, |space| {
                space.writers.retain(|_, seen| !is_left(seen.touched, WRITER_MAX));
            });
        }
        self.spaces.retain(|_, space| space.is_known());
        self.relieve();
    }
}
