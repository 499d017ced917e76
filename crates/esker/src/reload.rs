//! Notices that `esker.toml` was edited, or that a runner came or went, for those who show or answer by it.
//!
//! The runner reloads by itself, together with what it must do about it. The hub and the page only need the
//! newest good definition, soon.

use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use esker_pipeline::definition::web::Web;
use esker_pipeline::definition::{Definition, FILE};

use crate::endpoints::Endpoints;
use crate::project::Project;
use crate::stop::Stop;

/// How often to look at the file.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Looks at a project for as long as it lives.
pub(crate) struct Reload {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Reload {
    /// Calls `changed` with every new good definition, and whenever a runner comes or goes, with whether there
    /// is one.
    pub(crate) fn start(
        project: &Project,
        changed: impl Fn(&Definition, bool) + Send + 'static,
    ) -> Result<Self> {
        let stop = Stop::default();
        let stopped = stop.clone();
        let project = project.clone();
        let mut seen = None;
        let mut good = None;
        let mut served = None;
        let look = move || {
            while !stopped.wait(LOOK_EVERY) {
                let now = (stamp(&project.dir), Endpoints::read(&project).has_runner());
                if seen == Some(now) {
                    continue;
                }
                // A bad edit is the runner's to report; the last good definition stays.
                if let Ok(definition) = Definition::load(&project.dir) {
                    let Definition { hub, web, store, .. } = &definition;
                    // Who is let in changes at once.
                    let (users, tokens, oidc) = (Vec::new(), Vec::new(), None);
                    let web = Web { users, tokens, oidc, ..web.clone() };
                    let settings = (hub.clone(), web, store.clone());
                    if served.get_or_insert_with(|| settings.clone()) != &settings {
                        tracing::warn!(
                            "[hub], [store] or where [web] is served has changed: restart esker to go by it"
                        );
                    }
                    good = Some(definition);
                }
                if let Some(definition) = &good {
                    changed(definition, now.1);
                }
                seen = Some(now);
            }
        };
        let thread = std::thread::Builder::new().name("reload".to_owned()).spawn(look)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        self.stop.pull();
        if let Some(thread) = self.thread.take() {
            // It only panics if `changed` does, and then the message was printed.
            drop(thread.join());
        }
    }
}

/// What changes when the file does.
fn stamp(dir: &Path) -> Option<(SystemTime, u64)> {
    let data = std::fs::metadata(dir.join(FILE)).ok()?;
    Some((data.modified().ok()?, data.len()))
}
