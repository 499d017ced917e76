//! The thread that keeps the bucket up to date: brings there what is new, removes there what was collected, and
//! removes here what the cache is not to hold.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use esker_wire::pointer::ContentId;

use super::bucket::Trouble;
use super::copies::{Job, Shared};
use super::tier::{self, Held};
use crate::files;

/// The first pause after a failure, and the longest.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// What was read or came within this time stays here: whoever reads it in parts may be at it.
const RECENT: Duration = Duration::from_secs(60);
/// How often it is looked whether the cache has grown old enough.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Works until it is told to end.
pub(super) fn run(shared: &Shared) {
    let mut retries = retries();
    loop {
        let done = step(shared);
        let mut state = shared.lock();
        if state.ends {
            return;
        }
        // News does not end a pause after a failure: the next try would fail too.
        let is_well = done.is_ok();
        let pause = match done {
            Ok(is_more) => {
                let left = state.left.iter().next().copied();
                let why = left.map(|id| format!("{id} cannot be read here; see the log"));
                state.tell(why.as_deref());
                retries = self::retries();
                if is_more {
                    continue;
                }
                LOOK_EVERY
            }
            Err(trouble) => {
                state.tell(Some(&trouble.text()));
                retries.next().unwrap_or(RETRY_MAX)
            }
        };
        let begun = Instant::now();
        while begun.elapsed() < pause {
            if state.ends || is_well && !state.order.is_empty() {
                break;
            }
            let left = pause.saturating_sub(begun.elapsed());
            let waited = shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}

fn retries() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(RETRY_MIN)
        .with_max_delay(RETRY_MAX)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Does one thing; tells whether there may be more.
fn step(shared: &Shared) -> Result<bool, Trouble> {
    if shared.lock().there.is_none() {
        look(shared)?;
        return Ok(true);
    }
    let next = {
        let mut state = shared.lock();
        let next = state.next();
        state.current = next.filter(|(_, job)| *job == Job::Bring).map(|(id, _)| id);
        next
    };
    let Some((id, job)) = next else {
        shrink(shared)?;
        return Ok(false);
    };
    let done = match job {
        Job::Bring => bring(shared, id),
        Job::Remove => remove(shared, id),
    };
    let mut state = shared.lock();
    state.current = None;
    if done.is_err() && !state.jobs.contains_key(&id) {
        state.jobs.insert(id, job);
        state.order.push_front(id);
    }
    done.map(|()| true)
}

/// Asks the bucket what it has. What lies here and not there is brought.
fn look(shared: &Shared) -> Result<(), Trouble> {
    shared.bucket.claim(shared.store)?;
    let there: HashMap<ContentId, u64> =
        shared.bucket.list()?.into_iter().map(|held| (held.id, held.size)).collect();
    let here = here(shared)?;
    let mut state = shared.lock();
    for held in here {
        if there.get(&held.id) != Some(&held.size) {
            state.add(held.id, Job::Bring);
        }
    }
    state.there = Some(there);
    Ok(())
}

fn here(shared: &Shared) -> Result<Vec<Held>, Trouble> {
    tier::list(&shared.git_dir).map_err(|error| Trouble::Here(error.to_string()))
}

fn bring(shared: &Shared, id: ContentId) -> Result<(), Trouble> {
    let path = tier::path(&shared.git_dir, id);
    let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (size, mut file) = match opened {
        Ok(opened) => opened,
        // Collected meanwhile.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            leave(shared, id, &error.to_string());
            return Ok(());
        }
    };
    if shared.lock().has(id, size) {
        return Ok(());
    }
    match shared.bucket.put(id, &mut file, size) {
        Ok(()) => {
            let mut state = shared.lock();
            if let Some(there) = &mut state.there {
                there.insert(id, size);
            }
            state.is_grown = true;
            tracing::info!(content = %id, size, "a large content was copied to the bucket");
            Ok(())
        }
        Err(Trouble::Here(why)) => {
            leave(shared, id, &why);
            Ok(())
        }
        Err(Trouble::Gone) => Err(Trouble::There("there is no such bucket".to_owned())),
        Err(trouble) => Err(trouble),
    }
}

/// Leaves a content out that cannot be read here; it is tried again at the next start, or when it is put again.
fn leave(shared: &Shared, id: ContentId, why: &str) {
    shared.lock().left.insert(id);
    tracing::error!(content = %id, why, "a large content cannot be copied to the bucket");
}

fn remove(shared: &Shared, id: ContentId) -> Result<(), Trouble> {
    if let Some(there) = &mut shared.lock().there {
        there.remove(&id);
    }
    shared.bucket.remove(id)
}

/// Removes here what is longest unused and in the bucket too, until the rest fits.
fn shrink(shared: &Shared) -> Result<(), Trouble> {
    let Some(max) = shared.cache_max.filter(|_| shared.lock().is_grown) else {
        return Ok(());
    };
    let mut held = here(shared)?;
    held.sort_by_key(|held| held.used);
    let mut total: u64 = held.iter().map(|held| held.size).sum();
    let mut kept = HashSet::new();
    for Held { id, size, used, .. } in held {
        if total <= max {
            shared.lock().is_grown = false;
            return Ok(());
        }
        let is_recent = used.elapsed().map_or(true, |age| age < RECENT);
        if !is_recent && shared.lock().has(id, size) && release(shared, id, size)? {
            total -= size;
        } else {
            kept.insert(id);
        }
    }
    tracing::debug!(total, kept = kept.len(), "the cache of large contents is over its bound");
    Ok(())
}

/// Removes a content here, once more sure that the bucket has it; tells whether it did.
fn release(shared: &Shared, id: ContentId, size: u64) -> Result<bool, Trouble> {
    let found = shared.bucket.size(id)?;
    let mut state = shared.lock();
    if found != Some(size) {
        if let Some(there) = &mut state.there {
            there.remove(&id);
        }
        state.add(id, Job::Bring);
        return Ok(false);
    }
    // Looked up again while nobody can change it: what is collected meanwhile, and put again, stays here.
    if !state.has(id, size) || state.ends {
        return Ok(false);
    }
    files::remove(&tier::path(&shared.git_dir, id)).map_err(Trouble::here)?;
    Ok(true)
}
