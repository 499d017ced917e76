//! A client that asks what would be, and waits until it is said.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use esker_wire::edit::{Deed, Edit};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{DropBranch, Expect, Get, Item, Put, Resolve};
use esker_wire::whatif::state::{Outcome, State};
use esker_wire::whatif::{self, ABOUT, About, STATE};
use jiff::Timestamp;

use crate::bench::pipeline::client::{Client, Ear, name};

/// One who asks what would be otherwise than at one commit.
pub(super) struct Asker {
    client: Client,
    states: Ear,
    base: Revision,
}

/// The branch of a what-if.
fn branch(id: &str) -> Result<Branch> {
    whatif::branch(id).with_context(|| format!("{id} is no id"))
}

impl Asker {
    /// Asks of the newest commit of now.
    pub(super) fn new(client: &Client) -> Result<Self> {
        let newest = Resolve { at: At::head(), branch: Branch::main(), zone: None };
        let base = client.ask(&newest)?.revision;
        Ok(Self { client: client.clone(), states: client.follow(whatif::BRANCHES)?, base })
    }

    /// What is to be put to ask what would be if something were this.
    pub(super) fn what_if(&self, id: &str, (at, text): (&str, String)) -> Result<Put> {
        let at = at.parse().map_err(|error| anyhow!("{error}"))?;
        let about = About {
            title: id.to_owned(),
            owner: None,
            created: Timestamp::now(),
            expires: None,
            base: self.base,
            edits: vec![Edit { at, deed: Deed::Set(text) }],
            inputs: Vec::new(),
            files: Vec::new(),
            replaced: 0,
            ask: None,
        };
        let item = Item {
            resource: name(ABOUT)?,
            content: Some(about.to_bytes()?.into()),
            if_head: Some(Expect::Absent),
            content_type: None,
        };
        let (message, base) = (Some(format!("what-if {id}")), Some(self.base));
        let (author, provenance) = (None, None);
        Ok(Put { items: vec![item], branch: branch(id)?, message, author, provenance, base })
    }

    /// Puts them, all at once, and waits until each says that it is done.
    pub(super) fn all(&mut self, puts: &[Put]) -> Result<()> {
        let client = &self.client;
        let stored = std::thread::scope(|scope| {
            let putting: Vec<_> = puts.iter().map(|put| scope.spawn(|| client.ask(put))).collect();
            let stored =
                putting.into_iter().map(|one| one.join().map_err(|_| anyhow!("a panic"))?);
            stored.collect::<Result<Vec<_>>>()
        })?;
        let stored = stored.into_iter().map(|stored| stored.revision);
        self.wait(puts.iter().map(|put| put.branch.clone()).zip(stored).collect())
    }

    /// Puts one and waits until it says that it is done.
    pub(super) fn one(&mut self, put: &Put) -> Result<()> {
        let stored = self.client.ask(put)?;
        self.wait([(put.branch.clone(), stored.revision)].into())
    }

    fn wait(&mut self, mut waiting: BTreeMap<Branch, Revision>) -> Result<()> {
        while !waiting.is_empty() {
            let (branch, resource) = self.states.next_version()?;
            if resource.as_str() != STATE {
                continue;
            }
            let Some(about) = waiting.get(&branch) else {
                continue;
            };
            let state = State::from_bytes(&self.content(&branch, STATE)?)?;
            if state.about == *about {
                let (outcome, why) = (state.outcome, &state.summary);
                ensure!(outcome == Outcome::Done, "{branch} is {outcome}: {why}");
                waiting.remove(&branch);
            }
        }
        Ok(())
    }

    /// What a resource is there.
    pub(super) fn content(&self, branch: &Branch, resource: &str) -> Result<Bytes> {
        let get = Get { branch: branch.clone(), ..Get::head(name(resource)?) };
        self.client.ask(&get)?.bytes.context("a content")
    }

    /// Removes one.
    pub(super) fn discard(&self, put: &Put) -> Result<()> {
        let is_gone = self.client.ask(&DropBranch { branch: put.branch.clone() })?;
        ensure!(is_gone, "{} was not there", put.branch);
        Ok(())
    }
}
