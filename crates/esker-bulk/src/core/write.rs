//! Writing: replacing, adding once, removing. Whatever is refused leaves everything as it was.

use bytes::Bytes;
use esker_wire::bulk::{Codec, Head, Key, Label, Part, Reply, Status, Store, Stored};

use crate::core::entries::{Entry, need};
use crate::core::ledger::Class;
use crate::core::parts::Held;
use crate::core::seen::{Turn, UNDER_WAY_MAX};
use crate::core::spaces::Space;
use crate::core::{Core, refuse};

/// Contents up to this size are copied out of the message they came in, so that it need not be kept for them.
const COPY_MAX: usize = 4096;

impl Core {
    /// Replaces contents: all of them, and only once.
    ///
    /// # Errors
    /// A refusal; nothing was replaced then.
    pub(crate) fn set(&mut self, head: &Head, items: Vec<Store>, now: u64) -> Result<Reply, Reply> {
        if !self.admit(head, &items, now)? {
            return Ok(self.lengths(head, &items));
        }
        let is_commit = head.flags & Head::STAGED != 0;
        let one = |item: Store| match is_commit {
            true => self.commit(head, &item.id),
            false => self.replace(head.space, item),
        };
        let stored: Vec<Stored> = items.into_iter().map(one).collect();
        // What was not there to be put in place may come yet.
        if stored.iter().all(|it| it.status == Status::Done) {
            self.note(head);
        }
        Ok(Reply::Stored(stored))
    }

    fn replace(&mut self, space: u64, Store { id, part }: Store) -> Stored {
        let length = u64::from(part.raw);
        let held = Held::new(Part { label: Label::default(), ..settle(part) });
        self.stamps += 1;
        let (stamp, ticket) = (self.stamps, self.entries.ticket());
        self.write_entry(space, &id, |entry, class| {
            entry.parts.retain(|_| false);
            entry.parts.push(held);
            entry.replaced(stamp, class, ticket);
        });
        Stored { status: Status::Done, length }
    }

    /// Puts what a writer has kept aside in place of the content: all its batches before this one.
    fn commit(&mut self, head: &Head, id: &Bytes) -> Stored {
        let lacking = Stored { status: Status::Unknown, length: 0 };
        let Some(at) = self.entries.find(head.space, id) else { return lacking };
        let writer = (head.task, head.attempt);
        self.stamps += 1;
        let (stamp, ticket) = (self.stamps, self.entries.ticket());
        let class = self.spaces.get(&head.space).map_or(Class::Cached, Space::class);
        let length = self.change(at, |entry| {
            let which = entry.staged.iter().position(|staged| staged.writer == writer)?;
            if !entry.staged[which].parts.sort(head.seq) {
                return None;
            }
            entry.parts = entry.staged.remove(which).parts;
            entry.parts.publish();
            entry.replaced(stamp, class, ticket);
            Some(entry.parts.length())
        });
        length.map_or(lacking, |length| Stored { status: Status::Done, length })
    }

    /// Adds to contents: the batch as a whole, and only once.
    ///
    /// # Errors
    /// A refusal; nothing was added then.
    pub(crate) fn append(
        &mut self,
        head: &Head,
        items: Vec<Store>,
        now: u64,
    ) -> Result<Reply, Reply> {
        if !self.admit(head, &items, now)? {
            return Ok(self.lengths(head, &items));
        }
        let is_staged = head.flags & Head::STAGED != 0;
        let label = Label { task: head.task, attempt: head.attempt, seq: head.seq };
        let mut stored = Vec::with_capacity(items.len());
        for Store { id, part } in items {
            let part = Part { label, ..part };
            self.stamps += 1;
            let stamp = self.stamps;
            self.write_entry(head.space, &id, |entry, class| match is_staged {
                true => entry.stage(Held::new(settle(part)), now),
                false => add(entry, part, stamp, class),
            });
            stored.push(self.length(head, &id));
        }
        self.note(head);
        Ok(Reply::Stored(stored))
    }

    /// Whether a batch is to be taken in: it is as it was sent, it was not taken in before, and there is room.
    fn admit(&mut self, head: &Head, items: &[Store], now: u64) -> Result<bool, Reply> {
        if items.iter().any(|item| !item.part.is_whole()) {
            let text = "a part of the batch is not as it was sent: its bytes are damaged";
            return Err(refuse(Status::Corrupt, text, "send it again"));
        }
        if let Turn::Again = self.turn(head, now)? {
            self.tally.duplicates += 1;
            return Ok(false);
        }
        let all = items.iter().map(|item| need(&item.id, item.part.bytes.len())).sum();
        self.make_room(all).map_err(|status| no_room(status, all))?;
        Ok(true)
    }

    /// Remembers that a batch was taken in.
    fn note(&mut self, head: &Head) {
        if head.task != 0 {
            self.in_writer(head.space, (head.task, head.attempt), |seen| seen.note(head.seq));
        }
    }

    fn lengths(&self, head: &Head, items: &[Store]) -> Reply {
        Reply::Stored(items.iter().map(|item| self.length(head, &item.id)).collect())
    }

    /// Whether a batch is to be taken in.
    fn turn(&mut self, head: &Head, now: u64) -> Result<Turn, Reply> {
        if head.task == 0 {
            return Ok(Turn::New);
        }
        let turn = self.in_writer(head.space, (head.task, head.attempt), |seen| {
            seen.touched = now;
            seen.look(head.seq, head.floor)
        });
        match turn {
            Turn::TooMany => {
                let text =
                    format!("more than {UNDER_WAY_MAX} batches of a task are not acknowledged");
                Err(refuse(Status::Bad, text, "say with `floor` which are"))
            }
            turn => Ok(turn),
        }
    }

    /// Removes contents, only once.
    ///
    /// # Errors
    /// A refusal; nothing was removed then.
    pub(crate) fn remove(&mut self, head: &Head, keys: &[Key], now: u64) -> Result<Reply, Reply> {
        if let Turn::Again = self.turn(head, now)? {
            let done = Stored { status: Status::Done, length: 0 };
            return Ok(Reply::Stored(vec![done; keys.len()]));
        }
        let one = |key: &Key| {
            let found = self.entries.find(head.space, &key.id);
            let was_there = found.and_then(|at| self.entries.at(at)).is_some_and(|it| it.is_there);
            if let Some(at) = found {
                self.forget(at);
            }
            Stored { status: if was_there { Status::Done } else { Status::Unknown }, length: 0 }
        };
        let removed = keys.iter().map(one).collect();
        self.note(head);
        Ok(Reply::Stored(removed))
    }

    fn length(&self, head: &Head, id: &[u8]) -> Stored {
        let found = self.entries.find(head.space, id).and_then(|at| self.entries.at(at));
        Stored { status: Status::Done, length: found.map_or(0, |entry| entry.parts.length()) }
    }

    /// Changes the entry of an id, which is made if there is none.
    fn write_entry(&mut self, space: u64, id: &[u8], change: impl FnOnce(&mut Entry, Class)) {
        let class = self.spaces.get(&space).map_or(Class::Cached, Space::class);
        let at = self.entries.find(space, id).unwrap_or_else(|| {
            let at = self.entries.add((space, id), class);
            let taken = self.entries.at(at).map_or(0, |entry| entry.taken().memory);
            self.ledger.take(class, taken);
            at
        });
        self.change(at, |entry| change(entry, class));
        self.tally.writes += 1;
    }

    /// Changes an entry, and keeps count of what it takes.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn change<T>(&mut self, at: u32, change: impl FnOnce(&mut Entry) -> T) -> T {
        let entry = self.entries.at_mut(at).expect("an entry that was just found");
        let (before, was, could_go) = (entry.taken(), entry.class, entry.may_be_forgotten());
        let changed = change(entry);
        let after = entry.taken();
        self.ledger.give(was, before.memory);
        self.ledger.take(entry.class, after.memory);
        self.ledger.give(Class::Staged, before.staged);
        self.ledger.take(Class::Staged, after.staged);
        self.ledger.disk = self.ledger.disk + after.disk - before.disk;
        if entry.may_be_forgotten() && !could_go {
            self.fifo.push((at, entry.ticket), entry.hash(), after.memory);
        }
        changed
    }

    /// Lets go of an entry and all it takes.
    pub(crate) fn forget(&mut self, at: u32) {
        if let Some(entry) = self.entries.remove(at) {
            let taken = entry.taken();
            self.ledger.give(entry.class, taken.memory);
            self.ledger.give(Class::Staged, taken.staged);
            self.ledger.disk -= taken.disk;
        }
    }

    /// Lets go of a content, but not of what is kept aside beside it.
    pub(crate) fn forget_content(&mut self, at: u32) {
        let is_all = self.change(at, |entry| {
            entry.parts.retain(|_| false);
            entry.is_there = false;
            entry.is_empty()
        });
        if is_all {
            self.forget(at);
        }
    }
}

/// A part that does not keep a larger piece of memory for itself.
fn settle(part: Part) -> Part {
    match part.bytes.len() <= COPY_MAX {
        true => Part { bytes: Bytes::copy_from_slice(&part.bytes), ..part },
        false => part,
    }
}

/// Adds a part to a content; small ones of nobody in particular become one. `class` is what contents of the space are
/// held for: one that is added to is kept in any case, or what is added next would stand alone.
fn add(entry: &mut Entry, part: Part, stamp: u64, class: Class) {
    if !entry.is_there {
        entry.is_there = true;
        entry.stamp = stamp;
    }
    entry.class = Class::Pinned;
    // What is everybody's needs nobody's name, and small parts of it become one.
    let is_plain = class == Class::Cached || Label::is_anonymous(part.label.task);
    let label = if is_plain { Label::default() } else { part.label };
    let is_small = part.bytes.len() <= COPY_MAX && part.codec == Codec::Plain;
    if is_small && label == Label::default() && entry.parts.join(&part.bytes) {
        return;
    }
    entry.parts.push(Held::new(Part { label, ..settle(part) }));
}

fn no_room(status: Status, bytes: u64) -> Reply {
    let text = format!("there is no room for {bytes} bytes more");
    let hint = match status {
        Status::Busy => "some is about to be freed: try again",
        Status::TooLarge => "send smaller batches, or let the worker hold more",
        _ => "remove something, let the worker hold more, or give it a larger disk",
    };
    refuse(status, text, hint)
}
