//! A thorough look at a store: everything that is there is read, and everything that is named is looked for.

mod contents;
mod witness;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use esker_wire::blobs::Blobs;
use esker_wire::name::Branch;
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::revision::Revision;

use crate::check::Finding;
use crate::commit::{self, Commit};
use crate::error::Error;
use crate::history::History;
use crate::journal;
use crate::loose;
use crate::objects::{Kind, Objects, Sum};
use crate::refs;
use crate::source;
use crate::tree;

pub(crate) use self::contents::Lost;
pub(crate) use self::witness::{git_dir_of, heads_of};

/// What to do about what is broken.
const REPAIR: &str = "stop esker, then `esker repair`; with `--from` it fetches what is missing from a clone or mirror";
/// The file in which `git gc` puts references.
pub(crate) const PACKED: &str = "packed-refs";
/// How many objects are read between two words of progress.
const WORD: usize = 5_000;

/// What a thorough look has found.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) findings: Vec<Finding>,
    /// Packs that are damaged, without their endings.
    pub(crate) packs: BTreeSet<PathBuf>,
    /// Other files of git's that are damaged: loose objects, and what is derived.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Objects that are named and cannot be read, and what names them.
    pub(crate) missing: BTreeMap<Revision, String>,
    /// References that cannot be read, by name.
    pub(crate) broken: BTreeSet<String>,
    /// The others.
    pub(crate) references: BTreeMap<String, Revision>,
    /// Branches whose index says other than their commits.
    pub(crate) indexes: Vec<Branch>,
    pub(crate) is_journal_broken: bool,
    /// Every object that was read and is what its id says.
    pub(crate) good: HashSet<Revision>,
    /// Every object that something names, as far as it could be followed.
    pub(crate) reached: HashSet<Revision>,
    /// Large contents that are damaged, or missing.
    pub(crate) lost: Vec<Lost>,
    /// The large contents that are named, and in words by what.
    pointers: BTreeMap<ContentId, (Pointer, String)>,
}

/// Looks at everything; `told` hears how it goes on.
pub(crate) fn look(
    git_dir: &Path,
    blobs: Option<&Blobs>,
    told: &mut dyn FnMut(&str),
) -> Result<Look, Error> {
    let mut look = Look::default();
    let mut objects = Objects::open(git_dir)?;
    if let Err(error) = journal::load(git_dir) {
        look.is_journal_broken = true;
        look.note(error.to_string(), REPAIR);
    }
    look.packs(git_dir, &objects, told)?;
    look.loose(git_dir, &objects)?;
    look.derived(git_dir);
    look.references(git_dir)?;
    look.reach(&objects, told);
    look.indexes(git_dir, &mut objects, told)?;
    look.contents(git_dir, blobs, told);
    Ok(look)
}

impl Look {
    fn note(&mut self, message: String, hint: &str) {
        self.findings.push(Finding { message, hint: hint.to_owned() });
    }

    fn packs(
        &mut self,
        git_dir: &Path,
        objects: &Objects,
        told: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let stems = pack_stems(git_dir)?;
        let mut count = 0;
        for stem in &stems {
            let ids = match check_pack(stem) {
                Ok(ids) => ids,
                Err(reason) => {
                    self.note(format!("the pack {} {reason}", stem.display()), REPAIR);
                    self.packs.insert(stem.clone());
                    continue;
                }
            };
            for id in ids {
                count += 1;
                if count % WORD == 0 {
                    told(&format!("{count} objects read, {} packs in all", stems.len()));
                }
                if let Err(reason) = self.read(objects, id) {
                    self.note(format!("{reason} (in the pack {})", stem.display()), REPAIR);
                    self.packs.insert(stem.clone());
                }
            }
        }
        Ok(())
    }

    fn loose(&mut self, git_dir: &Path, objects: &Objects) -> Result<(), Error> {
        for id in loose::list(git_dir, 0)? {
            if let Err(reason) = self.read(objects, id) {
                let path = loose::path_of(git_dir, id);
                self.note(format!("{reason} ({})", path.display()), REPAIR);
                self.files.insert(path);
            }
        }
        Ok(())
    }

    /// What git derives from packs, each with a sum at its end.
    fn derived(&mut self, git_dir: &Path) {
        let folders = ["objects/pack", "objects/info", "objects/info/commit-graphs"];
        let entries = folders.iter().filter_map(|folder| fs::read_dir(git_dir.join(folder)).ok());
        let paths = entries.flatten().flatten().map(|entry| entry.path());
        let is_derived = |path: &PathBuf| {
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            ["rev", "bitmap", "graph"].contains(&ending)
                || ["multi-pack-index", "commit-graph"].contains(&name)
        };
        for path in paths.filter(is_derived) {
            if !matches!(fs::File::open(&path).and_then(sum_of), Ok(Some(_))) {
                self.note(format!("{} is damaged: its sum is wrong", path.display()), REPAIR);
                self.files.insert(path);
            }
        }
    }

    /// Reads an object; what is wrong with it.
    fn read(&mut self, objects: &Objects, id: Revision) -> Result<(), String> {
        match objects.read(id) {
            Ok(Some(_)) => {
                self.good.insert(id);
                Ok(())
            }
            Ok(None) => Err(format!("object {id} is missing")),
            Err(Error::Damaged { id, reason }) => Err(format!("object {id} {reason}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn references(&mut self, git_dir: &Path) -> Result<(), Error> {
        let head = git_dir.join("HEAD");
        let text = fs::read_to_string(&head).unwrap_or_default();
        if text.trim_end_matches(refs::BLANKS) != "ref: refs/heads/main" {
            self.note(format!("{} does not name refs/heads/main", head.display()), REPAIR);
            self.broken.insert("HEAD".to_owned());
        }
        // Not all that git may find wrong with it, but what damage leaves.
        let config = fs::read_to_string(git_dir.join("config")).unwrap_or_default();
        if !config.contains("[core]") || config.contains('\0') {
            let path = git_dir.join("config");
            self.note(format!("{} is damaged: git cannot read it", path.display()), REPAIR);
            self.broken.insert("config".to_owned());
        }
        if !refs::is_packed_sound(git_dir) {
            let path = git_dir.join(PACKED);
            self.note(format!("{} is damaged: git cannot read it", path.display()), REPAIR);
            self.broken.insert(PACKED.to_owned());
        }
        for (name, found) in refs::survey(git_dir)? {
            match found {
                Ok(to) => drop(self.references.insert(name, to)),
                Err(error) => {
                    self.note(format!("the reference {name} is damaged: {error}"), REPAIR);
                    self.broken.insert(name);
                }
            }
        }
        if !self.references.contains_key("refs/heads/main") {
            self.broken.insert("refs/heads/main".to_owned());
            self.note("there is no refs/heads/main".to_owned(), REPAIR);
        }
        Ok(())
    }

    /// Goes from the references to all that is named.
    fn reach(&mut self, objects: &Objects, told: &mut dyn FnMut(&str)) {
        let mut next: Vec<(Revision, Kind, String)> = Vec::new();
        for (name, to) in &self.references {
            next.push((*to, Kind::Commit, name.clone()));
        }
        while let Some((id, kind, what)) = next.pop() {
            if !self.reached.insert(id) {
                continue;
            }
            if self.reached.len().is_multiple_of(WORD) {
                told(&format!("{} objects followed", self.reached.len()));
            }
            if !self.good.contains(&id) {
                self.note(format!("object {id} cannot be read; it is {what}"), REPAIR);
                self.missing.insert(id, what);
                continue;
            }
            if kind != Kind::Blob
                && let Ok(Some(object)) = objects.read(id)
            {
                next.extend(named_by((id, object.kind, &object.bytes), &what));
            } else if kind == Kind::Blob
                && let Ok(Some(object)) = objects.read(id)
                && let Some(pointer) = Pointer::from_bytes(&object.bytes)
            {
                self.pointers.insert(pointer.id, (pointer, what));
            }
        }
    }
}

/// What an object names, and in words what that is.
pub(crate) fn named_by(
    (id, kind, bytes): (Revision, Kind, &Bytes),
    what: &str,
) -> Vec<(Revision, Kind, String)> {
    let mut named = Vec::new();
    match kind {
        Kind::Commit => {
            if let Ok(commit) = Commit::from_bytes(bytes) {
                named.push((commit.tree, Kind::Tree, format!("in commit {id}: ")));
            }
            // One that someone else has made may have several.
            let text = String::from_utf8_lossy(bytes);
            let lines = text.lines().take_while(|line| !line.is_empty());
            let parents = lines.filter_map(|line| line.strip_prefix("parent ")?.parse().ok());
            named.extend(parents.map(|it| (it, Kind::Commit, format!("the commit before {id}"))));
        }
        Kind::Tree => {
            for entry in tree::named(bytes).into_iter().flatten() {
                let slash = if entry.is_folder { "/" } else { "" };
                let kind = if entry.is_folder { Kind::Tree } else { Kind::Blob };
                named.push((entry.id, kind, format!("{what}{}{slash}", entry.name)));
            }
        }
        Kind::Tag => {
            let target = commit::tag_target(bytes);
            named.extend(target.map(|to| (to, Kind::Commit, format!("what tag {id} names"))));
        }
        Kind::Blob => {}
    }
    named
}

/// Whether an index tells of a history what it is, as far as both go.
fn is_same(indexed: &History, history: &History) -> bool {
    let (Some(last), Some(end)) = (indexed.last(), history.last()) else {
        return indexed.last().is_none();
    };
    let last = last.min(end);
    let steps = (0..=last).all(|position| {
        let (a, b) = (indexed.step(position), history.step(position));
        (a.revision, a.seconds) == (b.revision, b.seconds)
    });
    let changes = |resource| indexed.changes(resource, last) == history.changes(resource, last);
    steps && indexed.resources().chain(history.resources()).all(changes)
}

/// The packs there are, without their endings, whether or not they are whole.
fn pack_stems(git_dir: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let folder = git_dir.join("objects/pack");
    let mut stems = BTreeSet::new();
    for entry in fs::read_dir(&folder).map_err(Error::read(&folder))? {
        let path = entry.map_err(Error::read(&folder))?.path();
        if path.extension().is_some_and(|ending| ending == "pack" || ending == "idx") {
            stems.insert(path.with_extension(""));
        }
    }
    Ok(stems)
}

/// The objects of a pack, if its sums are right; what is wrong.
fn check_pack(stem: &Path) -> Result<Vec<Revision>, String> {
    let read = |ending: &str| {
        let path = stem.with_extension(ending);
        fs::File::open(&path).map_err(|error| format!("cannot be read ({ending}): {error}"))
    };
    let index = fs::read(stem.with_extension("idx"));
    let index = index.map_err(|error| format!("cannot be read (idx): {error}"))?;
    let places = source::places_of(&index).ok_or("has a damaged index")?;
    let named = index.get(index.len().saturating_sub(40)..index.len() - 20);
    let found = sum_of(read("pack")?).map_err(|error| format!("cannot be read (pack): {error}"))?;
    match found {
        Some(sum) if Some(sum.as_bytes().as_slice()) == named => {}
        Some(_) => return Err("is another than its index says".to_owned()),
        None => return Err("is damaged: its sum is wrong".to_owned()),
    }
    Ok(places.into_iter().map(|place| place.id).collect())
}

/// A pack's sum, if it is right.
fn sum_of(mut file: fs::File) -> std::io::Result<Option<Revision>> {
    let mut left = file.metadata()?.len().saturating_sub(20);
    let mut sum = Sum::new();
    let mut buffer = vec![0; 1024 * 1024];
    while left > 0 {
        let part = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        std::io::Read::read_exact(&mut file, &mut buffer[..part])?;
        sum.update(&buffer[..part]);
        left -= part as u64;
    }
    let mut found = [0; 20];
    std::io::Read::read_exact(&mut file, &mut found)?;
    let sum = sum.finish().ok();
    Ok(sum.filter(|sum| *sum.as_bytes() == found))
}
