//! Engines that are killed, events that are lost, and more of them than anyone can follow.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{lines, peak_kb, versions};
use crate::each;
use crate::world::{World, processes};

#[test]
fn kill_9_of_the_engine_while_a_stage_runs_leaves_no_orphan_and_no_half_output() {
    let marker = format!("killed-{}", std::process::id());
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[stage.s]\ninput = \"raw/a\"\noutput = [\"out/a\", \"out/b\"]\n\
         run = [\"sh\", \"s.sh\", \"{marker}\"]\ngrace = \"500ms\"\n"
    ));
    world.write(
        "s.sh",
        "printf '=====out/a\\n\\thalf\\n'\necho begun >> begun\n\
         test -e go || { setsid sh -c \"sleep 1000 # $1\" & sleep 1000; }\n\
         printf '=====out/b\\n\\twhole\\n'\n",
    );
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"x\n");
    world.wait_for("the stage to be half way", || lines(&world, "begun") == 1);
    up.kill();
    world.wait_for("every child to die with it", || processes(&marker).is_empty());
    assert_eq!((world.content("out/a"), world.content("out/b")), (None, None));
    world.git(&["fsck", "--strict"]);
    world.write("go", "");
    let up = world.up();
    world.wait_for_content("out/b", |content| content == "whole\n");
    assert_eq!(world.content("out/a").as_deref(), Some("half\n"));
    up.stop();
    let commits = |resource: &str| world.git(&["rev-list", "main", "--", resource]);
    assert_eq!(commits("out/a").lines().count(), 1, "exactly one new commit");
    assert_eq!(commits("out/a"), commits("out/b"), "of both");
    assert_eq!(lines(&world, "begun"), 2);
    let scratch = fs::read_dir(world.path(".esker/scratch")).map_or(0, Iterator::count);
    assert_eq!(scratch, 0, "nothing is left in the scratch folder");
}

/// A cable to a port of this machine that can be cut and mended.
struct Cable {
    port: u16,
    is_cut: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let cable = Self {
            port: listener.local_addr().expect("an address").port(),
            is_cut: Arc::default(),
            streams: Arc::default(),
        };
        let (is_cut, streams) = (Arc::clone(&cable.is_cut), Arc::clone(&cable.streams));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(("127.0.0.1", port));
                let Ok(far) = far.map_err(drop).and_then(|far| pass(&near, far)) else { continue };
                let mut streams = streams.lock().expect("no panic");
                streams.extend([near, far]);
                if is_cut.load(Ordering::SeqCst) {
                    hang_up(&mut streams);
                }
            }
        });
        cable
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        hang_up(&mut self.streams.lock().expect("no panic"));
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

fn hang_up(streams: &mut Vec<TcpStream>) {
    for stream in streams.drain(..) {
        drop(stream.shutdown(Shutdown::Both));
    }
}

/// Passes on what either end says, on threads of their own.
fn pass(near: &TcpStream, far: TcpStream) -> Result<TcpStream, ()> {
    for (from, to) in [(near, &far), (&far, near)] {
        let (mut from, mut to) = (from.try_clone().map_err(drop)?, to.try_clone().map_err(drop)?);
        thread::spawn(move || io::copy(&mut from, &mut to));
    }
    Ok(far)
}

/// A hub, and a runner that hears of it through a cable; a stage copies what is put.
fn far_away() -> (World, Vec<crate::world::Running>, Cable) {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.s]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n",
    );
    let hub = world.hub();
    let cable = Cable::to(world.port("/hub/events"));
    let mut endpoints = world.endpoints();
    endpoints["hub"]["events"] = format!("tcp://127.0.0.1:{}", cable.port).into();
    world.write(".esker/endpoints.json", endpoints.to_string());
    let runner = world.start(&["runner"]);
    world.ok_with(&["put", "raw/a"], b"first");
    world.wait_for_content("out/a", |content| content == "first");
    assert!(!cable.streams.lock().expect("no panic").is_empty(), "it hears through the cable");
    (world, vec![runner, hub], cable)
}

#[test]
fn all_events_lost_for_a_while_and_the_state_converges_when_they_come_again() {
    let (world, _running, cable) = far_away();
    cable.cut();
    for number in 0..20 {
        world.ok_with(&["put", "raw/a"], number.to_string().as_bytes());
    }
    cable.mend();
    world.wait_for_content("out/a", |content| content == "19");
    world.ok_with(&["put", "raw/a"], b"last");
    world.wait_for_content("out/a", |content| content == "last");
}

#[test]
fn a_subscriber_that_was_down_converges_when_it_is_there_again() {
    let (world, mut running, cable) = far_away();
    running.remove(0).kill();
    for number in 0..20 {
        world.ok_with(&["put", "raw/a"], number.to_string().as_bytes());
    }
    cable.cut();
    // It hears no event at all, and finds what it missed when it looks.
    running.push(world.start(&["runner"]));
    world.wait_for_content("out/a", |content| content == "19");
    assert_eq!(versions(&world, "out/a"), 2);
}

#[test]
fn a_thousand_puts_in_a_second_are_few_runs_and_the_last_one_wins() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.s]\ninput = \"raw/a\"\noutput = \"out/a\"\n\
         run = [\"sh\", \"-c\", \"echo run >> runs; sed 's/^/f of /'\"]\n",
    );
    let up = world.up();
    let requests = world.port("/hub/requests").to_string();
    world.python("storm.py", &[&requests, "100", "raw/a"]);
    world.wait_for_content("out/a", |content| content == "f of 99\n");
    let (before, peak) = (lines(&world, "runs"), peak_kb(&up));
    world.python("storm.py", &[&requests, "1000", "raw/a"]);
    world.wait_for_content("out/a", |content| content == "f of 999\n");
    let (runs, grown) = (lines(&world, "runs") - before, peak_kb(&up) - peak);
    assert!(runs <= 10, "{runs} runs");
    assert!(grown < 32 * 1024, "the memory has grown by {grown} kB");
    assert_eq!(versions(&world, "raw/a"), 1_100, "and every version is kept");
}

#[test]
fn a_thousand_puts_in_a_second_are_all_seen_with_mode_each() {
    let world = each::world("");
    let up = world.up();
    let versions: Vec<String> = (0..1_000).map(|at| at.to_string()).collect();
    let requests = world.port("/hub/requests").to_string();
    world.python("storm.py", &[&requests, "1000", "raw/a"]);
    // A process for each of them takes its time.
    for some in [250, 500, 750, 1_000] {
        world.wait_for(&format!("{some} runs"), || each::seen(&world).len() >= some);
    }
    world.wait_for_content("out/a", |found| found.trim() == "999");
    assert_eq!(each::seen(&world), versions);
    up.stop();
    let log = world.git(&["rev-list", "--count", "main", "--", "out/a"]);
    assert_eq!(log.trim(), "1000");
}

#[test]
fn a_diamond_with_a_slow_side_never_mixes_versions() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [stage.b]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"mid/b\"\n\
         [stage.c]\ninput = \"raw/a\"\nrun = [\"sh\", \"-c\", \"sleep 0.4; cat\"]\noutput = \"mid/c\"\n\
         [stage.d]\ninput = [\"mid/b\", \"mid/c\"]\nrun = [\"grep\", \"^\\t\"]\noutput = \"out/d\"\n",
    );
    let up = world.up();
    for number in 0..8 {
        let content = format!("version {number}\n");
        world.ok_with(&["put", "raw/a"], content.as_bytes());
        // The quick side is ahead of the slow one each time.
        world.wait_for_content("mid/b", |found| found == content);
    }
    world.wait_for_content("out/d", |found| found == "\tversion 7\n\tversion 7\n");
    up.stop();
    let commits = world.git(&["rev-list", "main", "--", "out/d"]);
    for commit in commits.lines() {
        let shown = world.git(&["show", &format!("{commit}:out/d")]);
        let sides: Vec<&str> = shown.lines().collect();
        assert!(sides.len() == 2 && sides[0] == sides[1], "{commit} mixes {sides:?}");
    }
}
