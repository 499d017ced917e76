//! A client of a project under test: puts, and waits for what comes of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::follow::{Follow, Item as Heard};
use esker_wire::event::{Event, TOPIC};
use esker_wire::fault::Code;
use esker_wire::message::Request;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Get, Item, Log, Put, Stored};

use crate::bench::process::PATIENCE;

/// How often to look for what is waited for.
const LOOK: Duration = Duration::from_millis(2);

/// How long one answer may take: a hub that was killed meanwhile gives none.
const ANSWER: Duration = Duration::from_secs(2);

/// The most items of one PUT.
const ITEMS: usize = 1_000;

/// A client.
#[derive(Clone)]
pub(super) struct Client {
    bus: Bus,
    endpoint: Endpoint,
    caller: Caller,
}

/// A name that is written here.
pub(super) fn name(text: &str) -> Result<Resource> {
    text.parse().map_err(anyhow::Error::msg)
}

impl Client {
    pub(super) fn new(bus: &Bus, endpoint: &Endpoint) -> Self {
        Self { bus: bus.clone(), endpoint: endpoint.clone(), caller: bus.caller(endpoint) }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Puts one resource.
    pub(super) fn put(&self, resource: &str, content: Bytes) -> Result<Stored> {
        Ok(self.caller.call_blocking(&Put::one(name(resource)?, content), PATIENCE)?)
    }

    /// Asks for anything.
    pub(super) fn ask<R: Request>(&self, request: &R) -> Result<R::Reply> {
        Ok(self.caller.call_blocking(request, PATIENCE)?)
    }

    /// Puts one resource, again and again until it is acknowledged: the hub may be killed meanwhile.
    pub(super) fn insist(&self, resource: &str, content: &Bytes) -> Result<()> {
        let put = Put::one(name(resource)?, content.clone());
        let begun = Instant::now();
        loop {
            match self.caller.call_blocking(&put, ANSWER) {
                Ok(_) => return Ok(()),
                Err(fault) if begun.elapsed() > PATIENCE => bail!("cannot put: {fault}"),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    }

    /// Puts many resources, as many at once as may be.
    pub(super) fn put_all(&self, all: &[(String, Bytes)]) -> Result<()> {
        for some in all.chunks(ITEMS) {
            let items = some.iter().map(|(resource, content)| {
                let content = Some(content.clone());
                Ok(Item { resource: name(resource)?, content, if_head: None, content_type: None })
            });
            let put = Put {
                items: items.collect::<Result<_>>()?,
                branch: Branch::main(),
                message: None,
                author: None,
                provenance: None,
                base: None,
            };
            self.caller.call_blocking(&put, PATIENCE)?;
        }
        Ok(())
    }

    /// The newest version, if there is one.
    pub(super) fn get(&self, resource: &str) -> Result<Option<(Revision, Bytes)>> {
        self.get_at(resource, At::head())
    }

    /// A version, if there is one.
    pub(super) fn get_at(&self, resource: &str, at: At) -> Result<Option<(Revision, Bytes)>> {
        let get = Get { at, ..Get::head(name(resource)?) };
        match self.caller.call_blocking(&get, PATIENCE) {
            Ok(content) => {
                Ok(Some((content.entry.blob.context("a blob")?, content.bytes.context("bytes")?)))
            }
            Err(fault) if fault.code == Code::NotFound => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Waits until a resource is this; false if it does not come.
    pub(super) fn wait_for(&self, resource: &str, content: &[u8]) -> Result<bool> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.get(resource)?.is_some_and(|(_, now)| now == content) {
                return Ok(true);
            }
            std::thread::sleep(LOOK);
        }
        Ok(false)
    }

    /// All revisions of a resource on `main`, the oldest first.
    pub(super) fn history(&self, resource: &str) -> Result<Vec<Entry>> {
        let mut log = Log { resource: Some(name(resource)?), ..Log::newest(10_000) };
        let mut all = Vec::new();
        loop {
            let page = self.caller.call_blocking(&log, PATIENCE)?;
            all.extend(page.entries);
            match page.next {
                Some(next) => log.after = Some(next),
                None => break,
            }
        }
        all.reverse();
        Ok(all)
    }

    /// Hears of every version of a resource from now on.
    pub(super) fn follow(&self, resource: &str) -> Result<Ear> {
        let mut follow = self.bus.follow(&self.endpoint, &[&format!("{TOPIC}{resource}")]);
        // The first thing a follower is told is that it may have missed something.
        follow.recv_timeout(PATIENCE).context("no events")?;
        Ok(Ear(follow))
    }
}

/// One who hears of the versions of a resource.
pub(super) struct Ear(Follow);

impl Ear {
    /// Waits for the next version on `main`.
    pub(super) fn next(&mut self) -> Result<()> {
        while self.next_version()?.0 != Branch::main() {}
        Ok(())
    }

    /// Waits for the next version on any branch: which one, and of what.
    pub(super) fn next_version(&mut self) -> Result<(Branch, Resource)> {
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Some(Heard::Event(event)) if !event.is_unchanged() => {
                    if let Event::Put { branch, resource, .. } = event {
                        return Ok((branch, resource));
                    }
                }
                Some(_) => {}
                None => bail!("no result within {PATIENCE:?}"),
            }
        }
    }
}
