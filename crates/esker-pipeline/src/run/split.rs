//! A stage whose input is cut into parts: its program runs for each by itself, several at once where there is room, and
//! only for parts that it has not run for before.

mod cut;
mod kept;

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::child::said::Said;
use crate::child::{Mail, Mailbox};
use crate::definition::Stage;
use crate::definition::split::Split;
use crate::key;
use crate::plan::Run;
use crate::retry;

use self::cut::Part;
use self::kept::Kept;
use super::failure::Broken;
use super::line::{Line, Tale};
use super::{Bench, Halt, Keep, Made, execute, gather, output};

/// How soon it is looked whether there is room for more, and whether the run is to end.
const HEED: Duration = Duration::from_millis(100);
/// How long what was made is kept in memory alone.
const UNKEPT_MAX: Duration = Duration::from_secs(30);
/// How much all parts may print together, in bytes: what one message to the store holds.
const MADE_MAX: usize = 64 << 20;
/// How many failed parts are told one by one.
const TOLD_MAX: usize = 20;

/// What a part came to.
type Came = Result<Bytes, Halt>;

/// Runs the stage for every part of its first input, and puts together what was made.
pub(super) fn make(
    at: (&Bench, &Line),
    run: &Run,
    (stage, split): (&Stage, &Split),
    keep: Keep,
) -> Result<Made, Halt> {
    // What may be another result the next time is none for the next run.
    let keep = if stage.ways.pure { keep } else { Keep::Nothing };
    let inputs = gather::contents(at, run)?;
    let (first, rest) = inputs.split_first().ok_or_else(nothing)?;
    let parts = cut::cut(&split.by, &first.1)?;
    let mut stdins = Vec::new();
    for part in &parts {
        let mut all = vec![(first.0, part.content.clone())];
        all.extend(rest.iter().cloned());
        stdins.push(gather::together(&all, stage.inputs.len())?);
    }
    let keys = parts.iter().zip(&stdins);
    let keys =
        keys.map(|(part, stdin)| key::of_part(stage, &run.print, (part.name.as_deref(), stdin)));
    let mut work = Work {
        at,
        run,
        stage,
        split,
        keys: keys.collect(),
        parts,
        came: Vec::new(),
        keep,
        made: 0,
        fresh: 0,
        kept_at: Instant::now(),
    };
    let known = match keep {
        Keep::Parts if !run.is_asked() => kept::read(at, &stage.name)?,
        _ => Kept::new(),
    };
    work.recall(&known);
    let all = work.all(stdins);
    work.keep()?;
    all?;
    work.finish()
}

fn nothing() -> Halt {
    Broken::new("there is nothing to split", "").into()
}

/// A run for parts, under way.
struct Work<'a> {
    at: (&'a Bench, &'a Line),
    run: &'a Run,
    stage: &'a Stage,
    split: &'a Split,
    parts: Vec<Part>,
    keys: Vec<String>,
    /// What each part came to, as far as it is known.
    came: Vec<Option<Came>>,
    keep: Keep,
    /// How much has been printed, in bytes.
    made: usize,
    /// How many results are in memory alone.
    fresh: usize,
    kept_at: Instant,
}

/// A part that nobody has begun: its place, its name if it has one, what its program reads.
type Waiting = (usize, Option<String>, Bytes);

/// What the threads of a run share.
struct Shared<'a> {
    bench: &'a Bench,
    run: &'a Run,
    stage: &'a Stage,
    /// The parts that nobody has begun, by their place.
    waiting: Mutex<VecDeque<Waiting>>,
    posts: Posts,
    tells: Sender<Tell>,
}

/// How to stop what is running; nothing once all was stopped.
struct Posts(Mutex<Option<Vec<Sender<Mail>>>>);

impl Posts {
    fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    fn all(&self) -> MutexGuard<'_, Option<Vec<Sender<Mail>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where one that begins is told to end: at once, if all others were.
    fn mailbox(&self) -> Mailbox {
        let (post, mail) = channel();
        match self.all().as_mut() {
            Some(posts) => posts.push(post.clone()),
            None => drop(post.send(Mail::Stop)),
        }
        Mailbox { post, mail }
    }

    fn stop(&self) {
        let posts = self.all().take();
        // What has ended does not hear it.
        posts.iter().flatten().for_each(|post| drop(post.send(Mail::Stop)));
    }
}

/// What a thread tells.
enum Tell {
    Came(usize, Came),
    Warns(usize, String),
    /// It takes no more parts.
    Over,
}

/// Tells that a thread takes no more parts, however it ends: who waits for it must not wait for ever.
struct Over<'a>(&'a Sender<Tell>);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        // Nobody waits any more for a run that is over.
        drop(self.0.send(Tell::Over));
    }
}

impl Shared<'_> {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Waiting> {
        self.waiting().pop_front()
    }

    /// Lets go what nobody has begun.
    fn give_up(&self) {
        self.waiting().clear();
    }

    fn stop(&self) {
        self.give_up();
        self.posts.stop();
    }

    /// Runs for one part after the other. A thread that has its slot besides the run's own gives it back when another
    /// run wants it.
    fn serve(&self, is_more: bool) {
        let _over = Over(&self.tells);
        while let Some((index, name, stdin)) = self.next() {
            let came = self.one(index, name, stdin);
            drop(self.tells.send(Tell::Came(index, came)));
            if is_more && self.bench.load.is_wanted() {
                break;
            }
        }
    }

    fn one(&self, index: usize, part: Option<String>, stdin: Bytes) -> Came {
        let mailbox = self.posts.mailbox();
        let tells = self.tells.clone();
        let tells = Box::new(move |tale| {
            // How far one part is says little of the whole.
            if let Tale::Said(Said::Warning(text)) = tale {
                drop(tells.send(Tell::Warns(index, text)));
            }
        });
        let mut line = Line::new(mailbox, tells);
        line.part = part;
        match execute(self.bench, self.run, &self.stage.program, (stdin.into(), &line)) {
            Err(Halt::Unchanged) => {
                let summary = "the program says that nothing has changed, which a part cannot";
                Err(Broken::new(summary, "have it print its result").into())
            }
            came => came,
        }
    }
}

impl Work<'_> {
    /// What is known already.
    fn recall(&mut self, known: &Kept) {
        self.came = self.keys.iter().map(|key| known.get(key).cloned().map(Ok)).collect();
    }

    /// Runs for all parts that are not known.
    fn all(&mut self, stdins: Vec<Bytes>) -> Result<(), Halt> {
        let open = stdins.into_iter().enumerate().filter(|(index, _)| self.came[*index].is_none());
        let open: VecDeque<_> =
            open.map(|(index, stdin)| (index, self.parts[index].name.clone(), stdin)).collect();
        if open.is_empty() {
            return Ok(());
        }
        let (tells, told) = channel();
        let shared = Arc::new(Shared {
            bench: self.at.0,
            run: self.run,
            stage: self.stage,
            waiting: Mutex::new(open),
            posts: Posts::new(),
            tells,
        });
        thread::scope(|scope| {
            let watched = self.watch(scope, (&shared, &told));
            if watched.is_err() {
                shared.stop();
            }
            watched
        })
    }

    /// Starts threads as there is room, and takes what they tell until all are over.
    fn watch<'s, 'e>(
        &mut self,
        scope: &'s Scope<'s, 'e>,
        (shared, told): (&Arc<Shared<'e>>, &Receiver<Tell>),
    ) -> Result<(), Halt> {
        let mut threads = 1;
        begin(scope, shared, false)?;
        while threads > 0 {
            // In a pool a run is one of its jobs, whatever it consists of.
            let may_more = self.stage.ways.pool.is_none() && !shared.waiting().is_empty();
            if may_more && shared.bench.load.begin_more() {
                threads += 1;
                if let Err(error) = begin(scope, shared, true) {
                    shared.bench.load.end();
                    return Err(error);
                }
                continue;
            }
            self.at.1.heed()?;
            match told.recv_timeout(HEED) {
                Ok(Tell::Over) => threads -= 1,
                Ok(Tell::Came(index, came)) => self.take((index, came), shared)?,
                Ok(Tell::Warns(index, text)) => {
                    let text = format!("{}: {text}", self.parts[index].title);
                    self.at.1.tell(Tale::Said(Said::Warning(text)));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    fn take(&mut self, (index, came): (usize, Came), shared: &Shared<'_>) -> Result<(), Halt> {
        match &came {
            Ok(made) => {
                self.fresh += 1;
                self.made += made.len();
                check_size(self.made)?;
            }
            // The whole run is decided anew.
            Err(Halt::Again(why)) => return Err(Halt::Again(why.clone())),
            Err(_) if !self.split.partial => shared.give_up(),
            Err(_) => {}
        }
        self.came[index] = Some(came);
        let done = self.came.iter().flatten().count();
        let text = format!("{done}/{} parts", self.parts.len());
        self.at.1.tell(Tale::Said(Said::Progress(text)));
        if self.kept_at.elapsed() > UNKEPT_MAX {
            self.keep()?;
        }
        Ok(())
    }

    /// Keeps what was made, for a run that comes after this one, however this one ends.
    fn keep(&mut self) -> Result<(), Halt> {
        if self.keep == Keep::Nothing || self.fresh == 0 {
            return Ok(());
        }
        let made = self.keys.iter().zip(&self.came);
        let made = made.filter_map(|(key, came)| match came {
            Some(Ok(made)) => Some((key, made)),
            _ => None,
        });
        let made: BTreeMap<&String, &Bytes> = made.collect();
        kept::write(self.at, &self.stage.name, &made.into_iter().collect::<Vec<_>>())?;
        (self.fresh, self.kept_at) = (0, Instant::now());
        Ok(())
    }

    /// Puts together what was made, or says why that cannot be.
    fn finish(self) -> Result<Made, Halt> {
        let count = self.parts.len();
        let mut made = Vec::new();
        let mut failed = Vec::new();
        for (part, came) in self.parts.iter().zip(&self.came) {
            match came {
                Some(Ok(bytes)) => made.push((part, bytes)),
                Some(Err(Halt::Broken(broken))) => failed.push((part, broken)),
                Some(Err(_)) | None => {}
            }
        }
        if failed.is_empty() && made.len() < count {
            return Err(Halt::Again("a part came to no end".to_owned()));
        }
        // What may pass is waited for, as long as it would be if it were all.
        let tries = self.run.failed.map_or(1, |(count, _)| count.saturating_add(1));
        let waits = retry::is_worth(tries, self.stage.program.retry);
        let passing = failed.iter().find(|(_, broken)| waits && broken.temporary);
        let fatal = if self.split.partial && !made.is_empty() { passing } else { failed.first() };
        if let Some((part, broken)) = fatal {
            let summary = format!(
                "{} of {count} parts failed; {}: {}",
                failed.len(),
                part.title,
                broken.summary
            );
            return Err(Broken { summary, ..(*broken).clone() }.into());
        }
        let bytes = cut::join(&self.split.by, &made)?;
        let mut whole = output::take(self.run, bytes, self.stage.allow_empty)?;
        whole.failed_parts = failed.iter().map(|(part, _)| part.title.clone()).collect();
        let name = &self.stage.name;
        let told = failed.iter().take(TOLD_MAX);
        whole.warnings = told
            .map(|(part, broken)| {
                format!("{name}: left out {}, which failed: {}", part.title, broken.summary)
            })
            .collect();
        if failed.len() > TOLD_MAX {
            whole.warnings.push(format!(
                "{name}: left out {} more parts, which failed",
                failed.len() - TOLD_MAX
            ));
        }
        Ok(whole)
    }
}

/// Refuses more than can be put together.
fn check_size(made: usize) -> Result<(), Broken> {
    if made <= MADE_MAX {
        return Ok(());
    }
    let summary = format!("the parts print more than {} MiB together", MADE_MAX >> 20);
    Err(Broken::new(summary, "have the program print less for each part"))
}

/// Starts a thread for parts; `is_more` says that it has a slot besides the run's own.
fn begin<'s, 'e>(
    scope: &'s Scope<'s, 'e>,
    shared: &Arc<Shared<'e>>,
    is_more: bool,
) -> Result<(), Halt> {
    let shared = Arc::clone(shared);
    let started = thread::Builder::new().name("part".to_owned()).spawn_scoped(scope, move || {
        shared.serve(is_more);
        if is_more {
            shared.bench.load.end();
        }
    });
    started.map(drop).map_err(Halt::from)
}

#[cfg(test)]
mod tests;
