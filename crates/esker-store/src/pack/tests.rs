//! The real git reads what is written, and finds nothing wrong with it.

use std::process::Command;

use super::*;
use crate::durable::tests::{blob, repository};
use crate::objects::{Objects, id_of};

fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "safe.directory=*"]).args(args).current_dir(dir);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {args:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

fn pack_of(dir: &Path, objects: &[(Object, Option<usize>)]) -> PathBuf {
    let mut pack = PackWriter::create(dir, "test.pack", objects.len()).unwrap();
    for (object, base) in objects {
        pack.add(object, base.map(|base| &objects[base].0)).unwrap();
    }
    pack.finish().unwrap().path
}

fn assert_read(dir: &Path, path: &Path, objects: &[(Object, Option<usize>)]) -> String {
    let ours = Objects::open(dir).unwrap();
    for (object, _) in objects {
        assert_eq!(ours.read(object.id).unwrap().unwrap().bytes, object.bytes);
    }
    let index = path.with_extension("idx");
    git(dir, &["fsck", "--strict", "--no-dangling"]);
    git(dir, &["verify-pack", "-v", index.to_str().unwrap()])
}

#[test]
fn versions_become_deltas() {
    let dir = repository();
    let text = |version: usize| {
        let rows = (0..200).map(|row| {
            let changed = if row == version { "changed" } else { "as it was" };
            format!("{row},{changed}\n")
        });
        rows.collect::<String>()
    };
    let objects: Vec<(Object, Option<usize>)> =
        (0..30).map(|version| (blob(&text(version)), version.checked_sub(1))).collect();
    let path = pack_of(dir.path(), &objects);
    let report = assert_read(dir.path(), &path, &objects);
    assert!(report.contains(&format!("chain length = {BLOB_DEPTH_MAX}: ")), "{report}");
    assert!(!report.contains(&format!("chain length = {}: ", BLOB_DEPTH_MAX + 1)), "{report}");
    let size = std::fs::metadata(path.with_extension("pack")).unwrap().len();
    assert!(size < 5_000, "30 versions take {size} bytes");
}

/// Sizes around the limits of the numbers' forms, and all kinds.
#[test]
fn every_size_and_kind() {
    let dir = repository();
    let mut state = 7_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let next = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        });
        next.take(length).collect()
    };
    let mut objects = Vec::new();
    for length in [0, 1, 15, 16, 17, 127, 128, 2047, 2048, 2049, 70_000, 1_000_000] {
        let bytes = bytes::Bytes::from(noise(length));
        let id = id_of(Kind::Blob, &bytes).unwrap();
        objects.push((Object { id, kind: Kind::Blob, bytes, base: None }, None));
    }
    let bytes = bytes::Bytes::from_static(b"");
    let id = id_of(Kind::Tree, &bytes).unwrap();
    objects.push((Object { id, kind: Kind::Tree, bytes, base: None }, None));
    let text = format!("tree {id}\nauthor a <b> 1 +0000\ncommitter a <b> 1 +0000\n\nwhy\n");
    let bytes = bytes::Bytes::from(text);
    let id = id_of(Kind::Commit, &bytes).unwrap();
    objects.push((Object { id, kind: Kind::Commit, bytes, base: None }, None));
    let path = pack_of(dir.path(), &objects);
    assert_read(dir.path(), &path, &objects);
}

/// Offsets beyond two gigabytes take another form; the index alone is made here.
#[test]
fn large_offsets() {
    let place = |first: u8, at: u64| Place { id: Revision::from_bytes([first; 20]), at, sum: 7 };
    let mut places = [place(9, 1 << 40), place(1, 12), place(5, LARGE), place(3, LARGE - 1)];
    let index = index_of(&mut places, Revision::from_bytes([0; 20])).unwrap();
    let offsets = 8 + 256 * 4 + 4 * 20 + 4 * 4;
    let number = |at: usize| u32::from_be_bytes(index[at..at + 4].try_into().unwrap());
    let found: Vec<u32> = (0..4).map(|slot| number(offsets + slot * 4)).collect();
    assert_eq!(found, [12, 0x7fff_ffff, 0x8000_0000, 0x8000_0001]);
    assert_eq!(index[offsets + 16..offsets + 24], LARGE.to_be_bytes());
    assert_eq!(index[offsets + 24..offsets + 32], (1_u64 << 40).to_be_bytes());
}

#[test]
fn distances_are_as_git_counts_them() {
    let read = |bytes: &[u8]| {
        let mut value = u64::from(bytes[0] & 0x7f);
        for byte in &bytes[1..] {
            value = (value + 1) << 7 | u64::from(byte & 0x7f);
        }
        value
    };
    for back in [0, 1, 127, 128, 129, 16_511, 16_512, 16_513, 1 << 31, 1 << 40] {
        assert_eq!(read(&distance(back)), back);
    }
}
