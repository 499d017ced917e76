//! DIFF: what changed in a resource between two versions, as a unified diff.

use std::time::Duration;

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::revision::Revision;
use esker_wire::snapshot::Diff;
use similar::TextDiff;

use crate::store::Store;

/// The largest content compared line by line, in bytes.
const COMPARED_MAX: u64 = 4 * 1024 * 1024;
/// How long the smallest difference is looked for; after that a larger one is given.
const SEARCH_MAX: Duration = Duration::from_millis(100);
/// In how many first bytes a NUL makes a content binary, as in git.
const LOOKED_MAX: usize = 8_000;
/// How many unchanged lines stand around a change.
const CONTEXT: usize = 3;

impl Store {
    /// The difference; empty if there is none.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`.
    pub fn diff(&mut self, ask: &Diff) -> Result<Bytes, Fault> {
        let to = self.position(&ask.branch, &ask.to)?;
        let (change, before) = self.find(&ask.branch, to, &ask.resource)?;
        let old = match &ask.from {
            None => before.and_then(|change| change.blob),
            Some(from) => {
                let from = self.position(&ask.branch, from)?;
                let changes = self.history(&ask.branch)?.changes(&ask.resource, from);
                changes.last().and_then(|change| change.blob)
            }
        };
        self.compare(ask.resource.as_str(), old, change.blob)
    }

    fn compare(
        &mut self,
        name: &str,
        old: Option<Revision>,
        new: Option<Revision>,
    ) -> Result<Bytes, Fault> {
        if old == new {
            return Ok(Bytes::new());
        }
        let side = |letter: char, blob: Option<Revision>| {
            blob.map_or("/dev/null".to_owned(), |_| format!("{letter}/{name}"))
        };
        let (a, b) = (side('a', old), side('b', new));
        for blob in [old, new].into_iter().flatten() {
            if self.size_of(blob)?.0 > COMPARED_MAX {
                let text =
                    format!("Files {a} and {b} differ (over {COMPARED_MAX} bytes, not compared)\n");
                return Ok(text.into());
            }
        }
        let (old, new) = (self.content(old)?, self.content(new)?);
        if is_binary(&old) || is_binary(&new) {
            return Ok(format!("Binary files {a} and {b} differ\n").into());
        }
        Ok(unified(&old, &new, (&a, &b)))
    }

    fn content(&mut self, blob: Option<Revision>) -> Result<Bytes, Fault> {
        match blob {
            Some(blob) => self.whole(blob),
            None => Ok(Bytes::new()),
        }
    }
}

fn unified(old: &[u8], new: &[u8], (a, b): (&str, &str)) -> Bytes {
    let diff = TextDiff::configure().timeout(SEARCH_MAX).diff_lines(old, new);
    let mut out = Vec::new();
    diff.unified_diff()
        .context_radius(CONTEXT)
        .header(a, b)
        .to_writer(&mut out)
        .expect("writing into memory cannot fail");
    out.into()
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(LOOKED_MAX)].contains(&0)
}
