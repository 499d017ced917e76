//! Whether a store is sound: what `esker doctor` asks.

use std::path::Path;

use crate::error::Error;
use crate::store::{Options, Store};

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
    /// is known, and every content its history names is there.
    pub fn check(dir: &Path) -> Vec<Finding> {
        let opened = Self::open_read_only(dir, Options::default());
        match opened.and_then(|mut store| store.check_contents()) {
            Ok(findings) => findings,
            Err(error) => vec![Finding {
                message: error.to_string(),
                hint: "name the folder of a store, or restore it from a clone".to_owned(),
            }],
        }
    }

    fn check_contents(&mut self) -> Result<Vec<Finding>, Error> {
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
                if self.objects.size(blob)?.is_none() {
                    findings.push(Finding {
                        message: format!("the content {blob} of {resource} on {branch} is missing"),
                        hint: "run `git fsck`, then fetch it from a clone".to_owned(),
                    });
                }
            }
        }
        Ok(findings)
    }
}
