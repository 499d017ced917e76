//! The branches in memory: read from disk when first asked for.

use std::path::Path;

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::project;
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::fork::Fork;
use crate::history::{Follow, History};
use crate::index::{self, Index};
use crate::layout;
use crate::lineage::Lineage;
use crate::objects::Objects;
use crate::outside;
use crate::refs;
use crate::store::Store;

/// How many branches beside `main` a PUT may make.
const BRANCHES_MAX: usize = 10_000;
/// The longest part of a branch's name between slashes, in bytes: with `.lock` it must be a file's name.
const PART_MAX: usize = 250;

/// One branch: its history in memory, and where its reference stands on disk.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) history: History,
    pub(crate) lineage: Lineage,
    /// Where it left `main`, if it did.
    pub(crate) fork: Option<Fork>,
    /// What it was until it was begun anew, as long as that is not durable.
    pub(crate) former: Option<Box<Line>>,
    /// Where it was on disk before it was begun anew, as long as that may not be in its place.
    pub(crate) left: Vec<Revision>,
    /// When it was used last, counted.
    pub(crate) used: u64,
    /// What of it is on disk; none while the store is open for reading only.
    pub(crate) index: Option<Index>,
    pub(crate) durable: Option<Revision>,
    /// Why nothing can be put on it just now, if someone has moved it elsewhere.
    pub(crate) moved: Option<String>,
    /// Where it was found when that was judged.
    pub(crate) judged: Option<Option<Revision>>,
}

impl Store {
    /// A branch; an empty one, of which nothing is kept, if there is none.
    fn line(&mut self, branch: &Branch) -> Result<&Line, Error> {
        self.load(branch)?;
        Ok(self.lines.get(branch).unwrap_or(&self.nothing))
    }

    /// A branch that is about to get a commit.
    pub(crate) fn line_mut(&mut self, branch: &Branch) -> Result<&mut Line, Error> {
        self.load(branch)?;
        Ok(self.lines.entry(branch.clone()).or_default())
    }

    /// A branch's history; empty if there is no such branch.
    pub(crate) fn history(&mut self, branch: &Branch) -> Result<&History, Error> {
        self.line(branch).map(|line| &line.history)
    }

    /// What a commit made on a branch now is made under: on `main`, the head of the branch `project`, if there is one.
    pub(crate) fn project_of(&mut self, branch: &Branch) -> Result<Option<Revision>, Error> {
        let project = project::branch();
        if !branch.is_main() || self.is_without_project && !self.lines.contains_key(&project) {
            return Ok(None);
        }
        let head = self.history(&project)?.head().map(|step| step.revision);
        self.is_without_project = head.is_none();
        Ok(head)
    }

    /// What a commit is the first to be made under after its parent: it becomes its second parent.
    pub(crate) fn brought(
        &mut self,
        parent: Option<Revision>,
        project: Option<Revision>,
    ) -> Result<Option<Revision>, Error> {
        let (Some(parent), Some(_)) = (parent, project) else {
            return Ok(None);
        };
        let before = self.told(parent)?.trailers.project;
        Ok(project.filter(|_| before != project))
    }

    fn load(&mut self, branch: &Branch) -> Result<(), Error> {
        self.uses += 1;
        if let Some(line) = self.lines.get_mut(branch) {
            line.used = self.uses;
            return Ok(());
        }
        if let Some(head) = self.reference(&refs::of_branch(branch))? {
            let line = Line { used: self.uses, ..self.read_line(branch, head)? };
            self.lines.insert(branch.clone(), line);
        }
        Ok(())
    }

    /// Reads a branch from its index, and from the commits since.
    fn read_line(&mut self, branch: &Branch, head: Revision) -> Result<Line, Error> {
        let (history, mut index) = Index::load(&self.dir, branch)?;
        let forked = if history.last().is_none() { self.read_fork(branch, head)? } else { None };
        if let Some(line) = forked {
            return Ok(Line { durable: Some(head), ..line });
        }
        let mut line = Line { history, ..Line::default() };
        let until = self.options.until.filter(|_| branch.is_main());
        if let Some(until) = until.filter(|until| line.history.position(*until).is_some()) {
            line.history.roll_back(Some(until));
            line.durable = Some(until);
            line.index = self.durable.is_some().then_some(index);
            return Ok(line);
        }
        let last = line.history.head().map(|step| step.revision);
        if let Follow::Elsewhere = line.history.follow(&mut self.objects, head)? {
            let is_kept = match last {
                Some(last) => matches!(self.objects.find(last), Ok(Some(_))),
                None => false,
            };
            if self.durable.is_none() && line.history.position(head).is_some() {
                // Another process writes: what it has acknowledged is not yet where git looks for it.
                line.history.roll_back(Some(head));
            } else if let Some(line) = self.read_fork(branch, head)? {
                // It was an orphan before it was begun anew.
                if self.durable.is_some() {
                    index::remove(&self.dir, branch)?;
                }
                return Ok(Line { durable: Some(head), ..line });
            } else if self.durable.is_some() && is_kept {
                // Rewritten while no esker ran: `look_outside` refuses to follow, as if one had run.
            } else {
                tracing::info!(%branch, "the index is of another history: made anew");
                index.reset();
                line.history = History::default();
                line.history.follow(&mut self.objects, head)?;
            }
        }
        if until.is_some() {
            line.history.roll_back(until);
        }
        line.durable = line.history.head().map(|step| step.revision);
        line.index = self.durable.is_some().then_some(index);
        Ok(line)
    }

    /// Writes the indexes where much is new.
    pub(crate) fn save_indexes(&mut self, new_min: u32) {
        for (branch, line) in self.lines.iter_mut().filter(|(_, line)| line.fork.is_none()) {
            let durable = line.durable.and_then(|durable| line.history.position(durable));
            let Some(last) = durable else {
                continue;
            };
            let dir = &self.dir;
            let index = line.index.get_or_insert_with(|| Index::new(dir, branch));
            if last + 1 >= index.steps() + new_min
                && let Err(error) = index.save(&line.history, last)
            {
                tracing::warn!(%branch, %error, "cannot write the index: the next start takes longer");
            }
        }
    }

    /// Believes what git says of a branch from the next start on, also where it is not what esker has put. What it
    /// has put stays as the branch `kept/BRANCH`.
    ///
    /// # Errors
    /// If a process holds the store, or it cannot be written.
    pub fn accept(dir: &Path, branch: &Branch) -> Result<(), Error> {
        layout::recognise(dir)?;
        layout::complete(dir)?;
        let _held = layout::hold(dir)?;
        let (history, _) = Index::load(dir, branch)?;
        if let Some(last) = history.head()
            && Objects::open(dir)?.read(last.revision)?.is_some()
        {
            outside::keep(dir, branch, last.revision)?;
        }
        index::remove(dir, branch)
    }

    /// Every branch there is on disk.
    pub(crate) fn branches(&self) -> Result<Vec<Branch>, Error> {
        let names = self.references(refs::BRANCHES)?;
        let mut branches = vec![Branch::main()];
        branches.extend(names.iter().filter_map(|name| name.parse().ok()));
        Ok(branches)
    }

    /// Refuses a branch on which nothing can be put just now: someone has moved it elsewhere, or it would be new
    /// and cannot be made.
    pub(crate) fn check_branch(&mut self, branch: &Branch) -> Result<(), Fault> {
        self.check_excavation(branch)?;
        let line = self.line(branch)?;
        if let Some(why) = &line.moved {
            return Err(Fault::new(Code::NotWritable, why.clone()).hint(format!(
                "put the reference back with `git update-ref`, or stop esker and accept it with \
                 `esker repair --accept {branch}`"
            )));
        }
        let first = branch.as_str().split('/').next().unwrap_or_default();
        if matches!(first, "kept" | "foreign") {
            let message =
                format!("nothing is put on the branch {branch}: it holds what esker keeps");
            return Err(Fault::bad_request(message).hint("read it, and put on another branch"));
        }
        if line.history.last().is_some() || branch.is_main() {
            return Ok(());
        }
        if branch.as_str().split('/').any(|part| part.len() > PART_MAX) {
            let message = format!("a part of the branch {branch} is longer than {PART_MAX} bytes");
            return Err(Fault::bad_request(message));
        }
        let mut names = self.references(refs::BRANCHES)?;
        names.extend(self.lines.keys().map(ToString::to_string));
        if let Some(known) = refs::clash(branch.as_str(), names.iter()) {
            let message = format!("the branch {branch} cannot be beside the branch {known}");
            return Err(Fault::bad_request(message).hint("choose another name"));
        }
        if names.len() >= BRANCHES_MAX {
            let message = format!(
                "the branch {branch} would be one too many: there are {}, {BRANCHES_MAX} are allowed",
                names.len()
            );
            return Err(Fault::new(Code::TooLarge, message)
                .hint("use a branch there is, or remove some with `git update-ref -d`"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
