//! The thread of one mirror: when to push, when to try again, and what to tell of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use esker_wire::remote::Remote;
use jiff::Timestamp;

use super::Tempo;
use super::git::Git;
use super::large::Sent;
use super::push::{self, Heads, Trouble};
use super::shared::{Mirror, Wakes};

/// How much of the processor git leaves to others: as `nice` has it.
const NICENESS: i32 = 10;
/// How often a mirror is asked although nothing is new: someone may have emptied it.
const ASK_EVERY: Duration = Duration::from_secs(3600);
/// What it is called in the log.
const NAME: &str = "a mirror";

/// One mirror's thread.
pub(super) struct Worker {
    git: Git,
    remote: Remote,
    mirror: Arc<Mirror>,
    tempo: Tempo,
    /// What is known to be there.
    there: Option<Heads>,
    /// When it was asked the last time.
    asked: Instant,
    large: Sent,
    /// Why the large contents are not all there.
    large_left: Option<Trouble>,
}

impl Worker {
    pub(super) fn new(git: Git, remote: Remote, mirror: Arc<Mirror>, tempo: Tempo) -> Self {
        let (there, large, large_left) = (None, Sent::default(), None);
        Self { git, remote, mirror, tempo, there, asked: Instant::now(), large, large_left }
    }

    pub(super) fn run(mut self) {
        // Of this thread and what it starts. Without it, PUTs have to share a little more.
        let _ = rustix::process::nice(NICENESS);
        let mut retries = retries(&self.tempo);
        let mut took = Duration::ZERO;
        loop {
            // Under steady load half of the time is left to others.
            let ends = self.mirror.wait(self.tempo.gather.max(took), Wakes::End);
            let begun = Instant::now();
            let brought = self.bring();
            took = begun.elapsed();
            let failed = brought.is_err();
            self.mirror.tell(brought.err(), NAME);
            if ends {
                return;
            }
            if failed {
                self.mirror.wait(retries.next().unwrap_or(self.tempo.retry_max), Wakes::End);
            } else {
                retries = self::retries(&self.tempo);
                self.mirror.wait(self.tempo.look_every, Wakes::News);
            }
        }
    }

    /// Brings there what is not there yet.
    fn bring(&mut self) -> Result<(), Trouble> {
        let here = push::heads(&self.git).map_err(Trouble::failed)?;
        let is_there = self.there.as_ref() == Some(&here) && self.large_left.is_none();
        if here.is_empty() || is_there && self.asked.elapsed() < ASK_EVERY {
            return Ok(());
        }
        self.asked = Instant::now();
        self.measure(&here);
        // Contents go before what names them.
        self.large_left = self.large.push(&self.git, &self.remote).err().map(Trouble::Failed);
        let told = push::push(&self.git, &self.remote, &here).map_err(Trouble::failed)?;
        match told.trouble {
            None => {
                self.there = Some(here);
                self.mirror.change(|report| report.behind = Some(0));
                self.large_left.clone().map_or(Ok(()), Err)
            }
            Some(trouble) => {
                if let (Some(there), false) = (&mut self.there, told.left.is_empty()) {
                    let brought = here.iter().filter(|(name, _)| !told.left.contains(name));
                    there.extend(brought.map(|(name, id)| (name.clone(), id.clone())));
                }
                self.measure(&here);
                Err(trouble)
            }
        }
    }

    /// Notes how far the mirror is behind.
    fn measure(&self, here: &Heads) {
        let there = self.there.as_ref();
        let behind = there.and_then(|there| push::count(&self.git, here, there).ok());
        self.mirror.change(|report| {
            report.behind = behind;
            report.since.get_or_insert_with(Timestamp::now);
        });
    }
}

/// The pauses between tries: longer each time, and not the same for all who wait for one host.
fn retries(tempo: &Tempo) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(tempo.retry_min)
        .with_max_delay(tempo.retry_max)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}
