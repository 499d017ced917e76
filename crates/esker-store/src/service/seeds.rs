//! The seeds' own requests, answered as their clients expect.

use bytes::Bytes;
use esker_bus::service::{Frames, Outcome};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::At;
use esker_wire::seed::{self, SeedRequest};
use esker_wire::snapshot::{Get, Put};

use super::{Batch, Snapshots};
use crate::names::Names;
use crate::near::nearest;

impl Snapshots {
    pub(super) fn answer_seed(&mut self, batch: &Batch<'_>, frames: &Frames) -> Outcome {
        let answered = read(frames).and_then(|request| match request {
            SeedRequest::Get { name, at } => {
                let reply = self.seed_get(batch.names, &name, at)?;
                Ok((reply, Vec::new()))
            }
            SeedRequest::Put { name, content } => {
                batch.check()?;
                let events = self.seed_put(batch.names, &name, content)?;
                Ok((seed::ok(), events))
            }
        });
        let (reply, events) = answered.unwrap_or_else(|fault| (seed::error(&fault), Vec::new()));
        Outcome { events, ..Outcome::reply(vec![reply]) }
    }

    fn seed_get(&mut self, names: &Names, name: &str, at: At) -> Result<Bytes, Fault> {
        let resource = self.meant(names, name)?;
        let content = self.store.get(&Get { at, ..Get::head(resource) })?;
        let bytes = content.bytes.unwrap_or_default();
        Ok(seed::content(name, content.at, &bytes))
    }

    fn seed_put(
        &mut self,
        names: &Names,
        name: &str,
        content: Bytes,
    ) -> Result<Vec<Frames>, Fault> {
        let resource = self.meant(names, name)?;
        let stored = self.store.put(&Put::one(resource, content))?;
        let mut events = self.events(names, &stored, &Branch::main());
        if !names.aliases.contains_key(name) {
            events.insert(0, vec![seed::event(name)]);
        }
        Ok(events)
    }

    /// The resource a seed's name means.
    fn meant(&mut self, names: &Names, name: &str) -> Result<Resource, Fault> {
        let (history, lineage) = self.store.lineage(&Branch::main())?;
        let exists = |resource: &Resource| {
            let now = history.last().and_then(|last| lineage.locate(history, resource, last));
            now.is_some_and(|now| history.current(&now).is_some())
        };
        names.find(name, exists).ok_or_else(|| {
            let known = names.aliases.keys().map(String::as_str);
            let declared = names.declared.iter().map(Resource::as_str);
            let put = self.store.names();
            let near = nearest(name, known.chain(declared).chain(put));
            Fault::new(Code::NotFound, format!("no resource is called {name:?}")).candidates(near)
        })
    }
}

fn read(frames: &Frames) -> Result<SeedRequest, Fault> {
    match frames.as_slice() {
        [frame] => SeedRequest::from_frame(frame),
        frames => {
            let message = format!("the message has {} frames, expected one", frames.len());
            Err(Fault::bad_request(message))
        }
    }
}
