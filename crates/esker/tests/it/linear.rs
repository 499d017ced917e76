//! Sixteen clients that read and write three resources at once, while the hub is killed under them: all that
//! they saw can be told as one thing after the other.
//!
//! `ESKER_KILLS=100` kills it more often than an ordinary run does. Why the check is a complete one is said in its file.

mod checker;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_wire::fault::Code;
use esker_wire::name::Resource;
use esker_wire::snapshot::{Entry, Expect, Get, LOG_MAX, Log, Put};

use self::checker::{Deed, Operation, Outcome, Version, check};
use crate::fleet::{Chance, Client, Fleet, kills};
use crate::world::World;

const CLIENTS: u64 = 16;
const RESOURCES: [&str; 3] = ["race/a", "race/b", "race/c"];
/// How often an ordinary run kills the hub.
const KILLS: u32 = 10;

/// A head as one client has seen it last.
type Seen = Option<Expect>;

/// One client's work, and what it has seen and done of each resource.
struct Racer {
    client: Client,
    number: u64,
    epoch: Instant,
    chance: Chance,
    seen: [Seen; 3],
    history: [Vec<Operation>; 3],
}

fn resource(which: usize) -> Resource {
    RESOURCES[which].parse().expect("a name")
}

impl Racer {
    /// Reads and writes until it is told to end.
    fn race(mut self) -> [Vec<Operation>; 3] {
        let mut turn = 0;
        while !self.client.is_done() {
            turn += 1;
            let which = self.chance.below(3) as usize;
            match self.chance.below(10) {
                0..3 => self.read(which),
                3..5 => self.write(which, turn, None),
                5..7 => self.write(which, turn, self.seen[which]),
                // What was seen just now is likely to be still there.
                _ => {
                    self.read(which);
                    self.write(which, turn, self.seen[which]);
                }
            }
        }
        self.history
    }

    fn note(&mut self, which: usize, begun: Instant, ended: Instant, deed: Deed) {
        let (begun, ended) = (begun - self.epoch, ended - self.epoch);
        self.history[which].push(Operation { begun, ended, deed });
    }

    fn read(&mut self, which: usize) {
        let asked = self.client.ask(&Get::head(resource(which)));
        let found = match asked.reply {
            // What nobody answered tells nothing.
            None => return,
            Some(Ok(content)) => {
                let bytes = content.bytes.expect("the content was asked for");
                self.seen[which] = Some(Expect::Revision(content.entry.revision));
                Some((content.entry.revision.to_string(), text(&bytes)))
            }
            Some(Err(fault)) => {
                assert_eq!(fault.code, Code::NotFound, "{fault:?}");
                self.seen[which] = Some(Expect::Absent);
                None
            }
        };
        self.note(which, asked.begun, asked.ended, Deed::Read(found));
    }

    fn write(&mut self, which: usize, turn: u64, expected: Seen) {
        let content = format!("{} {turn}\n", self.number);
        let mut put = Put::one(resource(which), Bytes::from(content.clone()));
        put.items[0].if_head = expected;
        let asked = self.client.ask(&put);
        let outcome = match asked.reply {
            None => Outcome::Unknown,
            Some(Ok(stored)) => {
                let item = &stored.items[0];
                let revision = item.revision.expect("it was put");
                self.seen[which] = Some(Expect::Revision(revision));
                let previous = item.previous.map(|revision| revision.to_string());
                Outcome::Stored { revision: revision.to_string(), previous }
            }
            Some(Err(fault)) => match fault.code {
                Code::Conflict => Outcome::Conflict,
                Code::Busy | Code::NotWritable => Outcome::Refused,
                _ => panic!("{fault:?}"),
            },
        };
        let expected = expected.map(|expect| match expect {
            Expect::Absent => None,
            Expect::Revision(revision) => Some(revision.to_string()),
        });
        self.note(which, asked.begun, asked.ended, Deed::Write { content, expected, outcome });
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn all_that_clients_see_is_one_story() {
    let seed = Chance::fresh();
    let world = World::new("[project]\nname = \"p\"\n");
    let mut fleet = Fleet::new(&world);
    let epoch = Instant::now();
    let racers: Vec<Racer> = (0..CLIENTS)
        .map(|number| Racer {
            client: fleet.client(),
            number,
            epoch,
            chance: Chance::new(seed.wrapping_add(number)),
            seen: [None; 3],
            history: Default::default(),
        })
        .collect();
    let racers: Vec<_> =
        racers.into_iter().map(|racer| std::thread::spawn(move || racer.race())).collect();
    let mut chance = Chance::new(seed);
    let kills = kills(KILLS);
    for kill in 1..=kills {
        let pause = Duration::from_micros(chance.below(20_000));
        fleet.let_answer(50 + chance.below(500), pause);
        if kill == kills {
            fleet.dismiss();
        }
        fleet.kill();
        fleet.restart();
    }
    let mut history: [Vec<Operation>; 3] = Default::default();
    for racer in racers {
        let of_one = racer.join().expect("a client that fares well");
        history.iter_mut().zip(of_one).for_each(|(all, one)| all.extend(one));
    }
    let logs: Vec<Vec<Entry>> = (0..3).map(|which| log(&mut fleet.client(), which)).collect();
    fleet.stop();
    for (which, (entries, history)) in logs.iter().zip(&history).enumerate() {
        let chain = versions(&world, entries);
        println!("{}: {} versions, {}", RESOURCES[which], chain.len(), tell(history));
        as_git_has_it(&world, RESOURCES[which], &chain);
        if let Err(error) = check(&chain, history) {
            panic!("{} (seed {seed}): {error}\n{}", RESOURCES[which], world.logs());
        }
    }
}

/// All revisions of a resource, oldest first.
fn log(client: &mut Client, which: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut ask = Log { resource: Some(resource(which)), ..Log::newest(LOG_MAX) };
    loop {
        let page = client.insist(&ask).expect("a page");
        entries.extend(page.entries);
        ask.after = page.next;
        if ask.after.is_none() {
            entries.reverse();
            return entries;
        }
    }
}

/// The versions with their contents, as plain git reads them.
fn versions(world: &World, entries: &[Entry]) -> Vec<Version> {
    let blobs: Vec<String> =
        entries.iter().map(|entry| entry.blob.expect("never removed").to_string()).collect();
    let contents = blobs_of(world, &blobs);
    let version = |(entry, content): (&Entry, String)| Version {
        revision: entry.revision.to_string(),
        previous: entry.previous.map(|revision| revision.to_string()),
        content,
    };
    entries.iter().zip(contents).map(version).collect()
}

/// The contents of blobs of one line each.
fn blobs_of(world: &World, blobs: &[String]) -> Vec<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(world.store()).args(["cat-file", "--batch"]);
    let git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut git = git.expect("git runs");
    let mut stdin = git.stdin.take().expect("piped");
    let asked = blobs.join("\n") + "\n";
    let feeder = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let output = git.wait_with_output().expect("git ends");
    feeder.join().expect("fed").expect("written");
    let text = text(&output.stdout);
    // A line about the blob, its one line, and an empty one.
    text.lines().skip(1).step_by(3).map(|line| format!("{line}\n")).collect()
}

/// Plain git tells the same chain.
fn as_git_has_it(world: &World, name: &str, chain: &[Version]) {
    let told = world.git(&["rev-list", "--reverse", "main", "--", name]);
    let revisions: Vec<&str> = chain.iter().map(|version| version.revision.as_str()).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), revisions, "{name} in git and in LOG");
}

/// What the run was like, for whoever reads its output; and that it was worth while.
fn tell(history: &[Operation]) -> String {
    let count = |is: fn(&Deed) -> bool| history.iter().filter(|did| is(&did.deed)).count();
    let reads = count(|deed| matches!(deed, Deed::Read(_)));
    let swaps = count(|deed| {
        matches!(deed, Deed::Write { expected: Some(_), outcome: Outcome::Stored { .. }, .. })
    });
    let conflicts = count(|deed| matches!(deed, Deed::Write { outcome: Outcome::Conflict, .. }));
    let unknown = count(|deed| matches!(deed, Deed::Write { outcome: Outcome::Unknown, .. }));
    assert!(reads > 0 && swaps > 0 && conflicts > 0, "the clients met");
    format!("{reads} reads, {swaps} swaps, {conflicts} conflicts, {unknown} unknown")
}
