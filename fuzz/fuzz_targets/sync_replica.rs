//! A replica that is told anything by anybody does not panic or grow; an honest publisher afterwards brings it in step.
#![no_main]

use std::time::Duration;

use bytes::Bytes;
use esker_replica::ask::{Answer, Ask, Cutting, Hello, Page, Replayed};
use esker_replica::digest::Digest;
use esker_replica::frame::{Frame, Header, Type};
use esker_replica::op::Op;
use esker_replica::path::{Path, path};
use esker_replica::publisher::{Now, Options, Publisher};
use esker_replica::replica::{self, Replica, State, Wish};
use esker_wire::fault::{Code, Fault};
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const KINDS: [Type; 6] =
    [Type::Delta, Type::Heartbeat, Type::Bye, Type::Chunk, Type::Diff, Type::Nodes];

/// A number that is often close to what is true.
fn near(u: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match u.int_in_range(0..=9)? {
        0 => u64::arbitrary(u)?,
        1 => u64::MAX,
        _ => u.int_in_range(0..=6)?,
    })
}

fn digest(u: &mut Unstructured<'_>, publisher: &Publisher) -> Result<Digest> {
    Ok(if bool::arbitrary(u)? { publisher.model().digest() } else { Digest(u128::arbitrary(u)?) })
}

fn some_path(u: &mut Unstructured<'_>) -> Result<Path> {
    let keys = ["a", "b", "", "\0"];
    let count = u.int_in_range(0..=3)?;
    (0..count).map(|_| u.choose(&keys).copied()).collect::<Result<Vec<_>>>().map(path)
}

fn frame(u: &mut Unstructured<'_>, publisher: &Publisher, kind: Option<Type>) -> Result<Frame> {
    let kind = match kind {
        Some(kind) => kind,
        None => *u.choose(&KINDS)?,
    };
    let ops: u32 = u.int_in_range(0..=4)?;
    let body: Bytes = if bool::arbitrary(u)? {
        let ops = (0..ops).map(|_| op(u)).collect::<Result<Vec<_>>>()?;
        esker_replica::op::encode(&ops).into()
    } else {
        <Vec<u8>>::arbitrary(u)?.into()
    };
    let sections = [path::<&str>([]), path(["a"]), path(["b"])];
    let mut true_one = Publisher::new(Options::new("m", 1));
    let section = match u.choose_index(4)? {
        3 => u64::arbitrary(u)?,
        at => {
            let named = match sections[at].as_slice() {
                [] => true_one.bye(Now::default()),
                keys => {
                    let op = Op::set([keys, &path(["x"])].concat(), 1_i64);
                    true_one.change(&[op], Now::default()).expect("a change").remove(0)
                }
            };
            Header::from_bytes(&named[1]).expect("ours").section
        }
    };
    let parts = u.int_in_range(1..=3)?;
    let header = Header {
        last: bool::arbitrary(u)?,
        epoch: near(u)?,
        seq: near(u)?,
        prev: near(u)?,
        after: digest(u, publisher)?,
        section,
        ops,
        part: u.int_in_range(0..=parts - 1)?,
        parts,
        ..Header::new(kind)
    };
    Ok(Frame { header, body })
}

fn op(u: &mut Unstructured<'_>) -> Result<Op> {
    use esker_replica::op::Act;
    let mut path = some_path(u)?;
    let act = match u.int_in_range(0..=3)? {
        0 => Act::Delete,
        1 => Act::Dict,
        2 => Act::Clear,
        _ => Act::Set(i64::arbitrary(u)?.into()),
    };
    if path.is_empty() && matches!(act, Act::Set(_) | Act::Delete) {
        path.push("a".into());
    }
    Ok(Op { path, act })
}

fn cutting(u: &mut Unstructured<'_>, publisher: &Publisher) -> Result<Cutting> {
    Ok(Cutting { cut: near(u)?, seq: near(u)?, digest: digest(u, publisher)?, nodes: near(u)? })
}

/// What a liar answers.
fn lie(u: &mut Unstructured<'_>, publisher: &Publisher, ask: &Ask) -> Result<Answer> {
    let one = |u: &mut Unstructured<'_>, kind| {
        Ok::<_, libfuzzer_sys::arbitrary::Error>(frame(u, publisher, kind)?.to_one(bool::arbitrary(u)?))
    };
    let other = u.int_in_range(0..=15)? == 0;
    Ok(match ask {
        Ask::Hello if !other => Answer::Hello(Hello {
            epoch: near(u)?,
            seq: near(u)?,
            digest: digest(u, publisher)?,
            first: near(u)?,
            events: String::new(),
            nodes: near(u)?,
            writable: false,
            junctions: vec![some_path(u)?],
        }),
        Ask::Cut(_) if !other => Answer::Cut(cutting(u, publisher)?),
        Ask::Replay(_) => {
            let count = u.int_in_range(0..=3)?;
            let frames = (0..count).map(|_| one(u, Some(Type::Delta))).collect::<Result<_>>()?;
            Answer::Replayed(Replayed { seq: near(u)?, more: bool::arbitrary(u)?, frames })
        }
        Ask::Get { .. } | Ask::Diff(_) => {
            let kind = if matches!(ask, Ask::Diff(_)) { Type::Diff } else { Type::Chunk };
            let next = if bool::arbitrary(u)? { Some(some_path(u)?) } else { None };
            Answer::Page(Page { of: cutting(u, publisher)?, frame: one(u, Some(kind))?, next })
        }
        Ask::Nodes { .. } => Answer::Frame(one(u, Some(Type::Nodes))?),
        _ => Answer::Frame(one(u, Some(Type::Chunk))?),
    })
}

struct World {
    publisher: Publisher,
    replica: Replica,
    now: Duration,
}

impl World {
    fn now(&self) -> Now {
        Now { since: self.now, wall: 0 }
    }

    /// What is wished is answered by the publisher, or by a liar as long as there is anything to make lies of.
    fn serve(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..100 {
            let Some(wish) = self.replica.wish() else { break };
            let Wish::Ask(id, ask) = wish else { continue };
            let epoch = near(u)?;
            let answer = match u.int_in_range(0..=3)? {
                0 => Err(Fault::new(*u.choose(&[Code::Gone, Code::Timeout])?, "a lie")),
                1 => self.honest(&ask),
                _ => Ok((epoch, lie(u, &self.publisher, &ask)?)),
            };
            self.replica.answer(id, answer, self.now);
        }
        Ok(())
    }

    fn honest(&mut self, ask: &Ask) -> std::result::Result<(u64, Answer), Fault> {
        let now = self.now();
        let answer = self.publisher.answer(ask, now).0.now()?;
        Ok((self.publisher.epoch(), answer))
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=5)? {
            0 => {
                let frame = frame(u, &self.publisher, None)?;
                self.replica.frame(&frame.header.to_bytes(), frame.body, self.now);
            }
            1 => {
                let bytes = <Vec<u8>>::arbitrary(u)?;
                self.replica.frame(&bytes[..bytes.len().min(72)], bytes.clone().into(), self.now);
            }
            2 | 3 => {
                let now = self.now();
                let op = op(u)?;
                let mut published = self.publisher.change(&[op], now).unwrap_or_default();
                published.extend(self.publisher.tick(now));
                for [_, header, body] in published {
                    if u.int_in_range(0..=4)? > 0 {
                        self.replica.frame(&header, body, self.now);
                    }
                }
            }
            _ => {
                self.now += Duration::from_millis(u.int_in_range(0..=5000)?);
                self.replica.tick(self.now);
            }
        }
        self.serve(u)
    }

    fn is_in_step(&self, sections: &[Path]) -> bool {
        let (mut ours, mut theirs) = (self.replica.model().clone(), self.publisher.model().clone());
        let same = match sections {
            [] => ours == theirs,
            some => some.iter().all(|one| ours.digest_at(one) == theirs.digest_at(one)),
        };
        same && self.replica.state() == State::Live
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    let some = bool::arbitrary(&mut u).unwrap_or(false);
    let sections = if some { vec![path(["a"]), path(["b"])] } else { Vec::new() };
    let options = replica::Options { sections: sections.clone(), seed: 1 };
    let publisher = Publisher::new(Options { ring_bytes_max: 2000, ..Options::new("m", 3) });
    let mut world = World { publisher, replica: Replica::new(options), now: Duration::from_secs(1) };
    while !u.is_empty() && world.step(&mut u).is_ok() {}
    // A publisher of a later epoch than anybody made up, unless that cannot be.
    let claimed = world.replica.last().map_or(0, |(epoch, _)| epoch);
    let Some(epoch) = claimed.max(10).checked_add(1) else { return };
    let model = world.publisher.model().clone();
    world.publisher = Publisher::with(Options::new("m", epoch), model);
    for _ in 0..3000 {
        world.now += Duration::from_millis(100);
        let now = world.now();
        if world.now.as_millis() % 1000 < 100 {
            for [_, header, body] in world.publisher.tick(now) {
                world.replica.frame(&header, body, world.now);
            }
        }
        world.replica.tick(world.now);
        for _ in 0..1000 {
            let Some(wish) = world.replica.wish() else { break };
            let Wish::Ask(id, ask) = wish else { continue };
            let answer = world.honest(&ask);
            world.replica.answer(id, answer, world.now);
        }
        if world.is_in_step(&sections) {
            assert_eq!(world.replica.model().recompute(), world.replica.model().digest());
            return;
        }
    }
    panic!("never in step: {:?} {:?}", world.replica.state(), world.replica.counts());
});
