//! Whether a store is sound: what `esker doctor` asks.

use std::collections::BTreeSet;
use std::path::Path;

use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::journal;
use crate::large::MEND;
use crate::store::{Options, Store};

/// What to do where the journal holds what is missing.
const START: &str = "start esker once: it does again what the journal tells; then look again";

/// Something that is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Store {
    /// Looks at a store without changing it, whether or not another process holds it: it opens, its format
    /// is known, and every content its history names is there. After a loss of power the journal may hold what
    /// is not: then the hint says so.
    pub fn check(dir: &Path) -> Vec<Finding> {
        let batches = match journal::load(dir) {
            Ok(found) => found.batches,
            Err(Error::Read { .. }) => Vec::new(),
            Err(error) => {
                let hint = "run `git fsck`; what the journal held may be lost".to_owned();
                return vec![Finding { message: error.to_string(), hint }];
            }
        };
        let held =
            batches.iter().flat_map(|batch| &batch.objects).map(|object| object.id).collect();
        let opened = Self::open_read_only(dir, Options::default());
        opened.and_then(|mut store| store.check_contents(&held)).unwrap_or_else(|error| {
            let hint = if batches.is_empty() {
                "name the folder of a store, or restore it from a clone"
            } else {
                START
            };
            vec![Finding { message: error.to_string(), hint: hint.to_owned() }]
        })
    }

    /// Looks for every content; `held` are the objects in the journal.
    fn check_contents(&mut self, held: &BTreeSet<Revision>) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for branch in self.branches()? {
            let history = self.history(&branch)?;
            let Some(last) = history.last() else {
                continue;
            };
            let mut contents = Vec::new();
            for resource in history.resources() {
                let changes = history.changes(resource, last).iter();
                contents
                    .extend(changes.filter_map(|change| Some((resource.clone(), change.blob?))));
            }
            for (resource, blob) in contents {
                let what = match self.objects.size(blob) {
                    Ok(Some(_)) => {
                        findings.extend(self.check_large(&resource, &branch, blob)?);
                        continue;
                    }
                    Ok(None) => "is missing",
                    Err(_) => "cannot be read",
                };
                let hint = if held.contains(&blob) {
                    START
                } else {
                    "run `git fsck`, then fetch it from a clone"
                };
                findings.push(Finding {
                    message: format!("the content {blob} of {resource} on {branch} {what}"),
                    hint: hint.to_owned(),
                });
            }
        }
        Ok(findings)
    }

    /// Looks for the file of a large content; its hash is not computed.
    fn check_large(
        &mut self,
        resource: &Resource,
        branch: &Branch,
        blob: Revision,
    ) -> Result<Option<Finding>, Error> {
        let Some(pointer) = self.pointer(blob)? else {
            return Ok(None);
        };
        if self.tombstone(pointer.id)?.is_some() {
            return Ok(None);
        }
        Ok(self.large.tier.check_size(pointer).err().map(|error| Finding {
            message: format!("{resource} on {branch}: {error}"),
            hint: MEND.to_owned(),
        }))
    }
}
