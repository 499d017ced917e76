//! Notices that `esker.toml` was edited, for those who show or answer by its names.
//!
//! The runner reloads by itself, together with what it must do about it. The hub and the page only need the
//! newest good definition, soon.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use esker_pipeline::definition::{Definition, FILE};

use crate::stop::Stop;

/// How often to look at the file.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Looks at a project's definition for as long as it lives.
pub(crate) struct Reload {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Reload {
    /// Calls `changed` with every new good definition.
    pub(crate) fn start(
        dir: &Path,
        changed: impl Fn(Arc<Definition>) + Send + 'static,
    ) -> Result<Self> {
        let stop = Stop::default();
        let stopped = stop.clone();
        let dir = dir.to_path_buf();
        let mut seen = stamp(&dir);
        let look = move || {
            while !stopped.wait(LOOK_EVERY) {
                let now = stamp(&dir);
                if now == seen {
                    continue;
                }
                seen = now;
                // A bad edit is the runner's to report; the last good definition stays.
                if let Ok(definition) = Definition::load(&dir) {
                    changed(Arc::new(definition));
                }
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
    let data = std::fs::metadata(PathBuf::from(dir).join(FILE)).ok()?;
    Some((data.modified().ok()?, data.len()))
}
