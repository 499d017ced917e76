//! Thirty-two clients put as fast as they can while the hub is killed: what was acknowledged is there, byte for byte, and
//! git finds nothing wrong, neither in what the kill left behind nor in what esker made of it.
//!
//! `ESKER_KILLS=200` kills it more often than an ordinary run does.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use esker_wire::name::Resource;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, Health, Put};

use crate::fleet::{Chance, Client, Fleet, kills};
use crate::world::World;

const CLIENTS: u64 = 32;
/// How often an ordinary run kills the hub.
const KILLS: u32 = 10;
/// How often the hub of one store is killed: git's checks take longer the more there is.
const KILLS_EACH: u32 = 25;

/// What one client put between two kills.
struct Work {
    resource: Resource,
    /// What was acknowledged, in this order.
    acknowledged: Vec<(Revision, Bytes)>,
    /// What the kill left unanswered.
    unanswered: Option<Bytes>,
}

/// What there was in all.
#[derive(Default)]
struct Total {
    acknowledged: usize,
    unanswered: usize,
    /// Not answered, and yet stored.
    kept: usize,
}

/// Puts until it is told to end or the hub is killed.
fn put(mut client: Client, kill: u32, number: u64) -> Work {
    let resource: Resource = format!("storm/{number}").parse().expect("a name");
    let mut acknowledged = Vec::new();
    let mut unanswered = None;
    for turn in 0_u64.. {
        if client.is_done() {
            break;
        }
        // Some are small, some fill several blocks of the disk.
        let lines = 1 + (turn * 7 + number) % 300;
        let line = format!("{number} puts {turn} before kill {kill}\n");
        let content = Bytes::from(line.repeat(lines as usize));
        let reply = client.ask(&Put::one(resource.clone(), content.clone())).reply;
        let Some(reply) = reply else {
            unanswered = Some(content);
            break;
        };
        let stored = reply.expect("nothing speaks against it");
        acknowledged.push((stored.revision, content));
    }
    Work { resource, acknowledged, unanswered }
}

#[test]
fn a_storm_under_kills_loses_nothing() {
    let seed = Chance::fresh();
    let mut chance = Chance::new(seed);
    let kills = kills(KILLS);
    let mut total = Total::default();
    println!("seed {seed}");
    for first in (0..kills).step_by(KILLS_EACH as usize) {
        one_store(&mut chance, KILLS_EACH.min(kills - first), &mut total);
    }
    let Total { acknowledged, unanswered, kept } = total;
    println!("{kills} kills: {acknowledged} acknowledged, {unanswered} not, {kept} of those kept");
}

/// One store whose hub is killed so often.
fn one_store(chance: &mut Chance, kills: u32, total: &mut Total) {
    let world = World::new("[project]\nname = \"p\"\n");
    let mut fleet = Fleet::new(&world);
    let mut known: HashSet<Revision> = HashSet::from([tip(&world)]);
    for kill in 0..kills {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let client = fleet.client();
                std::thread::spawn(move || put(client, kill, number))
            })
            .collect();
        fleet.let_answer(20 + chance.below(80), Duration::from_micros(chance.below(10_000)));
        fleet.kill();
        fleet.dismiss();
        // Before esker has mended anything.
        fsck(&world);
        let left = tip(&world);
        fleet.restart();
        let works: Vec<Work> =
            clients.into_iter().map(|client| client.join().expect("a client's work")).collect();
        let mut reader = fleet.client();
        for work in &works {
            known.extend(work.acknowledged.iter().map(|(revision, _)| *revision));
            known.extend(all_there(&mut reader, work, total));
        }
        let head = reader.insist(&Health).expect("health").head.expect("a commit");
        world.wait_for("git to see what was acknowledged", || tip(&world) == head);
        fsck(&world);
        for tip in [left, head] {
            assert!(known.contains(&tip), "{tip} was neither acknowledged nor under way");
        }
    }
    fleet.stop();
    fsck(&world);
    let told = world.git(&["rev-list", "main"]);
    let told: HashSet<Revision> =
        told.lines().map(|line| line.parse().expect("a revision")).collect();
    assert_eq!(told, known, "the history is what was acknowledged or under way");
}

fn fsck(world: &World) {
    world.git(&["fsck", "--strict", "--no-dangling"]);
}

/// Where plain git sees the branch.
fn tip(world: &World) -> Revision {
    world.git(&["rev-parse", "main"]).trim().parse().expect("a revision")
}

/// Every acknowledged PUT of a client is there with its bytes, and behind the last one nothing but what was under way:
/// its revision.
fn all_there(reader: &mut Client, work: &Work, total: &mut Total) -> Option<Revision> {
    let mut get = Get::head(work.resource.clone());
    for (revision, content) in &work.acknowledged {
        get.at = At::from(*revision);
        let found = reader.insist(&get).expect("an acknowledged PUT");
        assert!(found.entry.revision == *revision, "{revision} of {}", work.resource);
        assert!(found.bytes.as_ref() == Some(content), "the bytes of {revision}");
    }
    total.acknowledged += work.acknowledged.len();
    total.unanswered += usize::from(work.unanswered.is_some());
    get.at = At::head();
    let head = reader.insist(&get).ok()?;
    let last = work.acknowledged.last().map(|(_, content)| content);
    let is_kept = work.unanswered.is_some() && head.bytes == work.unanswered;
    assert!(is_kept || last.is_none() || head.bytes.as_ref() == last, "{}", work.resource);
    total.kept += usize::from(is_kept);
    is_kept.then_some(head.entry.revision)
}
