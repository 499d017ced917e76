//! GET, STAT and LIST.

use std::sync::Arc;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::snapshot::{Content, Entry, Get, List, Listing, Stat};

use crate::history::Change;
use crate::lineage::Pair;
use crate::near::nearest;
use crate::page::Room;
use crate::rename::Found;
use crate::resolve::{Place, timestamp};
use crate::store::Store;

/// How many older names one LIST tells.
const OLDER_MAX: usize = 2_000;

impl Store {
    /// One resource's content.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`.
    pub fn get(&mut self, ask: &Get) -> Result<Content, Fault> {
        let Place { branch, position } = self.place(&ask.branch, &ask.at)?;
        let found = self.find(&branch, position, &ask.resource)?;
        let at = self.history(&branch)?.step(position).revision;
        let entry = self.described(&branch, &ask.resource, &found)?;
        if ask.unless == Some(entry.revision) {
            let bytes = None;
            return Ok(Content { at, entry, bytes });
        }
        let bytes = match found.pair.0.blob {
            Some(blob) => self.part(blob, ask.range).map_err(|fault| of(&ask.resource, fault))?,
            None => Bytes::new(),
        };
        let bytes = Some(bytes);
        Ok(Content { at, entry, bytes })
    }

    /// One resource, described.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`.
    pub fn stat(&mut self, ask: &Stat) -> Result<Entry, Fault> {
        let Place { branch, position } = self.place(&ask.branch, &ask.at)?;
        let found = self.find(&branch, position, &ask.resource)?;
        self.described(&branch, &ask.resource, &found)
    }

    /// What was found by a name, described.
    pub(crate) fn described(
        &mut self,
        branch: &Branch,
        asked: &Resource,
        found: &Found,
    ) -> Result<Entry, Fault> {
        let mut entry = self.entry(branch, &found.resource, found.pair)?;
        entry.asked = (found.resource != *asked).then(|| asked.clone());
        Ok(entry)
    }

    /// The resources as of one commit, by name: all that begin as asked, or a page of them.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`.
    pub fn list(&mut self, ask: &List) -> Result<Listing, Fault> {
        let (entries, older) = (Vec::new(), Vec::new());
        let mut listing = Listing { at: None, entries, next: None, older };
        if self.history(&ask.branch)?.last().is_none() && ask.at.is_head() {
            return Ok(listing);
        }
        let Place { branch, position } = self.place(&ask.branch, &ask.at)?;
        if ask.older {
            listing.older = self.older_at(&branch, position)?;
        }
        let (history, lineage) = self.lineage(&branch)?;
        listing.at = Some(history.step(position).revision);
        let limit = ask.limit.map_or(usize::MAX, |limit| limit as usize);
        // One more than asked for tells whether there is a next page.
        let found: Vec<(Resource, Pair)> = history
            .resources()
            .skip_while(|resource| ask.after.as_ref().is_some_and(|after| *resource <= after))
            .skip_while(|resource| resource.as_str() < ask.prefix.as_str())
            .take_while(|resource| resource.as_str().starts_with(&ask.prefix))
            .filter_map(|resource| {
                let pair = lineage.pair(history, resource, position);
                Some((resource.clone(), pair.filter(|(change, _)| change.blob.is_some())?))
            })
            .take(limit.saturating_add(1))
            .collect();
        let mut room = Room::new(limit);
        room.reserve(
            listing.older.iter().map(|(name, now)| name_bytes(name) + name_bytes(now)).sum(),
        );
        for (resource, pair) in found {
            let entry = self.entry(&branch, &resource, pair)?;
            if !room.take(&entry) {
                listing.next = listing.entries.last().map(|entry| entry.resource.clone());
                break;
            }
            listing.entries.push(entry);
        }
        Ok(listing)
    }

    /// The older names that mean a resource as of a commit, and its name there.
    fn older_at(
        &mut self,
        branch: &Branch,
        position: u32,
    ) -> Result<Vec<(Resource, Resource)>, Fault> {
        let (history, lineage) = self.lineage(branch)?;
        let names = lineage.given_up().filter_map(|name| {
            history.changes(name, position).last()?;
            let now = lineage.locate(history, name, position)?;
            let change = history.changes(&now, position).last()?;
            (now != *name && change.blob.is_some()).then(|| (name.clone(), now))
        });
        Ok(names.take(OLDER_MAX).collect())
    }

    /// Why a resource does not exist as of a commit.
    pub(crate) fn absent(
        &mut self,
        branch: &Branch,
        resource: &Resource,
        position: u32,
    ) -> Result<Fault, Fault> {
        if let Some((fork, on_main)) = self.fork_of(branch)? {
            let is_gone = self.history(branch)?.changes(resource, position).is_empty();
            let was = !self.history(&Branch::main())?.changes(resource, on_main).is_empty();
            if position > fork.last && is_gone && was {
                return self.absent(&Branch::main(), resource, on_main);
            }
        }
        let history = self.history(branch)?;
        let at = history.step(position).revision;
        if let Some(change) = history.changes(resource, position).last() {
            let removed = history.step(change.position).revision;
            let message = format!("{resource} was removed from {branch} by {removed}");
            return Ok(Fault::new(Code::NotFound, message)
                .hint(format!("its last version is at {removed}^")));
        }
        let names = history.resources().map(Resource::as_str);
        let near = nearest(resource.as_str(), names.filter(|name| *name != resource.as_str()));
        let message = format!("there is no {resource} on {branch} at {at}");
        Ok(Fault::new(Code::NotFound, message).candidates(near))
    }

    /// A change that a branch has from `main`, as it is there.
    fn as_on_main(
        &mut self,
        branch: &Branch,
        resource: &Resource,
        change: Change,
    ) -> Result<Option<(Branch, Pair)>, Fault> {
        let fork = self.fork_of(branch)?;
        if fork.is_none_or(|(fork, _)| change.position > fork.last) {
            return Ok(None);
        }
        let revision = self.history(branch)?.step(change.position).revision;
        let main = Branch::main();
        let (history, lineage) = self.lineage(&main)?;
        let position = history.position(revision);
        let pair = position.and_then(|position| lineage.pair(history, resource, position));
        Ok(pair.map(|pair| (main, pair)))
    }

    /// A change, described.
    pub(crate) fn entry(
        &mut self,
        branch: &Branch,
        resource: &Resource,
        (change, before): Pair,
    ) -> Result<Entry, Fault> {
        if let Some((on_main, pair)) = self.as_on_main(branch, resource, change)? {
            return self.entry(&on_main, resource, pair);
        }
        let (history, lineage) = self.lineage(branch)?;
        let revision = history.step(change.position).revision;
        let previous = before.map(|before| history.step(before.position).revision);
        let moved_from = lineage.came_from(resource, change.position).cloned();
        // A name tells nothing of how the content came to be.
        let made = lineage.made(history, resource, change.position);
        let (made_as, made) = (made.0.clone(), history.step(made.1).revision);
        let (size, content_id) = match change.blob {
            Some(blob) => self.size_of(blob)?,
            None => (0, None),
        };
        let pruned = content_id.map_or(Ok(None), |id| self.tombstone(id))?;
        let told = self.told(revision)?;
        let made = if made == revision { Arc::clone(&told) } else { self.told(made)? };
        Ok(Entry {
            resource: resource.clone(),
            asked: None,
            moved_from,
            revision,
            previous,
            blob: change.blob,
            content_id,
            size,
            pruned,
            content_type: made.trailers.content_type(&made_as),
            time: timestamp(told.commit.when.seconds),
            author: told.commit.author.clone(),
            summary: told.commit.summary().to_owned(),
            provenance: made.trailers.provenance.clone(),
        })
    }
}

/// No fewer bytes than a name has in a message with what belongs to it.
fn name_bytes(name: &Resource) -> usize {
    name.as_str().len() + 16
}

/// A fault with a content, with the name of whose it is.
fn of(resource: &Resource, fault: Fault) -> Fault {
    let message = format!("cannot read {resource}: {}", fault.message);
    Fault { message, ..fault }
}
