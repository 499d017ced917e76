//! What was pruned, as the branch `records` tells: looked up where a large content is not there.

use std::collections::{BTreeMap, HashMap};

use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::pointer::ContentId;
use esker_wire::pruned::{PREFIX, PruneRecord, Tombstone};
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::objects::Kind;
use crate::store::Store;

/// The contents that were pruned, as far as they were read.
#[derive(Default)]
pub(crate) struct Graves {
    /// The head of `records` as of which they are known.
    head: Option<Revision>,
    /// The records read.
    read: BTreeMap<Resource, Revision>,
    stones: HashMap<ContentId, Tombstone>,
}

impl Store {
    /// When and by which rule a content was pruned, if it was and is not there now.
    pub(crate) fn tombstone(&mut self, id: ContentId) -> Result<Option<Tombstone>, Error> {
        // Whoever has put the same bytes again has brought it back.
        if self.large.is_known(id)? {
            return Ok(None);
        }
        self.read_graves()?;
        Ok(self.graves.stones.get(&id).cloned())
    }

    /// What to say of a content that is not there because it was pruned; none if it was not.
    pub(crate) fn pruned(&mut self, id: ContentId) -> Result<Option<Fault>, Error> {
        Ok(self.tombstone(id)?.map(|Tombstone { time, keep }| {
            let text = format!("the content was pruned on {time}: its rule is to keep {keep}");
            Fault::new(Code::NotFound, text)
                .hint("what a copy of the store still has comes back with `esker put`")
        }))
    }

    fn read_graves(&mut self) -> Result<(), Error> {
        let known = self.graves.head;
        let history = self.history(&Branch::records())?;
        let head = history.head().map(|step| step.revision);
        if head == known {
            return Ok(());
        }
        let records = history.resources().skip_while(|name| name.as_str() < PREFIX);
        let records = records.take_while(|name| name.as_str().starts_with(PREFIX));
        let records: Vec<(Resource, Revision)> =
            records.filter_map(|name| Some((name.clone(), history.current(name)?.1))).collect();
        let known: BTreeMap<Resource, Revision> = records.iter().cloned().collect();
        let is_gone = |name: &Resource| known.get(name) != self.graves.read.get(name);
        if self.graves.read.keys().any(is_gone) {
            self.graves = Graves::default();
        }
        for (name, blob) in records {
            if !self.graves.read.contains_key(&name) {
                self.read_grave(&name, blob)?;
                self.graves.read.insert(name, blob);
            }
        }
        self.graves.head = head;
        Ok(())
    }

    /// Reads one record; one that cannot be understood tells of nothing.
    fn read_grave(&mut self, name: &Resource, blob: Revision) -> Result<(), Error> {
        let bytes = match self.pointer(blob)? {
            Some(pointer) => self.large.tier.read(pointer)?,
            None => self.objects.get(blob, Kind::Blob)?,
        };
        match PruneRecord::from_bytes(&bytes) {
            Ok(record) => {
                let time = record.time;
                let contents = record.contents.into_iter();
                let stones = contents.map(|one| (one.id, Tombstone { time, keep: one.keep }));
                self.graves.stones.extend(stones);
            }
            Err(fault) => tracing::warn!(%name, %fault, "cannot read what was pruned"),
        }
        Ok(())
    }
}
