//! What-ifs: brings every branch `whatif/ID` in line with what its `whatif/about` says.
//!
//! Like the engine it compares what is with what should be and remembers nothing that it could not find out again:
//! a what-if that was killed half-way goes on from its branch. The planner, the runs and the memory of earlier runs
//! are the engine's; the branch is another, sources and stages with effects are left out, and it has its own slots.

pub mod alone;

mod back;
mod case;
mod change;
mod desk;
mod flights;
mod found;
mod office;
mod shelf;
mod wish;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use esker_wire::revision::Revision;

use crate::definition::{Definition, Stage};
use crate::key::Print;
use crate::run::Bench;

use self::desk::{Desk, Mail};

/// A project that what-ifs can be run by: the one in force, or one of the past.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// Where its programs are.
    pub(crate) dir: PathBuf,
    pub(crate) definition: Arc<Definition>,
    pub(crate) prints: Arc<BTreeMap<String, Print>>,
    /// The commit that keeps it, if one does.
    pub(crate) revision: Option<Revision>,
    /// Held as long as its folder is needed, if that is one that goes when nobody needs it.
    pub(crate) _lease: Option<Arc<()>>,
}

impl Project {
    /// Whether another has the same stages with the same programs.
    fn runs_the_same(&self, other: &Self) -> bool {
        let is_same = |stage: &Stage| self.prints.get(&stage.name) == other.prints.get(&stage.name);
        let stages = &self.definition.stages;
        *stages == other.definition.stages && stages.iter().all(is_same)
    }
}

/// Works on what-ifs until it is dropped.
#[derive(Debug)]
pub(crate) struct WhatIfs {
    door: Door,
    thread: Option<JoinHandle<()>>,
}

impl WhatIfs {
    /// Begins; nothing is done before a project is in force.
    pub(crate) fn open(bench: &Bench) -> io::Result<Self> {
        let (post, mail) = channel();
        let door = Door { post, rung: Arc::default() };
        let desk = Desk::new(bench, door.clone());
        let thread =
            thread::Builder::new().name("what-ifs".to_owned()).spawn(move || desk.work(&mail))?;
        Ok(Self { door, thread: Some(thread) })
    }

    /// Where it is told what has happened.
    pub(crate) fn door(&self) -> Door {
        self.door.clone()
    }
}

impl Drop for WhatIfs {
    fn drop(&mut self) {
        self.door.tell(Mail::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the what-ifs panicked");
        }
    }
}

/// Where the what-ifs are told what has happened.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    post: Sender<Mail>,
    /// Whether somebody has rung since it was answered last: one ring is as good as many.
    rung: Arc<AtomicBool>,
}

impl Door {
    /// One says something else of itself, or is gone.
    pub(crate) fn ring_for(&self, id: &str, is_gone: bool) {
        self.tell(Mail::Said(id.to_owned(), is_gone));
    }

    /// Any of them may be another.
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.tell(Mail::Look);
        }
    }

    /// Another project is in force.
    pub(crate) fn adopt(&self, project: Project) {
        self.tell(Mail::Project(Box::new(project)));
    }

    /// Whoever answers says so before looking.
    fn answered(&self) {
        self.rung.store(false, Ordering::Release);
    }

    fn tell(&self, mail: Mail) {
        // Without the thread nothing is worked on, which the log has told.
        drop(self.post.send(mail));
    }
}
