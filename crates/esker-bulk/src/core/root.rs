//! The table of all nodes: where the contents are of spaces that nobody has begun. A worker that is given a newer one
//! forgets what is elsewhere by now, or was elsewhere meanwhile: it could be an older version of it.

use std::cmp::Ordering;

use bytes::Bytes;
use esker_wire::bulk::{Head, Reply, Status, Table, hash};
use esker_wire::fault::Fault;

use crate::core::spaces::Space;
use crate::core::{Core, refuse};
use crate::space::slot;

impl Core {
    /// Holds what a message knows of its space against what is known here.
    pub(crate) fn reach(&self, head: &Head) -> Result<(), Reply> {
        let about = self.spaces.get(&head.space).and_then(Space::version);
        let asked = (head.epoch > 0).then_some((head.generation, head.epoch));
        let order = match (asked, about) {
            (None, None) => head.generation.cmp(&self.root.as_ref().map_or(0, Table::version)),
            // Somebody has begun it since.
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(asked), Some(known)) => asked.cmp(&known),
        };
        match order {
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(refuse(
                Status::Ahead,
                "this worker does not know yet what the space is like, or where it is",
                "tell it with OPEN and ask again",
            )),
            Ordering::Less => Err(refuse(
                Status::Stale,
                "the space is not any more what it was, or not where it was",
                "look at what it is like, and ask again",
            )),
        }
    }

    /// Takes note of the table of all nodes.
    pub(crate) fn open_root(&mut self, text: &Bytes) -> Result<Reply, Reply> {
        let table = std::str::from_utf8(text).ok().and_then(|text| Table::from_text(text).ok());
        let Some(table) = table else {
            let fault = Fault::bad_request("this is no table of slots").hint("see docs/bulk.md");
            return Err(Reply::Refused(Status::Bad, fault));
        };
        let before = self.root.as_ref().map_or(0, Table::version);
        match table.version().cmp(&before) {
            Ordering::Less => {
                let text = format!("the table of all nodes is at {before} by now");
                return Err(refuse(Status::Stale, text, "look at it anew"));
            }
            Ordering::Equal if self.root.as_ref() != Some(&table) => {
                let text = "another table of all nodes with the same version is known here";
                return Err(refuse(Status::Conflict, text, "are there two clusters?"));
            }
            Ordering::Equal => return Ok(Reply::Text(Bytes::new())),
            Ordering::Greater => {}
        }
        let node = self.node;
        let has_all_the_time =
            |id: &[u8]| table.since(slot(hash(id)), node).is_some_and(|since| since <= before);
        let spaces = &self.spaces;
        let is_begun = |space: u64| spaces.get(&space).is_some_and(|it| it.about.is_some());
        let gone = self.entries.iter().filter(|(_, entry)| {
            !is_begun(entry.space) && before > 0 && !has_all_the_time(&entry.id)
        });
        let gone: Vec<u32> = gone.map(|(at, _)| at).collect();
        for at in gone {
            self.forget(at);
        }
        self.root = Some(table);
        Ok(Reply::Text(Bytes::new()))
    }

    /// What is known of a space.
    pub(crate) fn about(&self, head: &Head) -> Reply {
        let about = self.spaces.get(&head.space).and_then(|space| space.about.as_ref());
        Reply::Text(about.map(|about| about.to_json().into()).unwrap_or_default())
    }
}
