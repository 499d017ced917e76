//! GET, STAT and LIST.

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::snapshot::{Content, Entry, Get, List, Listing, Stat};

use crate::history::{Change, History};
use crate::near::nearest;
use crate::page::Room;
use crate::resolve::timestamp;
use crate::store::Store;

/// A change of a resource and the one before it.
type Pair = (Change, Option<Change>);

impl Store {
    /// One resource's content.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`.
    pub fn get(&mut self, ask: &Get) -> Result<Content, Fault> {
        let position = self.position(&ask.branch, &ask.at)?;
        let pair = self.find(&ask.branch, position, &ask.resource)?;
        let at = self.history(&ask.branch)?.step(position).revision;
        let entry = self.entry(&ask.branch, &ask.resource, pair)?;
        if ask.unless == Some(entry.revision) {
            let bytes = None;
            return Ok(Content { at, entry, bytes });
        }
        let bytes = match pair.0.blob {
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
        let position = self.position(&ask.branch, &ask.at)?;
        let pair = self.find(&ask.branch, position, &ask.resource)?;
        self.entry(&ask.branch, &ask.resource, pair)
    }

    /// The resources as of one commit, by name: all that begin as asked, or a page of them.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`.
    pub fn list(&mut self, ask: &List) -> Result<Listing, Fault> {
        let mut listing = Listing { at: None, entries: Vec::new(), next: None };
        if self.history(&ask.branch)?.last().is_none() && ask.at.is_head() {
            return Ok(listing);
        }
        let position = self.position(&ask.branch, &ask.at)?;
        let history = self.history(&ask.branch)?;
        listing.at = Some(history.step(position).revision);
        let limit = ask.limit.map_or(usize::MAX, |limit| limit as usize);
        // One more than asked for tells whether there is a next page.
        let found: Vec<(Resource, Pair)> = history
            .resources()
            .skip_while(|resource| ask.after.as_ref().is_some_and(|after| *resource <= after))
            .skip_while(|resource| resource.as_str() < ask.prefix.as_str())
            .take_while(|resource| resource.as_str().starts_with(&ask.prefix))
            .filter_map(|resource| Some((resource.clone(), existing(history, resource, position)?)))
            .take(limit.saturating_add(1))
            .collect();
        let mut room = Room::new(limit);
        for (resource, pair) in found {
            let entry = self.entry(&ask.branch, &resource, pair)?;
            if !room.take(&entry) {
                listing.next = listing.entries.last().map(|entry| entry.resource.clone());
                break;
            }
            listing.entries.push(entry);
        }
        Ok(listing)
    }

    /// The last change of a resource that exists as of a commit.
    pub(crate) fn find(
        &mut self,
        branch: &Branch,
        position: u32,
        resource: &Resource,
    ) -> Result<Pair, Fault> {
        if let Some(pair) = existing(self.history(branch)?, resource, position) {
            return Ok(pair);
        }
        Err(self.absent(branch, resource, position)?)
    }

    /// Why a resource does not exist as of a commit.
    pub(crate) fn absent(
        &mut self,
        branch: &Branch,
        resource: &Resource,
        position: u32,
    ) -> Result<Fault, Fault> {
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

    /// A change, described.
    pub(crate) fn entry(
        &mut self,
        branch: &Branch,
        resource: &Resource,
        (change, before): Pair,
    ) -> Result<Entry, Fault> {
        let history = self.history(branch)?;
        let revision = history.step(change.position).revision;
        let previous = before.map(|before| history.step(before.position).revision);
        let (size, content_id) = match change.blob {
            Some(blob) => self.size_of(blob)?,
            None => (0, None),
        };
        let told = self.told(revision)?;
        Ok(Entry {
            resource: resource.clone(),
            revision,
            previous,
            blob: change.blob,
            content_id,
            size,
            content_type: told.trailers.content_type(resource),
            time: timestamp(told.commit.when.seconds),
            author: told.commit.author.clone(),
            summary: told.commit.summary().to_owned(),
            provenance: told.trailers.provenance.clone(),
        })
    }
}

/// The last change of a resource up to a position, if it left the resource there, and the one before.
fn existing(history: &History, resource: &Resource, position: u32) -> Option<Pair> {
    let (last, before) = history.changes(resource, position).split_last()?;
    last.blob?;
    Some((*last, before.last().copied()))
}

/// A fault with a content, with the name of whose it is.
fn of(resource: &Resource, fault: Fault) -> Fault {
    let message = format!("cannot read {resource}: {}", fault.message);
    Fault { message, ..fault }
}
