//! GC: large contents that no commit names are removed, if they have lain there for a while.
//!
//! A thread walks through all history. What has changed meanwhile is looked at by the owner of the store, which
//! then removes without letting anyone between: a PUT names a content only while it is there, and the owner
//! does one thing at a time.

use std::collections::HashMap;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::pointer::ContentId;
use esker_wire::snapshot::{Collected, Gc, Unnamed};
use jiff::Timestamp;

use super::copies::Copies;
use super::tier::{self, Held};
use super::walk::{self, Walk};
use crate::error::Error;
use crate::objects::{Kind, Objects};
use crate::store::Store;

/// A walk under way, and what it is for.
pub(super) struct Collecting {
    ask: Gc,
    thread: JoinHandle<Result<(Walk, Vec<Held>), Error>>,
}

impl Store {
    /// Looks for large contents that no commit names; removes them if asked to.
    ///
    /// # Errors
    /// `busy` if someone else does the same in another way; `internal` if history cannot be read whole.
    pub fn collect(&mut self, ask: &Gc) -> Result<Collected, Fault> {
        self.check_excavation(&Branch::main())?;
        let Some(collecting) = self.large.collecting.take() else {
            let lister = self.large.tier.copies.as_ref().map(Copies::lister);
            self.large.collecting = Some(start(&self.dir, ask, lister)?);
            return Ok(Collected::Working);
        };
        if collecting.ask != *ask && !collecting.thread.is_finished() {
            self.large.collecting = Some(collecting);
            let text = "another look for unnamed large contents is under way";
            return Err(Fault::new(Code::Busy, text).hint("try again in a moment"));
        }
        if !collecting.thread.is_finished() {
            self.large.collecting = Some(collecting);
            return Ok(Collected::Working);
        }
        let walked = collecting.thread.join();
        let failed = |_| Fault::new(Code::Internal, "the walk through history failed");
        let walked = walked.map_err(failed)?.map_err(|error| unknown(&error))?;
        self.sweep_unnamed(ask, walked)
    }

    fn sweep_unnamed(
        &mut self,
        ask: &Gc,
        (mut walk, there): (Walk, Vec<Held>),
    ) -> Result<Collected, Fault> {
        // What came since: committed with plain git, or by this process and perhaps not on disk yet.
        let mut tips = walk::tips(&self.dir)?;
        tips.extend(self.lines.values().filter_map(|line| line.history.head()).map(|s| s.revision));
        tips.extend(self.tags_waiting.values());
        tips.extend(self.moving.values().map(|(_, to)| *to));
        let waiting = self.objects.waiting().iter();
        let waiting = waiting.filter(|object| object.kind != Kind::Blob).map(|object| object.id);
        tips.extend(waiting.collect::<Vec<_>>());
        walk.from(&mut self.objects, tips).map_err(|error| unknown(&error))?;
        let grace = Duration::from_secs(ask.grace_s);
        let (mut kept, mut kept_size) = (0, 0);
        let mut unnamed = Vec::new();
        // A content that is here and in the bucket is as young as the younger of both.
        let mut all: HashMap<ContentId, Held> =
            there.into_iter().map(|held| (held.id, held)).collect();
        for held in tier::list(&self.dir)? {
            let modified = all.get(&held.id).map_or(held.modified, |there| there.modified);
            all.insert(held.id, Held { modified: modified.max(held.modified), ..held });
        }
        for held in all.into_values() {
            let is_named =
                walk.named.contains(&held.id) || self.large.uploads.is_under_way(held.id);
            if is_named || is_young(held.modified, grace) {
                kept += 1;
                kept_size += held.size;
                continue;
            }
            if ask.remove {
                self.large.tier.remove(held.id)?;
                tracing::info!(content = %held.id, size = held.size, "a large content was removed");
            }
            let time = Timestamp::try_from(held.modified).unwrap_or(Timestamp::UNIX_EPOCH);
            unnamed.push(Unnamed { id: held.id, size: held.size, time });
        }
        unnamed.sort_by_key(|one| (one.time, one.id));
        Ok(Collected::Done { unnamed, kept, kept_size })
    }
}

/// One from the future is young too.
fn is_young(modified: SystemTime, grace: Duration) -> bool {
    modified.elapsed().map_or(true, |age| age < grace)
}

fn start(
    git_dir: &Path,
    ask: &Gc,
    lister: Option<impl FnOnce() -> Result<Vec<Held>, Error> + Send + 'static>,
) -> Result<Collecting, Fault> {
    let dir = git_dir.to_owned();
    let work = move || {
        let there = lister.map_or(Ok(Vec::new()), |list| list())?;
        let mut walk = Walk::default();
        walk.from(&mut Objects::open(&dir)?, walk::tips(&dir)?)?;
        Ok((walk, there))
    };
    let thread = std::thread::Builder::new().name("store-gc".to_owned()).spawn(work);
    let thread = thread.map_err(|error| {
        Fault::new(Code::Busy, format!("cannot start a thread to look for them: {error}"))
    })?;
    Ok(Collecting { ask: ask.clone(), thread })
}

fn unknown(error: &Error) -> Fault {
    let text = format!("cannot tell which large contents are named: {error}");
    Fault::new(Code::Internal, text)
        .hint("nothing was removed; mend the store first: `esker doctor`")
}
