//! What a store does in its life, in short: made, put into by many and one by one, tagged, closed, opened again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::service::Service as _;
use esker_wire::fault::Fault;
use esker_wire::message::{Message, Request, answer};
use esker_wire::name::Branch;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Get, Put, Resolve, Tag};
use tempfile::TempDir;

use crate::error::Error;
use crate::files::watched::{Deed, Watch};
use crate::names::NamesHandle;
use crate::refs;
use crate::service::Snapshots;
use crate::store::{Options, Store};
use crate::upkeep;

/// How long the journal of the script is before it turns, in bytes.
const GROWN: u64 = 2_000;

/// Something that was asked for.
pub(crate) struct Asked {
    branch: Branch,
    name: String,
    content: Vec<u8>,
    is_tag: bool,
    /// Where its branch is begun anew.
    base: Option<Revision>,
    pub(crate) answer: Option<Result<Revision, Fault>>,
}

/// A store that the script runs on.
pub(crate) struct Run {
    folder: TempDir,
    pub(crate) watch: Watch,
    pub(crate) asked: Vec<Asked>,
    snapshots: Option<Snapshots>,
    /// Why it could not be opened.
    pub(crate) unopened: Option<Error>,
}

impl Run {
    pub(crate) fn new() -> Self {
        let folder = super::folder();
        let watch = Watch::begin(folder.path());
        Self { folder, watch, asked: Vec::new(), snapshots: None, unopened: None }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("store.git")
    }

    /// All of it.
    pub(crate) fn play(&mut self) {
        self.open();
        self.put(&Branch::main(), 1);
        self.settle();
        self.put(&Branch::main(), 3);
        self.put(&Branch::records(), 2);
        self.settle();
        self.tag();
        self.put(&"side/x".parse().unwrap(), 1);
        self.settle();
        self.begin();
        self.put(&what_if(), 1);
        self.settle();
        self.begin();
        self.begin();
        self.put_large();
        self.put(&what_if(), 1);
        self.put(&Branch::main(), 1);
        self.settle();
        for _ in 0..3 {
            self.put(&Branch::main(), 2);
            self.settle();
        }
        // What cannot be merged stays as it is.
        drop(upkeep::run_from(&self.dir(), 3, &Arc::default()));
        self.put(&Branch::main(), 1);
        self.close();
        self.open();
        self.put(&Branch::main(), 1);
        self.put(&Branch::main(), 1);
        self.close();
    }

    pub(crate) fn open(&mut self) {
        match open(&self.dir()) {
            Ok(snapshots) => self.snapshots = Some(snapshots),
            Err(error) => {
                let again = self.unopened.is_none();
                self.unopened = Some(error);
                // As a service manager does.
                if again {
                    self.open();
                }
            }
        }
    }

    pub(crate) fn close(&mut self) {
        self.snapshots = None;
    }

    pub(crate) fn settle(&mut self) {
        // It is told by the next PUT if it cannot be done.
        drop(self.snapshots.as_mut().map(Snapshots::settle));
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.snapshots.is_none()
    }

    /// Puts when the disk is well again, as soon as it is taken.
    pub(crate) fn put_until_told(&mut self) -> Result<(), String> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            self.snapshots.as_mut().map(Snapshots::tick);
            self.put(&Branch::main(), 1);
            match self.asked.last().and_then(|asked| asked.answer.clone()) {
                Some(Ok(_)) => return Ok(()),
                answer if Instant::now() > end => return Err(format!("it stays so: {answer:?}")),
                _ => std::thread::yield_now(),
            }
        }
    }

    /// PUTs that share a flush.
    pub(crate) fn put(&mut self, branch: &Branch, count: usize) {
        let first = self.asked.len();
        for number in first..first + count {
            let content = format!("content {number}\n{}", "line\n".repeat(number * 7)).into_bytes();
            self.ask(branch.clone(), format!("raw/r{}", number % 3), content);
        }
        self.send(first);
    }

    /// A content that does not compress, longer than a journal grows by at once.
    fn put_large(&mut self) {
        let first = self.asked.len();
        let mut dice = super::Dice(7);
        let content = (0..300_000).map(|_| dice.below(256) as u8).collect();
        self.ask(Branch::main(), "raw/large".to_owned(), content);
        self.send(first);
    }

    fn tag(&mut self) {
        let number = self.asked.len();
        let (branch, name) = (Branch::main(), format!("t{number}"));
        let content = Vec::new();
        self.asked.push(Asked { branch, name, content, is_tag: true, base: None, answer: None });
        self.send(number);
    }

    fn ask(&mut self, branch: Branch, name: String, content: Vec<u8>) {
        self.asked.push(Asked { branch, name, content, is_tag: false, base: None, answer: None });
    }

    /// Begins the what-if, or begins it anew, at a commit of main.
    fn begin(&mut self) {
        let told = |asked: &Asked| asked.answer.clone().and_then(Result::ok);
        let is_put = |asked: &&Asked| asked.branch.is_main() && !asked.is_tag;
        let Some(base) = self.asked.iter().filter(is_put).filter_map(told).next_back() else {
            return;
        };
        let first = self.asked.len();
        let content = format!("begun {first}").into_bytes();
        self.ask(what_if(), "raw/r0".to_owned(), content);
        self.asked[first].base = Some(base);
        self.send(first);
    }

    fn send(&mut self, first: usize) {
        let Some(snapshots) = &mut self.snapshots else {
            return;
        };
        let requests: Vec<_> = self.asked[first..].iter().map(Asked::frames).collect();
        (first..self.asked.len()).for_each(|number| self.watch.note(Deed::Begun(number)));
        let outcomes = snapshots.handle(&requests);
        for ((number, asked), outcome) in (first..).zip(&mut self.asked[first..]).zip(outcomes) {
            let message = Message::from_frames(&outcome.reply).unwrap();
            let answer = if asked.is_tag {
                answer::<Tag>(&message)
            } else {
                answer::<Put>(&message).map(|stored| stored.revision)
            };
            let is_told = answer.is_ok();
            asked.answer = Some(answer);
            self.watch.note(if is_told { Deed::Told(number) } else { Deed::Refused(number) });
        }
    }

    /// What was told, begun and refused before a deed.
    pub(crate) fn said(&self, deeds: &[Deed]) -> Said {
        let mut said = Said::default();
        for deed in deeds {
            match deed {
                Deed::Begun(number) => said.begun.push(*number),
                Deed::Told(number) => said.told.push(*number),
                Deed::Refused(number) => said.refused.push(*number),
                _ => {}
            }
        }
        said.begun.retain(|number| !said.told.contains(number) && !said.refused.contains(number));
        said
    }

    /// Whether a store holds all that was told, and nothing that was refused; what is wrong.
    pub(crate) fn look(&self, dir: &Path, said: &Said) -> Result<(), String> {
        let mut snapshots = open(dir).map_err(|error| error.to_string())?;
        let left = left_behind(dir);
        if !left.is_empty() {
            return Err(format!("left behind: {left:?}"));
        }
        self.look_in(&mut snapshots, said)?;
        let last = Put::one("raw/last".parse().unwrap(), Bytes::from_static(b"it goes on"));
        call(&mut snapshots, &last).map_err(|fault| format!("it does not go on: {fault}"))?;
        Ok(())
    }

    /// The same of the store that is open.
    pub(crate) fn look_here(&mut self, said: &Said) -> Result<(), String> {
        let Some(mut snapshots) = self.snapshots.take() else {
            return Ok(());
        };
        let looked = self.look_in(&mut snapshots, said);
        self.snapshots = Some(snapshots);
        looked
    }

    fn look_in(&self, snapshots: &mut Snapshots, said: &Said) -> Result<(), String> {
        let is_left = |number: usize| {
            let later =
                said.told.iter().chain(&said.begun).map(|later| (later, &self.asked[*later]));
            let mut later = later.filter(|(later, _)| **later > number);
            later
                .any(|(_, asked)| asked.branch == self.asked[number].branch && asked.base.is_some())
        };
        for number in said.told.iter().filter(|number| !is_left(**number)) {
            self.asked[*number].look(snapshots).map_err(|error| format!("{number}: {error}"))?;
        }
        for branch in [Branch::main(), Branch::records(), "side/x".parse().unwrap(), what_if()] {
            self.look_at_head(snapshots, &branch, said)?;
        }
        Ok(())
    }

    /// The head is the last that was told, or one that was under way.
    fn look_at_head(
        &self,
        snapshots: &mut Snapshots,
        branch: &Branch,
        said: &Said,
    ) -> Result<(), String> {
        let is_here = |number: &&usize| {
            self.asked[**number].branch == *branch && !self.asked[**number].is_tag
        };
        let revision = |number: &usize| self.asked[*number].answer.clone()?.ok();
        let told = said.told.iter().rfind(is_here).and_then(revision);
        let under_way = said.begun.iter().filter(is_here).filter_map(revision);
        let allowed: Vec<Revision> = told.into_iter().chain(under_way).collect();
        let name = refs::of_branch(branch);
        let found = snapshots.store.reference(&name).map_err(|error| error.to_string())?;
        let is_first = told.is_none() && (found.is_none() || branch.is_main());
        if is_first || found.is_some_and(|found| allowed.contains(&found)) {
            return Ok(());
        }
        for asked in self.asked.iter().filter(|asked| asked.branch == *branch && asked.is_unsure())
        {
            let head = Get::head(asked.name.parse().unwrap());
            let found = call(snapshots, &Get { branch: branch.clone(), ..head });
            if found.is_ok_and(|found| found.bytes.as_deref() == Some(&asked.content[..])) {
                return Ok(());
            }
        }
        Err(format!("{name} is at {found:?}, not at one of {allowed:?}"))
    }
}

/// What was told before a moment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Said {
    pub(crate) told: Vec<usize>,
    /// Asked for, and neither told nor refused yet.
    pub(crate) begun: Vec<usize>,
    pub(crate) refused: Vec<usize>,
}

impl Asked {
    /// Whether it was said that nobody knows.
    fn is_unsure(&self) -> bool {
        let refused = self.answer.as_ref().and_then(|answer| answer.as_ref().err());
        refused.is_some_and(|fault| fault.message.contains("it may be stored after a restart"))
    }

    fn frames(&self) -> Vec<Bytes> {
        let at = "HEAD".parse().unwrap();
        if self.is_tag {
            let tag = Tag { name: self.name.clone(), at, message: None };
            return tag.to_message().to_frames();
        }
        let put = Put::one(self.name.parse().unwrap(), Bytes::from(self.content.clone()));
        Put { branch: self.branch.clone(), base: self.base, ..put }.to_message().to_frames()
    }

    fn look(&self, snapshots: &mut Snapshots) -> Result<(), String> {
        let told = self.answer.clone().and_then(Result::ok).expect("it was told");
        if self.is_tag {
            let at = self.name.parse().unwrap();
            let found = call(snapshots, &Resolve { at, branch: Branch::main(), zone: None });
            let found = found.map_err(|fault| format!("the tag {}: {fault}", self.name))?;
            return if found.revision == told { Ok(()) } else { Err(format!("{found:?}")) };
        }
        let at = told.to_string().parse().unwrap();
        let head = Get::head(self.name.parse().unwrap());
        let found = call(snapshots, &Get { at, branch: self.branch.clone(), ..head });
        let found = found.map_err(|fault| format!("{} at {told}: {fault}", self.name))?;
        let is_same = found.bytes.as_deref() == Some(&self.content[..]);
        if is_same { Ok(()) } else { Err(format!("{} at {told} is another", self.name)) }
    }
}

/// The branch that is begun anew.
fn what_if() -> Branch {
    "whatif/x".parse().unwrap()
}

fn open(dir: &Path) -> Result<Snapshots, Error> {
    let mut store = Store::open(dir, Options::default())?;
    store.durable.as_mut().expect("it is open for writing").grown = GROWN;
    Ok(Snapshots::new(store, NamesHandle::default()))
}

/// What is swept when a store is opened.
fn left_behind(dir: &Path) -> Vec<PathBuf> {
    let mut left = Vec::new();
    let mut folders = vec![dir.join("esker/tmp"), dir.join("refs"), dir.join("objects/pack")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_litter = path.extension().is_some_and(|end| end == "lock" || end == "keep");
            if path.is_dir() {
                folders.push(path);
            } else if is_litter || folder.ends_with("tmp") {
                left.push(path);
            }
        }
    }
    left
}

pub(crate) fn call<R: Request>(snapshots: &mut Snapshots, request: &R) -> Result<R::Reply, Fault> {
    let outcomes = snapshots.handle(&[request.to_message().to_frames()]);
    let message = Message::from_frames(&outcomes[0].reply).unwrap();
    answer::<R>(&message)
}
