//! What a disk may hold after a loss of power: what was flushed, and any part of what was not.
//!
//! A file's bytes are safe when the file was flushed after they were written; a name when its folder was. A flush
//! that failed made nothing safe, and the bytes it was for are lost if they are not written again. A rename is one
//! change, as on every file system with a journal of its names.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use crate::files::watched::Deed;

/// A file or a folder, whatever its names.
type Node = usize;
/// The folder that is watched.
const ROOT: Node = 0;

/// A change of what the disk holds.
enum Change {
    Bytes(Node, u64, Vec<u8>),
    Length(Node, u64),
    /// Names in folders: what they name from now on.
    Names(Vec<(Node, OsString, Option<Node>)>),
}

/// A change, and when it is safe.
struct Step {
    change: Change,
    done_at: usize,
    safe_at: usize,
}

/// What becomes of a change that was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// Its first half is there.
    Torn,
    /// Its second half is there.
    TornBehind,
    /// The file is as long, but of zeros.
    Zeros,
}

/// Everything that was done in a folder, by what it did to the disk.
pub(crate) struct Model {
    steps: Vec<Step>,
    folders: BTreeSet<Node>,
    names: BTreeMap<PathBuf, Node>,
    /// The first name of each.
    known: BTreeMap<Node, PathBuf>,
    root: PathBuf,
    next: Node,
}

impl Model {
    pub(crate) fn new(root: &Path, deeds: &[Deed]) -> Self {
        let mut model = Self {
            steps: Vec::new(),
            folders: BTreeSet::from([ROOT]),
            names: BTreeMap::from([(root.to_owned(), ROOT)]),
            known: BTreeMap::new(),
            root: root.to_owned(),
            next: 1,
        };
        for (at, deed) in deeds.iter().enumerate() {
            model.take(at, deed);
        }
        model
    }

    /// What was in the folder when the watch began, as deeds that are safe.
    pub(crate) fn found(root: &Path) -> Vec<Deed> {
        let mut deeds = Vec::new();
        let mut folders = vec![root.to_owned()];
        let mut files: BTreeMap<u64, PathBuf> = BTreeMap::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    deeds.push(Deed::MakeFolder(path.clone()));
                    folders.push(path);
                    continue;
                }
                let found = fs::metadata(&path).unwrap();
                let number = std::os::unix::fs::MetadataExt::ino(&found);
                if let Some(first) = files.get(&number) {
                    deeds.push(Deed::Link(first.clone(), path));
                    continue;
                }
                files.insert(number, path.clone());
                deeds.push(Deed::Create(path.clone()));
                deeds.push(Deed::Write(path.clone(), 0, fs::read(&path).unwrap()));
            }
        }
        deeds.push(Deed::SyncAll);
        deeds
    }

    fn take(&mut self, at: usize, deed: &Deed) {
        match deed {
            Deed::Create(path) => {
                let node = self.node();
                self.name(at, &[(path, Some(node))]);
            }
            Deed::MakeFolder(path) => {
                let node = self.node();
                self.folders.insert(node);
                self.name(at, &[(path, Some(node))]);
            }
            Deed::Write(path, place, bytes) => {
                self.push(at, Change::Bytes(self.names[path], *place, bytes.clone()));
            }
            Deed::Length(path, length) => self.push(at, Change::Length(self.names[path], *length)),
            Deed::Rename(from, to) => {
                self.name(at, &[(from, None), (to, Some(self.names[from]))]);
            }
            Deed::Link(from, to) => self.name(at, &[(to, Some(self.names[from]))]),
            Deed::Remove(path) | Deed::RemoveFolder(path) => self.name(at, &[(path, None)]),
            Deed::Sync(path) => {
                let node = self.names.get(path).copied();
                self.safe(at, |change| is_of_file(change, node));
            }
            Deed::SyncFailed(path) => self.lose(self.names[path]),
            Deed::SyncFolder(path) => {
                let folder = self.names.get(path).copied();
                self.safe(at, |change| is_in_folder(change, folder));
            }
            Deed::SyncAll => self.safe(at, |_| true),
            Deed::Begun(_) | Deed::Told(_) | Deed::Refused(_) => {}
        }
    }

    fn node(&mut self) -> Node {
        self.next += 1;
        self.next - 1
    }

    fn push(&mut self, done_at: usize, change: Change) {
        self.steps.push(Step { change, done_at, safe_at: usize::MAX });
    }

    fn name(&mut self, at: usize, names: &[(&PathBuf, Option<Node>)]) {
        let mut changes = Vec::new();
        for (path, node) in names {
            match node {
                Some(node) => {
                    let known = path.strip_prefix(&self.root).unwrap_or(path).to_owned();
                    self.known.entry(*node).or_insert(known);
                    self.names.insert((*path).clone(), *node)
                }
                None => self.names.remove(*path),
            };
            let folder = path.parent().and_then(|folder| self.names.get(folder));
            let name = path.file_name().unwrap().to_owned();
            changes.push((*folder.expect("a folder that is watched"), name, *node));
        }
        self.push(at, Change::Names(changes));
    }

    fn safe(&mut self, at: usize, is_meant: impl Fn(&Change) -> bool) {
        let open = self.steps.iter_mut().filter(|step| step.safe_at == usize::MAX);
        open.filter(|step| is_meant(&step.change)).for_each(|step| step.safe_at = at);
    }

    /// What was written to a file and is not safe never will be.
    fn lose(&mut self, node: Node) {
        for step in &mut self.steps {
            if step.safe_at == usize::MAX && is_of_file(&step.change, Some(node)) {
                step.safe_at = usize::MAX - 1;
            }
        }
    }

    /// How many changes were not safe just before a deed; whether each is one of names.
    pub(crate) fn unsafe_at(&self, end: usize) -> Vec<bool> {
        let open = self.steps.iter().filter(|step| step.done_at < end && step.safe_at >= end);
        open.map(|step| matches!(step.change, Change::Names(_))).collect()
    }

    /// What was not safe just before a deed, and what became of it, in words.
    pub(crate) fn tell(&self, end: usize, fates: &[Fate]) -> String {
        let open = self.steps.iter().filter(|step| step.done_at < end && step.safe_at >= end);
        let name = |node: &Node| self.known.get(node).cloned().unwrap_or_default();
        let tell = |(step, fate): (&Step, &Fate)| match &step.change {
            Change::Bytes(node, at, bytes) => {
                format!("  {fate:?}: {} bytes at {at} of {}", bytes.len(), name(node).display())
            }
            Change::Length(node, length) => {
                format!("  {fate:?}: length {length} of {}", name(node).display())
            }
            Change::Names(names) => {
                let names = names.iter().map(|(folder, file, node)| {
                    let path = name(folder).join(file);
                    let verb = if node.is_some() { "name" } else { "no name" };
                    format!("{verb} {}", path.display())
                });
                format!("  {fate:?}: {}", names.collect::<Vec<_>>().join(", "))
            }
        };
        open.zip(fates).map(tell).collect::<Vec<_>>().join("\n")
    }

    /// What the disk holds just before a deed, if what was not safe has these fates.
    pub(crate) fn disk(&self, end: usize, fates: &[Fate]) -> Disk {
        let mut disk = Disk::default();
        let mut fates = fates.iter();
        for step in self.steps.iter().take_while(|step| step.done_at < end) {
            let is_safe = step.safe_at < end;
            let fate = if is_safe { Fate::Kept } else { *fates.next().expect("a fate for each") };
            disk.change(&step.change, fate);
        }
        disk.folders.clone_from(&self.folders);
        disk
    }
}

fn is_of_file(change: &Change, node: Option<Node>) -> bool {
    matches!(change, Change::Bytes(of, ..) | Change::Length(of, _) if Some(*of) == node)
}

fn is_in_folder(change: &Change, folder: Option<Node>) -> bool {
    matches!(change, Change::Names(names) if names.iter().any(|(in_, ..)| Some(*in_) == folder))
}

/// What a disk holds.
#[derive(Default)]
pub(crate) struct Disk {
    folders: BTreeSet<Node>,
    files: BTreeMap<Node, Vec<u8>>,
    names: BTreeMap<Node, BTreeMap<OsString, Node>>,
}

impl Disk {
    fn change(&mut self, change: &Change, fate: Fate) {
        match change {
            _ if fate == Fate::Lost => {}
            Change::Bytes(node, at, bytes) => self.write(*node, *at as usize, (bytes, fate)),
            Change::Length(node, length) => {
                self.files.entry(*node).or_default().resize(*length as usize, 0);
            }
            Change::Names(names) => {
                for (folder, name, node) in names {
                    let names = self.names.entry(*folder).or_default();
                    match node {
                        Some(node) => names.insert(name.clone(), *node),
                        None => names.remove(name),
                    };
                }
            }
        }
    }

    fn write(&mut self, node: Node, at: usize, (bytes, fate): (&[u8], Fate)) {
        let file = self.files.entry(node).or_default();
        let half = bytes.len() / 2;
        let length = if fate == Fate::Torn { half } else { bytes.len() };
        if file.len() < at + length {
            file.resize(at + length, 0);
        }
        match fate {
            Fate::Kept => file[at..at + length].copy_from_slice(bytes),
            Fate::Torn => file[at..at + half].copy_from_slice(&bytes[..half]),
            Fate::TornBehind => file[at + half..at + length].copy_from_slice(&bytes[half..]),
            Fate::Zeros | Fate::Lost => {}
        }
    }

    /// What tells two disks apart.
    pub(crate) fn sum(&self) -> u64 {
        let mut sum = DefaultHasher::new();
        self.walk(ROOT, Path::new(""), &mut |path, bytes| (path, bytes).hash(&mut sum));
        sum.finish()
    }

    /// Makes it a folder of the real disk.
    pub(crate) fn make(&self, root: &Path) {
        fs::create_dir_all(root).unwrap();
        let mut seen: BTreeMap<Node, PathBuf> = BTreeMap::new();
        self.lay(ROOT, root, &mut seen);
    }

    fn lay(&self, folder: Node, at: &Path, seen: &mut BTreeMap<Node, PathBuf>) {
        for (name, node) in self.names.get(&folder).into_iter().flatten() {
            let path = at.join(name);
            if self.folders.contains(node) {
                fs::create_dir(&path).unwrap();
                self.lay(*node, &path, seen);
            } else if let Some(first) = seen.get(node) {
                fs::hard_link(first, &path).unwrap();
            } else {
                fs::write(&path, self.files.get(node).map_or(&[][..], Vec::as_slice)).unwrap();
                seen.insert(*node, path);
            }
        }
    }

    fn walk(&self, folder: Node, at: &Path, visit: &mut dyn FnMut(&Path, Option<&[u8]>)) {
        for (name, node) in self.names.get(&folder).into_iter().flatten() {
            let path = at.join(name);
            if self.folders.contains(node) {
                visit(&path, None);
                self.walk(*node, &path, visit);
            } else {
                visit(&path, Some(self.files.get(node).map_or(&[], Vec::as_slice)));
            }
        }
    }
}
