//! Stock git and git-lfs, run by hand on a store that is being written and read: nothing breaks, on either side.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use esker_wire::name::Resource;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Get, Put};

use crate::fleet::{Client, Fleet};
use crate::world::World;

const CLIENTS: u64 = 8;
/// How often each tool is run.
const ROUNDS: u32 = 4;
/// Above so many bytes a content is a large one, which git-lfs brings.
const LARGE: &str = "4kB";

/// What one client has put: the revision and content of each.
type Work = (Resource, Vec<(Revision, Bytes)>);

/// Puts, and reads what it put last and something older, until it is told to end.
fn put_and_get(mut client: Client, number: u64) -> Work {
    let resource: Resource = format!("storm/{number}").parse().expect("a name");
    let mut work: Vec<(Revision, Bytes)> = Vec::new();
    while !client.is_done() {
        let turn = work.len();
        let lines = 1 + turn * 11 % 300;
        let content = Bytes::from(format!("{number} puts {turn}\n").repeat(lines));
        let stored = client.ask(&Put::one(resource.clone(), content.clone()));
        let stored = stored.expect("a PUT that succeeds");
        work.push((stored.revision, content));
        for (revision, content) in [&work[turn], &work[turn / 2]] {
            let get = Get { at: (*revision).into(), ..Get::head(resource.clone()) };
            let found = client.ask(&get).expect("a GET that succeeds");
            assert!(found.bytes.as_ref() == Some(content), "the bytes of {revision}");
        }
    }
    (resource, work)
}

#[test]
fn git_run_by_hand_breaks_nothing() {
    let world = World::new(&format!("[project]\nname = \"p\"\n[store]\nlarge = \"{LARGE}\"\n"));
    let mut fleet = Fleet::new(&world);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client = fleet.client();
            std::thread::spawn(move || put_and_get(client, number))
        })
        .collect();
    for round in 0..ROUNDS {
        fleet.let_answer(200, std::time::Duration::ZERO);
        world.git(&["log", "--stat", "main"]);
        world.git(&["pack-refs", "--all"]);
        clone_whole(&world, round);
        world.git(&["repack", "-a", "-d", "-q"]);
        clone_without_contents(&world, round);
        world.git(&["gc", "--quiet"]);
    }
    fleet.dismiss();
    let works: Vec<Work> = clients
        .into_iter()
        .map(|client| client.join().expect("a client that fares well"))
        .collect();
    let mut reader = fleet.client();
    for (resource, work) in &works {
        for (revision, content) in work {
            let get = Get { at: (*revision).into(), ..Get::head(resource.clone()) };
            let found = reader.ask(&get).expect("what was acknowledged");
            assert!(found.bytes.as_ref() == Some(content), "the bytes of {revision}");
        }
    }
    fleet.stop();
    world.git(&["fsck", "--strict", "--no-dangling"]);
    let clone = clone_whole(&world, ROUNDS);
    let puts: usize = works.iter().map(|(_, work)| work.len()).sum();
    println!("{puts} PUTs");
    for (resource, work) in works {
        let (_, content) = work.last().expect("each has put");
        let found = std::fs::read(clone.join(resource.as_str())).expect("a file");
        assert!(found == *content, "{resource} in a clone");
    }
}

/// A clone with the large contents too, as git-lfs brings them.
fn clone_whole(world: &World, round: u32) -> std::path::PathBuf {
    let clone = world.path(format!("whole-{round}"));
    clone_to(world, &clone, &[]);
    git(&clone, &["fsck", "--strict"]);
    git(&clone, &["lfs", "install", "--local"]);
    git(&clone, &["lfs", "pull"]);
    assert_eq!(git(&clone, &["status", "--short"]), "");
    clone
}

/// A clone whose contents come when they are asked for.
fn clone_without_contents(world: &World, round: u32) {
    let clone = world.path(format!("partial-{round}"));
    clone_to(world, &clone, &["--filter=blob:none", "--no-checkout"]);
    let objects = git(&clone, &["rev-list", "--objects", "--missing=print", "main"]);
    assert!(objects.contains("\n?"), "no contents came: {objects}");
    let format = git(&clone, &["show", "main:.esker/format"]);
    assert!(format.starts_with("format = "), "{format}");
}

fn clone_to(world: &World, clone: &Path, options: &[&str]) {
    let store = format!("file://{}", world.store().display());
    let clone = clone.to_str().expect("UTF-8");
    git(world.dir(), &[&["clone", "-q"], options, &[&store, clone]].concat());
}

/// Runs git, which may not even warn.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    // Contents are brought by `lfs pull`, not by the clone.
    git.arg("-C").arg(folder).args(arguments).env("GIT_LFS_SKIP_SMUDGE", "1");
    let output = git.output().expect("git runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "git {arguments:?}: {stdout}{stderr}");
    assert!(!stderr.contains("warning"), "git {arguments:?}: {stderr}");
    stdout
}
