//! What is refused: requests that mean another publisher, or what is not here.

use std::collections::BTreeSet;

use esker_wire::fault::{Code, Fault};

use super::Publisher;
use super::limits::clip;
use crate::path::{self, Path};

impl Publisher {
    /// Whether a request means this publisher, and none that was here before it.
    ///
    /// # Errors
    /// `gone` if not.
    pub(crate) fn is_epoch(&self, epoch: u64) -> Result<(), Fault> {
        if epoch == self.options.epoch {
            return Ok(());
        }
        let text = format!("epoch {epoch} is over, this is {}", self.options.epoch);
        Err(Fault::new(Code::Gone, text).hint("ask HELLO"))
    }

    /// Whether a transaction was here. Who follows a relay may be ahead of one that was just started.
    ///
    /// # Errors
    /// `bad-request` if not.
    pub(super) fn has_come(&self, seq: u64) -> Result<(), Fault> {
        if seq <= self.seq {
            return Ok(());
        }
        let text = format!("transaction {seq} is yet to come, {} is the last", self.seq);
        Err(Fault::bad_request(text).hint("ask again soon"))
    }

    /// Whether these can be asked for as sections.
    pub(super) fn are_sections(&self, sections: &[Path]) -> Result<(), Fault> {
        match sections.iter().find(|path| !self.options.junctions.is_section(path)) {
            None => Ok(()),
            Some(path) => {
                let text = format!("{} is no section", clip(&path::to_json(path)));
                Err(Fault::bad_request(text)
                    .hint("HELLO tells the junctions; their children are sections"))
            }
        }
    }

    /// The chains of sections; none for all.
    pub(super) fn known(&self, sections: &[Path]) -> Result<Option<BTreeSet<usize>>, Fault> {
        self.are_sections(sections)?;
        let chains = || sections.iter().filter_map(|path| self.chains.find(path)).collect();
        Ok((!sections.is_empty()).then(chains))
    }
}
