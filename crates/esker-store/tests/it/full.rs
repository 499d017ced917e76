//! A store that cannot be written says so, publishes nothing, serves reads, and recovers by itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use esker_bus::service::Service as _;
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::fault::Code;
use esker_wire::message::{Message, Request as _, answer};
use esker_wire::snapshot::{Get, Health, Put};

use crate::support::{Bench, call, put, resource, try_git};

#[test]
fn a_batch_that_cannot_be_written_is_refused_whole() {
    let mut bench = Bench::new();
    let kept = bench.put("raw/plan", "kept");
    bench.snapshots.settle().unwrap();
    // Stored, but it cannot be put where git looks for it.
    let tmp = bench.path().join("esker/tmp");
    std::fs::remove_dir(&tmp).unwrap();
    let late = bench.put("raw/plan", "late");
    let stuck = bench.snapshots.settle().unwrap_err();
    assert!(stuck.message.contains("esker/tmp") && stuck.message.contains("is safe"), "{stuck}");
    let before = bench.call(&Health).unwrap();
    let requests = vec![
        put("raw/plan", "lost").to_message().to_frames(),
        Get::head(resource("raw/plan")).to_message().to_frames(),
        put("raw/other", "lost").to_message().to_frames(),
        vec![b"=====PUT raw plan\n\tlost".as_slice().into()],
    ];
    let outcomes = bench.snapshots.handle(&requests);
    assert_eq!(outcomes.len(), 4);
    assert!(outcomes.iter().all(|outcome| outcome.events.is_empty()));
    for index in [0, 2] {
        let reply = Message::from_frames(&outcomes[index].reply).unwrap();
        let fault = answer::<Put>(&reply).unwrap_err();
        assert_eq!(fault.code, Code::NotWritable);
        assert!(fault.message.contains("esker/tmp"), "{fault}");
    }
    let read = answer::<Get>(&Message::from_frames(&outcomes[1].reply).unwrap()).unwrap();
    assert_eq!(read.bytes.unwrap(), "late");
    assert!(outcomes[3].reply[0].starts_with(b"ERROR: "));
    let health = bench.call(&Health).unwrap();
    assert!(health.not_writable.is_some());
    assert_eq!((health.link, health.head), (before.link, Some(late.revision)));
    std::fs::create_dir(&tmp).unwrap();
    bench.until(|bench| {
        bench.snapshots.tick();
        bench.call(&Health).unwrap().not_writable.is_none()
    });
    let after = bench.put("raw/plan", "after");
    assert_eq!(after.items[0].previous, Some(late.revision));
    assert_eq!(late.items[0].previous, Some(kept.revision));
    bench.assert_sound();
}

/// A small file system of its own, taken away at the end.
pub(crate) struct Small {
    folder: tempfile::TempDir,
    /// What a disk of its own is kept in.
    _image: Option<tempfile::NamedTempFile>,
}

impl Small {
    /// None where this process may not mount; the test above covers what can be covered without.
    pub(crate) fn mount() -> Option<Self> {
        Self::mount_with(&["-t", "tmpfs", "-o", "size=2m", "esker-test"], None)
    }

    /// One on a disk of its own, whose names and journal take room too.
    fn on_disk() -> Option<Self> {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(6 * 1024 * 1024).unwrap();
        let path = image.path().to_str().unwrap().to_owned();
        let made = Command::new("mkfs.ext4").args(["-q", "-m", "0", &path]).status();
        made.is_ok_and(|made| made.success()).then_some(())?;
        Self::mount_with(&["-o", "loop", &path], Some(image))
    }

    fn mount_with(args: &[&str], image: Option<tempfile::NamedTempFile>) -> Option<Self> {
        let folder = tempfile::TempDir::new().unwrap();
        let output = Command::new("mount").args(args).arg(folder.path()).output();
        let is_there = output.is_ok_and(|output| output.status.success());
        is_there.then_some(Self { folder, _image: image })
    }

    /// Leaves no room at all; the file that takes it.
    fn fill(&self) -> PathBuf {
        let path = self.folder.path().join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        for size in [65_536, 1024, 1] {
            while std::io::Write::write_all(&mut file, &vec![b'x'; size]).is_ok() {}
        }
        path
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.folder.path()).status());
    }
}

#[test]
fn a_full_disk_is_survived() {
    for (what, small) in [("tmpfs", Small::mount()), ("ext4", Small::on_disk())] {
        match small {
            Some(small) => survive(&small),
            None => println!("no {what} can be mounted here: a full one is not tested"),
        }
    }
}

fn survive(small: &Small) {
    let open = |folder: &Path| {
        let store = Store::open(folder, Options::default()).unwrap();
        Snapshots::new(store, NamesHandle::default())
    };
    let mut snapshots = open(&small.store());
    let kept = call(&mut snapshots, &put("raw/plan", "kept")).unwrap();
    let filler = small.fill();
    let noise: String = noise(1_900_000);
    let fault = call(&mut snapshots, &put("raw/big", &noise)).unwrap_err();
    assert_eq!(fault.code, Code::NotWritable, "{fault}");
    assert!(fault.message.contains("No space left"), "{fault}");
    for _ in 0..3 {
        let read = call(&mut snapshots, &Get::head(resource("raw/plan"))).unwrap();
        assert_eq!((read.at, read.bytes.unwrap()), (kept.revision, "kept".into()));
        call(&mut snapshots, &put("raw/big", &noise)).unwrap_err();
    }
    std::fs::remove_file(&filler).unwrap();
    // What was acknowledged before comes to its place first, at the next try.
    let end = Instant::now() + Duration::from_secs(30);
    while let Err(fault) = call(&mut snapshots, &put("raw/plan", "after")) {
        assert!(Instant::now() < end, "{fault}");
        std::thread::yield_now();
    }
    drop(snapshots);
    let mut snapshots = open(&small.store());
    let read = call(&mut snapshots, &Get::head(resource("raw/plan"))).unwrap();
    assert_eq!(read.bytes.unwrap(), "after");
    let (ok, out, err) = try_git(&small.store(), &["fsck", "--strict"]);
    assert!(ok, "{out}{err}");
}

/// Text that does not compress well.
fn noise(length: usize) -> String {
    let mut dice = crate::support::Dice::new(7);
    let letters: Vec<char> = ('!'..='~').collect();
    (0..length)
        .map(|_| letters[usize::try_from(dice.below(letters.len() as u64)).unwrap()])
        .collect()
}

#[test]
fn one_store_one_writer() {
    let bench = Bench::new();
    let error = Store::open(bench.path(), Options::default()).err().unwrap();
    let text = error.to_string();
    let pid = std::process::id().to_string();
    assert!(text.contains(&pid) && text.contains(bench.path().to_str().unwrap()), "{text}");
    let mut reader = Store::open_read_only(bench.path(), Options::default()).unwrap();
    assert!(reader.get(&Get::head(resource("raw/plan"))).is_err());
    assert_eq!(Store::check(bench.path(), None), []);
}

#[test]
fn other_folders_are_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let refused = |folder: &Path| {
        let error = Store::open(folder, Options::default()).err();
        let text = error.expect("it is refused").to_string();
        assert!(text.contains("is not an esker store"), "{text}");
    };
    std::fs::write(folder.path().join("file"), "mine").unwrap();
    refused(folder.path());
    refused(&folder.path().join("file"));
    let foreign = folder.path().join("foreign");
    try_git(folder.path(), &["init", "-q", "--bare", "-b", "main", "foreign"]);
    refused(&foreign);
    assert!(Store::open_read_only(&folder.path().join("none"), Options::default()).is_err());
    assert!(!Store::check(&foreign, None).is_empty());
    assert!(!foreign.join("esker").exists(), "a refused folder stays as it was");
}
