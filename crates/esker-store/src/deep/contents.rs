//! Large contents, of which git holds only pointers: read where they are, looked for where they are not.

use std::collections::HashMap;
use std::path::Path;

use esker_wire::blobs::Blobs;
use esker_wire::pointer::Pointer;

use super::Look;
use crate::check::{Finding, unreachable};
use crate::error::Error;
use crate::large::{self, Large, MEND};
use crate::store::{Options, Store};

/// A large content that is damaged here, or missing.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    pub(crate) pointer: Pointer,
    /// Whether there is a file of it, which is damaged.
    pub(crate) is_here: bool,
    /// Whether a bucket has it.
    pub(crate) is_in_bucket: bool,
    /// As it is told.
    pub(crate) finding: Finding,
}

impl Look {
    /// Reads every large content that is named; those that are missing may be in the bucket, or pruned.
    pub(super) fn contents(
        &mut self,
        git_dir: &Path,
        blobs: Option<&Blobs>,
        told: &mut dyn FnMut(&str),
    ) {
        let large = Large::open(git_dir);
        let there = match blobs.map(Large::listed) {
            None => Some(HashMap::new()),
            Some(Ok(there)) => Some(there),
            Some(Err(error)) => {
                self.findings.push(unreachable(&error));
                None
            }
        };
        // One that cannot be opened does not tell what was pruned: first that must be mended.
        let mut store = Store::open_read_only(git_dir, Options::default()).ok();
        let count = self.pointers.len();
        let pointers = std::mem::take(&mut self.pointers).into_values();
        for (index, (pointer, what)) in pointers.enumerate() {
            told(&format!("{index} of {count} large contents read"));
            let is_here = !matches!(large.tier.size(pointer.id), Ok(None));
            let there = there.as_ref();
            let is_in_bucket = there.is_some_and(|it| it.get(&pointer.id) == Some(&pointer.size));
            let mut is_missing = || {
                let stone = store.as_mut().map(|store| store.tombstone(pointer.id));
                there.is_some() && !is_in_bucket && matches!(stone, Some(Ok(None)))
            };
            if !is_here && !is_missing() {
                continue;
            }
            if let Err(error) = large::check_whole(&large.tier, pointer) {
                let finding = told_of(&error, &what);
                self.findings.push(finding.clone());
                self.lost.push(Lost { pointer, is_here, is_in_bucket, finding });
            }
        }
    }
}

fn told_of(error: &Error, what: &str) -> Finding {
    Finding { message: format!("{error}; it is {what}"), hint: MEND.to_owned() }
}
