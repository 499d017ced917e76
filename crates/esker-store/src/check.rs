//! Whether a store is sound: what `esker doctor` asks.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use esker_wire::blobs::Blobs;
use esker_wire::name::{Branch, Resource};
use esker_wire::pointer::ContentId;
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::journal;
use crate::large::{Large, MEND};
use crate::locks;
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
    /// is not: then the hint says so. A large content may be in the bucket instead, if there is one.
    pub fn check(dir: &Path, blobs: Option<&Blobs>) -> Vec<Finding> {
        match blobs.map(Large::listed) {
            None => Self::check_with(dir, Some(&HashMap::new())),
            Some(Ok(there)) => Self::check_with(dir, Some(&there)),
            Some(Err(error)) => {
                let found = Self::check_with(dir, None);
                std::iter::once(unreachable(&error)).chain(found).collect()
            }
        }
    }

    /// Looks at what git holds alone: large contents may still have to come.
    pub(crate) fn check_git(dir: &Path) -> Vec<Finding> {
        Self::check_with(dir, None)
    }

    /// `there` are the large contents in a bucket; they are not looked for if it is not known.
    fn check_with(dir: &Path, there: Option<&HashMap<ContentId, u64>>) -> Vec<Finding> {
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
        let locked = locks::stale(dir).into_iter().map(|path| Finding {
            message: format!("{} is in the way of every PUT", path.display()),
            hint: locks::IN_THE_WAY.to_owned(),
        });
        let opened = Self::open_read_only(dir, Options::default());
        let checked = opened.and_then(|mut store| store.check_contents(&held, there));
        let checked = checked.unwrap_or_else(|error| {
            let hint = if batches.is_empty() {
                "name the folder of a store, or restore it from a clone"
            } else {
                START
            };
            vec![Finding { message: error.to_string(), hint: hint.to_owned() }]
        });
        locked.chain(checked).collect()
    }

    /// Looks for every content; `held` are the objects in the journal, `there` the large ones in the bucket.
    fn check_contents(
        &mut self,
        held: &BTreeSet<Revision>,
        there: Option<&HashMap<ContentId, u64>>,
    ) -> Result<Vec<Finding>, Error> {
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
                        findings.extend(self.check_large((&resource, &branch), blob, there)?);
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
        (resource, branch): (&Resource, &Branch),
        blob: Revision,
        there: Option<&HashMap<ContentId, u64>>,
    ) -> Result<Option<Finding>, Error> {
        let (Some(pointer), Some(there)) = (self.pointer(blob)?, there) else {
            return Ok(None);
        };
        if self.tombstone(pointer.id)?.is_some() {
            return Ok(None);
        }
        let is_here = self.large.tier.size(pointer.id)?.is_some();
        if !is_here && there.get(&pointer.id) == Some(&pointer.size) {
            return Ok(None);
        }
        Ok(self.large.tier.check_size(pointer).err().map(|error| Finding {
            message: format!("{resource} on {branch}: {error}"),
            hint: MEND.to_owned(),
        }))
    }
}

pub(crate) fn unreachable(error: &Error) -> Finding {
    let hint = "then it is not known which large contents are there; can it be reached, and are \
        AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set here?";
    Finding { message: error.to_string(), hint: hint.to_owned() }
}
