//! However long the history is and wherever its pages are cut: every commit comes once, whole, in order.

use esker_bus::bus::{Binds, Bus};
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::message::{Message, Request as _};
use esker_wire::snapshot::{Page, Resolve, Resolved};

use super::*;

/// A store whose branches have so many commits, each of which changed one to three resources.
struct Long(u32);

fn revision(number: u32) -> Revision {
    format!("{number:040x}").parse().expect("a revision")
}

fn number(revision: Revision) -> u32 {
    u32::from_str_radix(&revision.to_string(), 16).expect("a number")
}

fn entry(commit: u32, part: u32) -> Entry {
    Entry {
        resource: format!("raw/r{part}").parse().expect("a name"),
        asked: None,
        moved_from: None,
        revision: revision(commit),
        previous: None,
        blob: Some(revision(1)),
        content_id: None,
        size: 1,
        pruned: None,
        content_type: None,
        time: Timestamp::from_second(i64::from(commit / 7)).expect("a time"),
        author: "a <a@b>".to_owned(),
        summary: String::new(),
        provenance: None,
    }
}

impl Long {
    fn page(&self, log: &Log) -> Page {
        let since = log
            .filter
            .since
            .as_ref()
            .map_or(0, |at| number(at.to_string().parse().expect("a revision")));
        let all = (since + 1..=self.0).rev();
        let all = all.flat_map(|commit| (0..=commit % 3).map(move |part| entry(commit, part)));
        let mut left: Vec<Entry> = all.collect();
        if let Some(after) = &log.after {
            let is_mark = |entry: &Entry| {
                entry.revision == after.revision && Some(&entry.resource) == after.resource.as_ref()
            };
            let at = left.iter().position(is_mark).expect("the mark");
            left.drain(..=at);
        }
        let is_last = left.len() <= log.limit as usize;
        left.truncate(log.limit as usize);
        let next = left
            .last()
            .filter(|_| !is_last)
            .map(|entry| Mark { revision: entry.revision, resource: Some(entry.resource.clone()) });
        Page { entries: left, next }
    }
}

impl Service for Long {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let answer = |frames: &Frames| {
            let message = Message::from_frames(frames).expect("a message");
            let reply = match message.verb() {
                "LOG" => {
                    let log = Log::from_message(&message).expect("a log");
                    Log::reply_to_message(&self.page(&log))
                }
                _ => Resolve::reply_to_message(&Resolved {
                    revision: revision(self.0),
                    time: Timestamp::UNIX_EPOCH,
                    summary: String::new(),
                    project: None,
                }),
            };
            Outcome::reply(reply.to_frames())
        };
        requests.iter().map(answer).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

#[test]
fn every_commit_comes_once_whole_and_in_order() {
    let bus = Bus::start().expect("a bus");
    for (length, since) in [(1, 0), (3, 2), (249, 0), (250, 0), (1_300, 0), (1_300, 900)] {
        let server = bus.serve("long", Long(length), &Binds::default()).expect("served");
        let caller = bus.caller(&server.local());
        let known = (since > 0).then(|| revision(since));
        let position = Position { main: known, records: known };
        let mut both = Both::since(&caller, position, None).expect("a history");
        let mut seen = [since, since];
        let mut last = Timestamp::UNIX_EPOCH;
        while let Some(commit) = both.next().expect("a commit") {
            let seen = &mut seen[usize::from(commit.is_record)];
            *seen += 1;
            assert_eq!(number(commit.revision), *seen);
            let names: Vec<&str> = commit.entries.iter().map(|one| one.resource.as_str()).collect();
            assert_eq!(names, ["raw/r0", "raw/r1", "raw/r2"][..=(*seen % 3) as usize], "{seen}");
            assert!(commit.time >= last, "what is older comes first");
            last = commit.time;
        }
        assert_eq!(seen, [length, length], "since {since}");
        server.shutdown();
    }
}
