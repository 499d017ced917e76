//! The store and its copies elsewhere: pushing it to the project's mirrors, following one, and how that is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esker_pipeline::definition::Definition;
use esker_store::mirror::replica::{Following, Replica};
use esker_store::mirror::shared::Mirrors;
use esker_store::mirror::{Pushing, Tempo};
use esker_wire::snapshot::MirrorReport;

use crate::cli::Hub;
use crate::project::{Place, Project};
use crate::say::{self, hinted};
use crate::stop::Stop;

/// How long a gentle stop waits for the mirrors.
const STOP_MAX: Duration = Duration::from_secs(5);

/// What keeps the copies of a hub's store, or the store itself, up to date.
pub(crate) struct Replication {
    pushing: Pushing,
    replica: Option<Replica>,
}

impl Replication {
    /// Starts to push the project's store where its definition says. A replica is not pushed anywhere.
    pub(crate) fn push(project: &Project, definition: &Definition) -> Result<Self> {
        if let Some(following) = Following::of(&project.store()) {
            let url = following.url();
            let hint = format!(
                "`esker hub --follow {url}` serves it; to make it a store of its own, remove {}",
                project.store().join("esker/follows").display()
            );
            return Err(hinted(format!("the store here is a read replica of {url}"), hint));
        }
        Self::start(project, definition, None)
    }

    /// Brings the project's store up to date with what it follows, and keeps it so.
    pub(crate) fn follow(
        project: &Project,
        definition: &Definition,
        hub: &Hub,
        stop: &Stop,
    ) -> Result<Self> {
        let Some(remote) = &hub.follow else {
            return Self::push(project, definition);
        };
        let remote = remote.under(&Place::here()?);
        let stop = stop.clone();
        let halt = Arc::new(move || stop.is_pulled());
        let replica = Replica::start(&project.store(), remote, hub.every, halt).map_err(|error| {
            hinted(error.to_string(), "follow in a project of its own; `git ls-remote` tells whether it can be reached")
        })?;
        Self::start(project, definition, Some(replica))
    }

    fn start(project: &Project, definition: &Definition, replica: Option<Replica>) -> Result<Self> {
        let remotes = if replica.is_none() { definition.store.push.as_slice() } else { &[] };
        let pushing = Pushing::start(&project.store(), &project.dir, remotes, Tempo::default());
        Ok(Self { pushing: pushing.context("cannot start the mirrors' threads")?, replica })
    }

    /// How the mirrors stand.
    pub(crate) fn mirrors(&self) -> Mirrors {
        self.pushing.mirrors()
    }

    /// What the store follows, if it is a replica.
    pub(crate) fn following(&self) -> Option<Following> {
        self.replica.as_ref().map(Replica::following)
    }

    /// Pushes what is left, when nothing more comes, and says what could not be pushed.
    pub(crate) fn shutdown(self) {
        drop(self.replica);
        let begun = Instant::now();
        for report in self.pushing.shutdown(STOP_MAX) {
            let waited_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let MirrorReport { url: mirror, behind, trouble, .. } = report;
            tracing::warn!(mirror, behind, trouble, waited_ms, "stopped before all was pushed");
        }
    }
}

/// How a mirror stands, for people.
pub(crate) fn describe(report: &MirrorReport) -> String {
    describe_in(report, "commit")
}

/// How the bucket of large contents stands, for people.
pub(crate) fn describe_blobs(report: &MirrorReport) -> String {
    describe_in(report, "content")
}

fn describe_in(report: &MirrorReport, what: &str) -> String {
    let behind = match report.behind {
        Some(0) if report.since.is_none() => "has everything".to_owned(),
        Some(1) => format!("is 1 {what} behind"),
        Some(count) => format!("is {count} {what}s behind"),
        None => "is behind".to_owned(),
    };
    let since = report.since.map(|since| format!(" since {}", say::time(since)));
    let trouble = report.trouble.as_ref().map(|trouble| format!(": {trouble}"));
    let parts = [Some(format!("{} {behind}", report.url)), since, trouble];
    parts.into_iter().flatten().collect()
}
