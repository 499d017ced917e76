//! Looks at a hub: what there is, as one JSON text, for the live model.

use esker_bus::caller::Caller;
use esker_wire::fault::Fault;
use esker_wire::name::Branch;
use esker_wire::snapshot::List;
use jiff::Timestamp;

use crate::hub::{Hub, Memory};
use crate::project::Project;
use crate::state::{self, Seen};

/// Looks at one hub, remembering what cannot change.
pub struct Looks {
    hub: Hub,
    memory: Memory,
}

impl Looks {
    /// Looks by asking with this caller.
    pub fn new(caller: Caller) -> Self {
        Self::at(Hub::new(caller))
    }

    pub(crate) fn at(hub: Hub) -> Self {
        Self { hub, memory: Memory::default() }
    }

    /// What there is now: an object with `resources`, `stages`, `problems`, `views`, and what is known of the project.
    ///
    /// # Errors
    /// The hub's fault.
    pub async fn look(&mut self, project: &Project) -> Result<String, Fault> {
        let records = self.hub.records(&mut self.memory).await?;
        let listing = self.hub.listing(List { older: true, ..List::all(Branch::main()) }).await?;
        let blobs = self.hub.blobs(&mut self.memory, &records).await;
        let stances = self.hub.stances(&mut self.memory, &records).await?;
        let now = Timestamp::now();
        let seen = Seen { listing: &listing, records: &records, blobs, stances: &stances, now };
        Ok(state::state(project, &seen))
    }
}
