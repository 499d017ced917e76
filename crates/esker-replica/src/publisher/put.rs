//! PUTs: changes by those who follow, if what they expect is there.

use esker_wire::fault::{Code, Fault};

use super::{BODY_FULL, Now, Publication, Publisher, pages};
use crate::ask::{Changed, Put};
use crate::frame::Type;

impl Publisher {
    pub(super) fn put(
        &mut self,
        put: &Put,
        now: Now,
    ) -> Result<(Changed, Vec<Publication>), Fault> {
        if !self.options.writable {
            let text = format!("the model {} is not changed by its replicas", self.options.name);
            return Err(Fault::new(Code::NotWritable, text));
        }
        if let Some(seq) = put.request_id.as_ref().and_then(|id| self.ids.get(id)) {
            return Ok((Changed::Done(seq), Vec::new()));
        }
        let mut differ = Vec::new();
        for (path, expected) in &put.conditions {
            if self.model.digest_at(path) != *expected {
                differ.push(path.clone());
            }
        }
        if !differ.is_empty() {
            let there = pages::page(&self.model, &pages::Wish::of(&differ), BODY_FULL);
            let frame = there.frame(Type::Chunk, (self.options.epoch, self.seq), false);
            return Ok((Changed::Conflict(differ, frame), Vec::new()));
        }
        let published = self.change(&put.ops, now)?;
        if let Some(id) = &put.request_id {
            self.ids.put(id.clone(), self.seq, now.since);
        }
        Ok((Changed::Done(self.seq), published))
    }
}
