//! The files of the large contents: `lfs/objects/aa/bb/HASH` in the store's folder, never changed once there.

use std::collections::HashSet;
use std::fs::{self, File, FileTimes};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::snapshot::Range;

use super::copies::Copies;
use super::finish::{Finish, hash_of};
use super::id_of_content;
use crate::error::Error;
use crate::excavate::originals;
use crate::files;

/// For how many contents it is kept in memory that they are on disk.
const SETTLED_MAX: usize = 100_000;

/// The folder of the files.
pub(crate) struct Tier {
    git_dir: PathBuf,
    /// Where more lie, of the repositories that this one takes objects from: they are only read.
    others: Vec<PathBuf>,
    /// What is known to have reached the disk.
    settled: HashSet<ContentId>,
    /// What becomes of the files elsewhere, if anything.
    pub(crate) copies: Option<Copies>,
}

/// One large content, as it lies there.
pub(super) struct Held {
    pub(super) id: ContentId,
    pub(super) size: u64,
    /// When it came, or was last asked for by someone about to name it.
    pub(super) modified: SystemTime,
    /// When it came or was read last.
    pub(super) used: SystemTime,
}

/// Where a content's file is.
pub(crate) fn path(git_dir: &Path, id: ContentId) -> PathBuf {
    let digits = id.digits();
    objects(git_dir).join(&digits[..2]).join(&digits[2..4]).join(digits)
}

fn objects(git_dir: &Path) -> PathBuf {
    git_dir.join("lfs/objects")
}

/// Puts a complete and synced file in its place, so that it survives a loss of power.
pub(crate) fn place(git_dir: &Path, from: &Path, id: ContentId) -> Result<(), Error> {
    let to = path(git_dir, id);
    if let Some(folder) = to.parent() {
        files::make_folder(folder)?;
    }
    files::rename(from, &to)?;
    files::sync_parent(&to)
}

/// Everything that lies there.
pub(super) fn list(git_dir: &Path) -> Result<Vec<Held>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![objects(git_dir)];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::read(&folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(Error::read(&folder))?;
            let data = match entry.metadata() {
                Ok(data) => data,
                // Removed meanwhile, for it is in the bucket.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::read(&entry.path())(error)),
            };
            let id = entry.file_name().to_str().map(ContentId::from_digits);
            match id {
                _ if data.is_dir() => folders.push(entry.path()),
                Some(Ok(id)) => {
                    let modified = data.modified().map_err(Error::read(&entry.path()))?;
                    let used = data.accessed().map_or(modified, |read| read.max(modified));
                    found.push(Held { id, size: data.len(), modified, used });
                }
                // Not a content: git-lfs's, or a person's.
                _ => {}
            }
        }
    }
    Ok(found)
}

impl Tier {
    pub(super) fn new(git_dir: &Path) -> Self {
        let (git_dir, others) = (git_dir.to_owned(), originals(git_dir));
        Self { git_dir, others, settled: HashSet::new(), copies: None }
    }

    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    pub(super) fn path(&self, id: ContentId) -> PathBuf {
        let own = path(&self.git_dir, id);
        let is_own = self.others.is_empty() || own.exists();
        let elsewhere = || self.others.iter().map(|dir| path(dir, id)).find(|path| path.exists());
        if is_own { own } else { elsewhere().unwrap_or(own) }
    }

    /// Whether a content lies only where it is not written.
    fn is_others(&self, id: ContentId) -> bool {
        self.path(id) != path(&self.git_dir, id)
    }

    /// The size of a content's file, if there is one.
    pub(crate) fn size(&self, id: ContentId) -> Result<Option<u64>, Error> {
        let path = self.path(id);
        match fs::metadata(&path) {
            Ok(data) if data.is_file() => Ok(Some(data.len())),
            Ok(_) => Err(Error::read(&path)(io::Error::other("it is no file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(&path)(error)),
        }
    }

    /// Makes sure that a content that is there stays there: it is on disk, whoever brought it, and young again for
    /// those who look for what nobody names.
    pub(super) fn settle(&mut self, id: ContentId) -> Result<(), Error> {
        if self.is_others(id) {
            return Ok(());
        }
        let path = self.path(id);
        let file = match File::options().write(true).open(&path) {
            Ok(file) => file,
            // What is only in the bucket is durable there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.copies.is_some() => {
                return Ok(());
            }
            Err(error) => return Err(Error::write(&path)(error)),
        };
        file.set_modified(SystemTime::now()).map_err(Error::write(&path))?;
        if self.settled.contains(&id) {
            return Ok(());
        }
        file.sync_all().map_err(Error::write(&path))?;
        let above = path.ancestors().skip(1).take_while(|folder| *folder != self.git_dir);
        for folder in above {
            files::sync_parent(folder)?;
        }
        files::sync_parent(&path)?;
        self.note(id);
        Ok(())
    }

    /// Remembers that a content has reached the disk.
    pub(super) fn note(&mut self, id: ContentId) {
        if self.settled.len() >= SETTLED_MAX {
            self.settled.clear();
        }
        self.settled.insert(id);
        if let Some(copies) = &self.copies {
            copies.note(id);
        }
    }

    /// Takes a whole content in; durable when this returns. One that lies there damaged is replaced.
    pub(super) fn keep(&mut self, pointer: Pointer, bytes: &[u8]) -> Result<(), Error> {
        let Pointer { id, size } = pointer;
        if self.size(id)? == Some(size) && self.read_file(id)? == bytes {
            return self.settle(id);
        }
        let from = files::temporary(&self.git_dir).join(id.digits());
        let kept = files::write_new(&from, bytes, true)
            .and_then(|()| place(&self.git_dir, &from, id))
            .inspect_err(|_| drop(files::remove(&from)));
        kept.map(|()| self.note(id))
    }

    /// Reads a whole content, checked.
    pub(crate) fn read(&self, pointer: Pointer) -> Result<Bytes, Error> {
        self.check_size(pointer)?;
        let bytes = self.read_file(pointer.id)?;
        let found = id_of_content(&bytes);
        if found != pointer.id {
            let reason = format!("is damaged: its hash is {found}");
            return Err(Error::Content { id: pointer.id, reason });
        }
        Ok(bytes.into())
    }

    /// Reads a part, which cannot be checked; empty beyond the end.
    pub(super) fn read_part(&self, pointer: Pointer, range: Range) -> Result<Bytes, Error> {
        self.check_size(pointer)?;
        let path = self.path(pointer.id);
        let read = || {
            let mut file = self.open(&path)?;
            file.seek(SeekFrom::Start(range.offset))?;
            let length = range.length.min(pointer.size.saturating_sub(range.offset));
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            file.take(length).read_to_end(&mut bytes)?;
            Ok(bytes.into())
        };
        read().map_err(Error::read(&path))
    }

    fn read_file(&self, id: ContentId) -> Result<Vec<u8>, Error> {
        let path = self.path(id);
        let read = || {
            let mut file = self.open(&path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(Error::read(&path))
    }

    /// Opens a file to read it. Where the longest unused ones may go, it is noted that this is not one of them.
    fn open(&self, path: &Path) -> io::Result<File> {
        let file = File::open(path)?;
        if self.copies.is_some() {
            // One that cannot be noted only goes sooner.
            drop(file.set_times(FileTimes::new().set_accessed(SystemTime::now())));
        }
        Ok(file)
    }

    /// The size of a content that is here, or that can be had again.
    pub(super) fn size_anywhere(&self, id: ContentId) -> Result<Option<u64>, Error> {
        match (self.size(id)?, &self.copies) {
            (None, Some(copies)) => copies.size(id),
            (found, _) => Ok(found),
        }
    }

    /// Refuses a content whose file is missing or of another size.
    pub(crate) fn check_size(&self, pointer: Pointer) -> Result<(), Error> {
        let reason = match self.size(pointer.id)? {
            Some(size) if size == pointer.size => return Ok(()),
            Some(size) => {
                format!("is damaged: its file has {size} bytes, not {}", pointer.size)
            }
            None => match &self.copies {
                Some(copies) => return Err(copies.fetch(pointer)),
                None => format!("is missing: there is no {}", self.path(pointer.id).display()),
            },
        };
        Err(Error::Content { id: pointer.id, reason })
    }

    /// Reads a content whole, on a thread of its own unless it is small, to see whether it is what it is named.
    pub(super) fn check(&self, Pointer { id, size }: Pointer) -> Finish {
        let path = self.path(id);
        Finish::of_size(size, move || {
            let found = hash_of(&path).map_err(Error::read(&path))?;
            let reason = format!("is damaged: its hash is {found}");
            if found == id { Ok(()) } else { Err(Error::Content { id, reason }.into_fault()) }
        })
    }

    /// Takes a damaged content out of the way, so that the right bytes can be put in its place.
    pub(super) fn set_aside(&mut self, id: ContentId) -> Result<(), Error> {
        let to = self.git_dir.join("esker/damaged").join(id.digits());
        if let Some(folder) = to.parent() {
            files::make_folder(folder)?;
        }
        self.settled.remove(&id);
        match files::rename(&path(&self.git_dir, id), &to) {
            // Only in the bucket by now.
            Err(Error::Write { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                return Ok(());
            }
            renamed => renamed?,
        }
        tracing::error!(content = %id, to = %to.display(), "a damaged large content was set aside");
        Ok(())
    }

    /// Removes a content for good.
    pub(super) fn remove(&mut self, id: ContentId) -> Result<(), Error> {
        self.settled.remove(&id);
        let path = path(&self.git_dir, id);
        files::remove(&path).map_err(Error::write(&path))?;
        if let Some(copies) = &self.copies {
            copies.remove(id);
        }
        Ok(())
    }
}
