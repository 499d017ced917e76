//! `esker repair`: what is damaged is made whole from what is left of it, from the journal, and from clones.
//!
//! Nothing is thrown away: damaged files go to `esker/aside`. What was written is looked at once more, and what cannot
//! be made whole is told.

mod contents;
pub(crate) mod salvage;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use esker_wire::blobs::Blobs;
use esker_wire::revision::Revision;

use crate::check::Finding;
use crate::deep::{self, Look, PACKED, named_by};
use crate::error::Error;
use crate::files;
use crate::index::{self, Index};
use crate::journal::{self, Batch};
use crate::layout;
use crate::locks::{self, Move, Moved};
use crate::objects::{Kind, Object, Objects};
use crate::pack::PackWriter;
use crate::refs;
use crate::store::Store;

/// Where damaged files go.
const ASIDE: &str = "esker/aside";
/// The temporary name of the pack.
const SCRATCH: &str = "repair.pack";

/// What a repair does, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What was found wrong.
    pub found: Vec<Finding>,
    /// What is done about it, one line each.
    pub steps: Vec<String>,
    /// What stays wrong.
    pub left: Vec<Finding>,
}

impl Store {
    /// Looks at everything in a store, whether or not another process holds it: every object is read, everything
    /// that is named is looked for, and what is derived is compared. Large contents may be in a bucket instead, if
    /// there is one. `told` hears how it goes on.
    pub fn check_deep(
        dir: &Path,
        blobs: Option<&Blobs>,
        told: &mut dyn FnMut(&str),
    ) -> Vec<Finding> {
        let looked = layout::recognise(dir).and_then(|()| deep::look(dir, blobs, told));
        match looked {
            Ok(look) => look.findings,
            Err(error) => {
                let hint = "name the folder of a store, or restore it from a clone".to_owned();
                vec![Finding { message: error.to_string(), hint }]
            }
        }
    }
}

/// What a repair works with.
struct Work<'a> {
    dir: &'a Path,
    /// The store, then where else objects may be.
    sources: Vec<Objects>,
    /// What other sources say of references.
    heads: Vec<BTreeMap<String, Revision>>,
    /// What is left of damaged packs, and what the journal holds.
    saved: HashMap<Revision, Object>,
    batches: Vec<Batch>,
}

/// Repairs the store in `dir` with what is left of it and what the repositories `from` have; with `is_dry` nothing
/// is changed but told what would be.
///
/// # Errors
/// If another process holds the store, or it cannot be read or written.
pub fn repair(
    dir: &Path,
    blobs: Option<&Blobs>,
    from: &[PathBuf],
    is_dry: bool,
    told: &mut dyn FnMut(&str),
) -> Result<Repair, Error> {
    layout::recognise(dir)?;
    let _held = layout::hold(dir)?;
    let mut look = deep::look(dir, blobs, told)?;
    look.compare_with(from)?;
    let mut repair = Repair { found: look.findings.clone(), steps: Vec::new(), left: Vec::new() };
    if repair.found.is_empty() {
        return Ok(repair);
    }
    told("looking for what is missing");
    let work = Work::open(dir, from, &look)?;
    let (objects, lost) = work.wanted(&look);
    let heads = work.heads_of(&look, &objects)?;
    repair.tell(&look, &objects, &heads);
    if is_dry {
        let lost = lost.into_iter().filter(|(_, what)| !heads.contains_key(what));
        repair.left = lost.map(|(id, what)| is_lost(id, &what)).collect();
        let contents = contents::mend((dir, from), &look.lost, is_dry, told);
        repair.steps.extend(contents.steps);
        repair.left.extend(contents.left);
        return Ok(repair);
    }
    files::make_folder(&files::temporary(dir))?;
    write(dir, &objects)?;
    set_aside(dir, &look)?;
    place(dir, &heads)?;
    for branch in look
        .indexes
        .iter()
        .chain(heads.keys().filter_map(refs::branch_of).collect::<Vec<_>>().iter())
    {
        index::remove(dir, branch)?;
    }
    files::sync_all(dir)?;
    let look = deep::look(dir, blobs, told)?;
    let contents = contents::mend((dir, from), &look.lost, is_dry, told);
    repair.steps.extend(contents.steps);
    repair.left = look.findings;
    repair.left.retain(|finding| look.lost.iter().all(|lost| lost.finding != *finding));
    repair.left.extend(contents.left);
    Ok(repair)
}

impl Repair {
    fn tell(&mut self, look: &Look, objects: &[Object], heads: &BTreeMap<String, Revision>) {
        if !objects.is_empty() {
            self.steps.push(format!("write {} objects into a new pack", objects.len()));
        }
        let packs = look.packs.iter().map(|stem| stem.with_extension("pack"));
        for path in packs.chain(look.files.iter().cloned()) {
            self.steps.push(format!("move {} to {ASIDE}", path.display()));
        }
        if look.is_journal_broken {
            self.steps.push(format!("move the journal to {ASIDE}; what it tells is kept"));
        }
        for (name, to) in heads {
            self.steps.push(format!("put {name} on {to}"));
        }
        for branch in &look.indexes {
            self.steps.push(format!("remove the index of {branch}: the next start makes it again"));
        }
        if look.broken.contains(PACKED) {
            self.steps.push(format!("write {PACKED} anew with what can be read of it"));
        }
        if look.broken.contains("config") {
            self.steps.push("write config as a new store has it".to_owned());
        }
        if look.broken.contains("HEAD") {
            self.steps.push("have HEAD name refs/heads/main".to_owned());
        }
    }
}

impl Work<'_> {
    fn open<'a>(dir: &'a Path, from: &[PathBuf], look: &Look) -> Result<Work<'a>, Error> {
        let mut work = Work {
            dir,
            sources: vec![Objects::open(dir)?],
            heads: Vec::new(),
            saved: HashMap::new(),
            batches: journal::salvage(dir)?,
        };
        for path in from {
            work.sources.push(Objects::open(&deep::git_dir_of(path)?)?);
            work.heads.push(deep::heads_of(path)?);
        }
        for batch in &work.batches {
            for object in &batch.objects {
                if crate::objects::id_of(object.kind, &object.bytes)? == object.id {
                    work.saved.insert(object.id, object.clone());
                }
            }
        }
        for stem in &look.packs {
            for object in salvage::salvage(stem, &work.sources[0])? {
                work.saved.insert(object.id, object);
            }
        }
        Ok(work)
    }

    /// An object from wherever it is whole.
    fn find(&self, id: Revision) -> Option<Object> {
        let saved = self.saved.get(&id).cloned();
        saved.or_else(|| self.sources.iter().find_map(|source| source.read(id).ok().flatten()))
    }

    /// What must be written: what is left of what is set aside, and what is missing, with all that it names. And
    /// what nobody has.
    fn wanted(&self, look: &Look) -> (Vec<Object>, BTreeMap<Revision, String>) {
        let mut wanted: BTreeMap<Revision, Object> = BTreeMap::new();
        // What lies in files that are set aside must be written anew even if it can be read now.
        if !look.packs.is_empty() || !look.files.is_empty() || look.is_journal_broken {
            for (id, object) in &self.saved {
                wanted.insert(*id, object.clone());
            }
        }
        let mut lost = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut next: Vec<(Revision, String)> =
            look.missing.iter().map(|(id, what)| (*id, what.clone())).collect();
        next.extend(self.candidates().map(|(name, to)| (to, name)));
        let elsewhere = self.heads.iter().flatten().filter(|(name, _)| look.broken.contains(*name));
        next.extend(elsewhere.map(|(name, to)| (*to, name.clone())));
        while let Some((id, what)) = next.pop() {
            let is_good = look.good.contains(&id);
            if !seen.insert(id) || is_good && look.reached.contains(&id) {
                continue;
            }
            let Some(object) = self.find(id) else {
                lost.insert(id, what);
                continue;
            };
            let named = named_by((id, object.kind, &object.bytes), &what);
            next.extend(named.into_iter().map(|(id, _, what)| (id, what)));
            if !is_good {
                wanted.insert(id, object);
            }
        }
        (in_order(wanted), lost)
    }

    /// What the journal moves references to.
    fn candidates(&self) -> impl Iterator<Item = (String, Revision)> + '_ {
        let steps = self.batches.iter().flat_map(|batch| &batch.moves);
        steps.map(|step| (step.name.clone(), step.to))
    }

    /// Where references must be put that are damaged, or that a damaged journal has moved on: the last head that is
    /// known and whole.
    fn heads_of(
        &self,
        look: &Look,
        objects: &[Object],
    ) -> Result<BTreeMap<String, Revision>, Error> {
        let written: HashMap<Revision, &Object> =
            objects.iter().map(|object| (object.id, object)).collect();
        let mut names: BTreeSet<String> =
            look.broken.iter().filter(|name| name.starts_with("refs/")).cloned().collect();
        if look.is_journal_broken {
            names.extend(self.candidates().map(|(name, _)| name));
        }
        let is_lost = |to: &Revision| look.missing.contains_key(to) && !written.contains_key(to);
        let lost = look.references.iter().filter(|(_, to)| is_lost(to));
        names.extend(lost.map(|(name, _)| name.clone()));
        let mut heads = BTreeMap::new();
        for name in names {
            let now = look.references.get(&name).copied().filter(|to| !is_lost(to));
            let best = self.known_heads(&name, look)?;
            let mut longest: Option<(usize, Revision)> = None;
            for to in best {
                if let Some(length) = self.length(to, now, &written)
                    && longest.is_none_or(|(longest, _)| length >= longest)
                {
                    longest = Some((length, to));
                }
            }
            if let Some((_, to)) = longest.filter(|(_, to)| Some(*to) != now) {
                heads.insert(name, to);
            }
        }
        Ok(heads)
    }

    /// What a reference may have named: as others, `kept/`, the index and the journal tell it.
    fn known_heads(&self, name: &str, look: &Look) -> Result<Vec<Revision>, Error> {
        let mut known: Vec<Revision> =
            self.heads.iter().filter_map(|heads| heads.get(name).copied()).collect();
        if let Some(branch) = refs::branch_of(&name.to_owned()) {
            let kept = format!("{}kept/{branch}", refs::BRANCHES);
            known.extend(look.references.get(&kept));
            let (history, _) = Index::load(self.dir, &branch)?;
            known.extend(history.head().map(|step| step.revision));
        }
        known.extend(self.candidates().filter(|(of, _)| of == name).map(|(_, to)| to));
        Ok(known)
    }

    /// How many commits there are from a head to the first, or none if one is not whole or `through` is not among
    /// them.
    fn length(
        &self,
        head: Revision,
        through: Option<Revision>,
        written: &HashMap<Revision, &Object>,
    ) -> Option<usize> {
        let mut next = Some(head);
        let (mut count, mut is_through) = (0, through.is_none());
        let mut seen = HashSet::new();
        while let Some(id) = next.filter(|id| seen.insert(*id)) {
            is_through |= Some(id) == through;
            let object = match written.get(&id) {
                Some(object) => (*object).clone(),
                None => self.sources[0].read(id).ok().flatten()?,
            };
            if object.kind != Kind::Commit {
                return is_through.then_some(count);
            }
            next = crate::commit::Commit::from_bytes(&object.bytes).ok()?.parent;
            count += 1;
        }
        is_through.then_some(count)
    }
}

fn is_lost(id: Revision, what: &str) -> Finding {
    Finding {
        message: format!("object {id} is nowhere to be found; it is {what}"),
        hint: "name a clone or mirror that has it: `esker repair --from URL`".to_owned(),
    }
}

/// Contents before trees before commits, as a pack is written.
fn in_order(objects: BTreeMap<Revision, Object>) -> Vec<Object> {
    let mut objects: Vec<Object> = objects.into_values().collect();
    objects.sort_by_key(|object| match object.kind {
        Kind::Blob => 0,
        Kind::Tree => 1,
        Kind::Commit => 2,
        Kind::Tag => 3,
    });
    objects
}

/// Writes what was found as a pack of its own.
fn write(dir: &Path, objects: &[Object]) -> Result<(), Error> {
    if objects.is_empty() {
        return Ok(());
    }
    let by_id: HashMap<Revision, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let mut pack = PackWriter::create(dir, SCRATCH, by_id.len())?;
    for object in objects {
        if !pack.holds(object.id) {
            pack.add(object, object.base.and_then(|base| by_id.get(&base).copied()))?;
        }
    }
    pack.finish()?.release()
}

/// Moves what is damaged out of git's way.
fn set_aside(dir: &Path, look: &Look) -> Result<(), Error> {
    let mut paths: Vec<PathBuf> = look.files.iter().cloned().collect();
    for stem in &look.packs {
        // Without its index git does not look for a pack.
        let endings = ["idx", "rev", "bitmap", "mtimes", "keep", "promisor", "pack"];
        paths.extend(endings.iter().map(|ending| stem.with_extension(ending)));
    }
    if look.is_journal_broken {
        paths.extend(journal::files(dir));
    }
    let broken = look.broken.iter().filter(|name| name.starts_with("refs/"));
    paths.extend(broken.map(|name| dir.join(name)));
    for path in paths.iter().filter(|path| path.is_file()) {
        move_aside(dir, path)?;
    }
    if look.broken.contains("config") {
        let path = dir.join("config");
        if path.exists() {
            move_aside(dir, &path)?;
        }
        files::write_file(dir, &path, layout::CONFIG.as_bytes())?;
    }
    if look.broken.contains("HEAD") {
        files::write_file(dir, &dir.join("HEAD"), b"ref: refs/heads/main\n")?;
    }
    mend_packed(dir, look)
}

fn move_aside(dir: &Path, path: &Path) -> Result<(), Error> {
    let inside = path.strip_prefix(dir).unwrap_or(path);
    let name = inside.to_string_lossy().replace('/', ".");
    let folder = dir.join(ASIDE);
    files::make_folder(&folder)?;
    let free = (0..).map(|number| folder.join(format!("{number}.{name}"))).find(|to| !to.exists());
    let to = free.expect("numbers do not end");
    files::rename(path, &to)?;
    files::sync_parent(path)?;
    files::sync_folder(&folder)
}

/// Writes `packed-refs` anew with what can be read of it.
fn mend_packed(dir: &Path, look: &Look) -> Result<(), Error> {
    let path = dir.join(PACKED);
    if !look.broken.contains(PACKED) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&fs::read(&path).map_err(Error::read(&path))?).into_owned();
    let mut good = String::new();
    for (id, name) in text.lines().filter_map(|line| line.split_once(' ')) {
        let is_good = id.parse::<Revision>().is_ok() && refs::is_name(name);
        if is_good && !look.broken.contains(name) {
            good.push_str(&format!("{id} {name}\n"));
        }
    }
    move_aside(dir, &path)?;
    files::write_file(dir, &path, good.as_bytes())
}

/// Puts references where they belong.
fn place(dir: &Path, heads: &BTreeMap<String, Revision>) -> Result<(), Error> {
    for (name, to) in heads {
        let from = refs::read(dir, name)?;
        let step = Move { name: name.clone(), from, to: *to };
        if let Moved::Elsewhere(_) = locks::place(dir, &step)? {
            let busy = std::io::Error::other("someone moves it just now");
            return Err(Error::write(&dir.join(name))(busy));
        }
        files::sync_parent(&dir.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
