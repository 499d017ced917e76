//! Large contents on their way: `esker/uploads/HASH` holds the bytes that have come so far.
//!
//! Whoever brings the same content adds to the same file: a piece that does not begin where it ends is answered
//! with how far it is. What a killed process left goes on growing; its hash tells at the end whether it was
//! whole.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use esker_wire::fault::{Code, Fault};
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::snapshot::{Upload, Uploaded};
use sha2::{Digest, Sha256};

use super::finish::{Finish, Finished};
use super::tier::Tier;
use crate::error::Error;
use crate::files;
use crate::store::Store;

/// How many contents may be on their way at once.
const UPLOADS_MAX: usize = 64;
/// How long one may lie untouched before it is removed.
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is on its way.
pub(super) struct Uploads {
    git_dir: PathBuf,
    open: HashMap<ContentId, Partial>,
    /// What is there already, and read once more before it is called complete.
    checked: HashMap<ContentId, Finish>,
}

/// One content on its way.
struct Partial {
    size: u64,
    have: u64,
    /// The hash of what has come, if this process saw all of it come.
    hash: Option<Sha256>,
    /// Checks and places it, when all has come.
    finish: Option<Finish>,
}

impl Store {
    /// Takes a piece of a large content, or tells how far it is.
    ///
    /// # Errors
    /// `too-large`, `busy` or `not-writable`; `conflict` if the bytes turn out not to be what was named.
    pub fn upload(&mut self, ask: &Upload) -> Result<Uploaded, Fault> {
        let max = self.options.large_max;
        if ask.size > max {
            let text = format!("the content has {} bytes, {max} are allowed", ask.size);
            return Err(Fault::new(Code::TooLarge, text)
                .hint("set large_max under [store] in esker.toml, or split it"));
        }
        let large = &mut self.large;
        large.uploads.take(&mut large.tier, ask)
    }
}

impl Uploads {
    pub(super) fn new(git_dir: &Path) -> Self {
        Self { git_dir: git_dir.to_owned(), open: HashMap::new(), checked: HashMap::new() }
    }

    fn folder(&self) -> PathBuf {
        self.git_dir.join("esker/uploads")
    }

    fn path(&self, id: ContentId) -> PathBuf {
        self.folder().join(id.digits())
    }

    /// Whether bytes of it are still coming, or not on disk yet.
    pub(super) fn is_under_way(&self, id: ContentId) -> bool {
        self.open.contains_key(&id)
    }

    fn take(&mut self, tier: &mut Tier, ask: &Upload) -> Result<Uploaded, Fault> {
        if let Some(done) = self.finished(tier, ask)? {
            return Ok(done);
        }
        if !self.open.contains_key(&ask.id) {
            self.begin(ask)?;
        }
        let path = self.path(ask.id);
        let Some(partial) = self.open.get_mut(&ask.id) else {
            return Err(Fault::new(Code::Internal, "the upload is not there"));
        };
        if let Some(chunk) = ask.chunk.as_ref().filter(|_| ask.offset == partial.have) {
            if let Err(error) = append(&path, partial.have, chunk) {
                // What is there of it is not counted, so its hash is not known any more.
                partial.hash = None;
                let fault = Error::write(&path)(error).into_fault();
                return Err(fault.hint("make room, then go on: what came before is kept"));
            }
            partial.have += chunk.len() as u64;
            if let Some(hash) = &mut partial.hash {
                hash.update(chunk);
            }
        }
        if partial.have == partial.size {
            let hash =
                partial.hash.take().map(|hash| ContentId::from_bytes(hash.finalize().into()));
            let pointer = Pointer { id: ask.id, size: partial.size };
            partial.finish = Some(Finish::upload(&self.git_dir, &path, pointer, hash));
        }
        let have = partial.have;
        let is_small = partial.finish.as_ref().is_some_and(Finish::was_at_once);
        let done = if is_small { self.finished(tier, ask)? } else { None };
        Ok(done.unwrap_or(Uploaded { have, is_complete: false }))
    }

    /// The answer where no bytes are wanted: it is there, or all has come and is being checked.
    fn finished(&mut self, tier: &mut Tier, ask: &Upload) -> Result<Option<Uploaded>, Fault> {
        let Some(partial) = self.open.get_mut(&ask.id) else {
            return self.found(tier, ask);
        };
        let Some(finish) = &mut partial.finish else {
            if partial.size != ask.size {
                // Whoever named another size was wrong, or is now: the hash tells at the end.
                self.open.remove(&ask.id);
            }
            return Ok(None);
        };
        let have = partial.size;
        match finish.poll() {
            Finished::NotYet => Ok(Some(Uploaded { have, is_complete: false })),
            Finished::Done => {
                self.open.remove(&ask.id);
                tier.note(ask.id);
                Ok(Some(Uploaded { have, is_complete: true }))
            }
            Finished::Failed(fault) => {
                self.open.remove(&ask.id);
                Err(fault)
            }
        }
    }

    /// The answer where nothing is on its way. What is there already is read once more: whoever brings it
    /// again may do so because it is damaged.
    fn found(&mut self, tier: &mut Tier, ask: &Upload) -> Result<Option<Uploaded>, Fault> {
        if tier.size(ask.id)? != Some(ask.size) {
            // None, or a file cut short: it is replaced by what comes.
            return Ok(None);
        }
        let check = self
            .checked
            .entry(ask.id)
            .or_insert_with(|| tier.check(Pointer { id: ask.id, size: ask.size }));
        match check.poll() {
            Finished::NotYet => Ok(Some(Uploaded { have: ask.size, is_complete: false })),
            Finished::Done => {
                self.checked.remove(&ask.id);
                tier.settle(ask.id)?;
                Ok(Some(Uploaded { have: ask.size, is_complete: true }))
            }
            Finished::Failed(_) => {
                self.checked.remove(&ask.id);
                tier.set_aside(ask.id)?;
                Ok(None)
            }
        }
    }

    /// Begins, or goes on with what is there.
    fn begin(&mut self, ask: &Upload) -> Result<(), Fault> {
        self.sweep()?;
        // What is in its place by now, and nobody asked for since.
        self.open.retain(|_, partial| !partial.finish.as_ref().is_some_and(Finish::is_over));
        self.checked.retain(|_, check| !check.is_over());
        files::make_folder(&self.folder())?;
        let path = self.path(ask.id);
        let found = fs::metadata(&path).map(|data| data.len()).ok();
        if found.is_none() && self.count()? >= UPLOADS_MAX {
            let text = format!("{UPLOADS_MAX} large contents are on their way already");
            return Err(Fault::new(Code::Busy, text).hint("try again when one of them is there"));
        }
        let have = found.filter(|have| *have <= ask.size).unwrap_or(0);
        self.check_room(ask, have)?;
        if have == 0 {
            files::write_new(&path, &[], false)?;
        }
        let hash = (have == 0).then(Sha256::new);
        self.open.insert(ask.id, Partial { size: ask.size, have, hash, finish: None });
        Ok(())
    }

    /// Refuses at the beginning what the disk cannot hold in the end.
    fn check_room(&self, ask: &Upload, have: u64) -> Result<(), Fault> {
        let folder = self.folder();
        let system = rustix::fs::statvfs(&folder);
        let system = system.map_err(|error| Error::read(&folder)(error.into()))?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        let others = self.open.iter().filter(|(id, _)| **id != ask.id);
        let owed: u64 = others.map(|(_, partial)| partial.size - partial.have).sum();
        if (ask.size - have).saturating_add(owed) <= free {
            return Ok(());
        }
        let text = format!(
            "cannot write {}: {} bytes are to come, {} are free",
            folder.display(),
            (ask.size - have).saturating_add(owed),
            free
        );
        Err(Fault::new(Code::NotWritable, text).hint("make room, then go on"))
    }

    fn count(&self) -> Result<usize, Error> {
        let folder = self.folder();
        Ok(fs::read_dir(&folder).map_err(Error::read(&folder))?.count())
    }

    /// Removes what was left unfinished too long ago.
    pub(super) fn sweep(&mut self) -> Result<(), Error> {
        let folder = self.folder();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::read(&folder)(error)),
        };
        for entry in entries {
            let path = entry.map_err(Error::read(&folder))?.path();
            let modified = fs::metadata(&path).and_then(|data| data.modified());
            let modified = modified.unwrap_or_else(|_| SystemTime::now());
            if modified.elapsed().is_ok_and(|age| age > STALE) {
                let name = path.file_name().and_then(|name| name.to_str());
                let id = name.and_then(|name| ContentId::from_digits(name).ok());
                if let Some(id) = id {
                    self.open.remove(&id);
                }
                files::remove(&path).map_err(Error::write(&path))?;
            }
        }
        Ok(())
    }
}

/// Adds a piece. What is there of one that could not be written whole is cut off, now or with the next.
fn append(path: &Path, have: u64, chunk: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let write = |file: &mut File| {
        file.set_len(have)?;
        file.seek(SeekFrom::Start(have))?;
        file.write_all(chunk)
    };
    write(&mut file).inspect_err(|_| drop(file.set_len(have)))
}
