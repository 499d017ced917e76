//! The disk: a thread that writes what has no room in memory into files, each of which goes when nothing in it is
//! needed any more.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use crate::core::{Job, Landed};

/// How long a file becomes, in bytes.
const SEGMENT_MAX: u64 = 256 * 1024 * 1024;
/// What the names of the files end with.
const ENDING: &str = "segment";

/// A file with parts of contents. It is removed with the last that knows it.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    file: File,
}

impl Segment {
    fn create(path: PathBuf) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Self { path, file })
    }

    /// The bytes from a place on; nothing if they cannot be read.
    pub(crate) fn read(&self, at: u64, size: usize) -> Option<Bytes> {
        let mut bytes = vec![0; size];
        match self.file.read_exact_at(&mut bytes, at) {
            Ok(()) => Some(bytes.into()),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), at, size, %error, "cannot read what was written to disk");
                None
            }
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a file that is not needed any more");
        }
    }
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Disk {
    jobs: Option<Sender<Vec<Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Disk {
    /// Writes into a folder, which is this worker's alone: what others left there is removed. `landed` is told of
    /// all that was to be written, and why nothing can be if so.
    ///
    /// # Errors
    /// `not-writable` naming the folder.
    pub(crate) fn open(
        folder: &Path,
        landed: impl Fn(Vec<Landed>, Option<String>) + Send + 'static,
    ) -> Result<Self, Fault> {
        let cannot = |error: io::Error| {
            let text = format!("cannot write to the folder {}: {error}", folder.display());
            Fault::new(Code::NotWritable, text).hint("choose another with --spill")
        };
        fs::create_dir_all(folder).map_err(cannot)?;
        for entry in fs::read_dir(folder).map_err(cannot)? {
            let path = entry.map_err(cannot)?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                fs::remove_file(&path).map_err(cannot)?;
            }
        }
        let (jobs, taken) = mpsc::channel();
        let folder = folder.to_owned();
        let writer = Writer { folder, segment: None, length: 0, number: 0 };
        let thread = thread::Builder::new()
            .name("bulk-spill".to_owned())
            .spawn(move || writer.run(&taken, &landed))
            .map_err(cannot)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has these written.
    pub(crate) fn write(&self, jobs: Vec<Job>) {
        if let Some(sender) = &self.jobs {
            // It ends after this does.
            drop(sender.send(jobs));
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.jobs = None;
        // The last who knows the worker may be the thread itself, telling what it has written.
        let other = self.thread.take().filter(|it| it.thread().id() != thread::current().id());
        if let Some(thread) = other {
            drop(thread.join());
        }
    }
}

struct Writer {
    folder: PathBuf,
    segment: Option<Arc<Segment>>,
    length: u64,
    number: u64,
}

impl Writer {
    fn run(mut self, taken: &Receiver<Vec<Job>>, landed: &impl Fn(Vec<Landed>, Option<String>)) {
        while let Ok(jobs) = taken.recv() {
            let mut why = None;
            let mut all = Vec::with_capacity(jobs.len());
            for job in jobs {
                let place = match &why {
                    None => {
                        self.write(&job.bytes).map_err(|error| why = Some(self.cannot(&error))).ok()
                    }
                    Some(_) => None,
                };
                all.push(Landed { job, place });
            }
            landed(all, why);
        }
    }

    fn cannot(&self, error: &io::Error) -> String {
        format!("cannot write to {}: {error}", self.folder.display())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<(Arc<Segment>, u64)> {
        if self.length >= SEGMENT_MAX {
            self.segment = None;
        }
        let segment = match &self.segment {
            Some(segment) => Arc::clone(segment),
            None => {
                self.number += 1;
                self.length = 0;
                let path = self.folder.join(format!("{:08}.{ENDING}", self.number));
                let segment = Arc::new(Segment::create(path)?);
                self.segment = Some(Arc::clone(&segment));
                segment
            }
        };
        let at = self.length;
        if let Err(error) = segment.file.write_all_at(bytes, at) {
            // What was written of it is given back to whoever needs the room now.
            drop(segment.file.set_len(at));
            self.segment = None;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok((segment, at))
    }
}
