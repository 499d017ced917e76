//! A thousand replicas at once: a cut that is encoded once for all of them, beside one for each.
//!
//! First the publisher alone, whose answers are copied once as they would be into a socket; then over sockets; then replicas
//! as they are.

use std::hint::black_box;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::service::{Frames, Outcome, Service};
use esker_replica::ask::{Answer, Ask, Cut, Cutting};
use esker_replica::follow::{Follow, ask};
use esker_replica::frame::{HEADER, Header};
use esker_replica::live;
use esker_replica::model::Model;
use esker_replica::publisher::{Now, Options, Publisher};
use esker_wire::fault::Fault;
use esker_wire::message::Message;

use super::stage::{self, NAME, Stage};
use super::{PATIENCE, made};
use crate::bench::Bench;
use crate::bench::table::{Bound, Case, Rounds, Unit};
use crate::planes;

/// How many times faster than encoding for each a thousand must be served.
const SHARED: Bound = Bound::AtLeast(40.0, 60.0);

/// One of so many is served by encoding for each; the others would only take as long.
const SAMPLED: usize = 40;

/// About how many bytes a replica takes for each leaf while it fetches a model.
const LEAF_BYTES: u64 = 120;

/// About how many bytes a replica takes besides.
const REPLICA_BYTES: u64 = 1_000_000;

/// Runs the cases.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let sizes = bench.sizes.model;
    let (count, width) = (sizes.crowd, sizes.crowd_width);
    let leaves = width.pow(3);
    bench.begin(&format!("{count} at once fetch {leaves} leaves"));
    planes::allow_files();
    let sample = count.div_ceil(SAMPLED);
    let name = || format!("encoded for each (measured with {sample})");
    let scaled = |took: f64| took * count as f64 / sample as f64;
    let seconds = |values| Rounds::new(Unit::Seconds, values);

    let (mut shared, mut anew) = (Anew::new(width), Anew::new(width));
    let mut ours = |_: usize| shared.serve(count, false);
    let mut theirs = |_: usize| anew.serve(sample, true).map(scaled);
    let [ours, theirs] = bench.rounds([&mut ours, &mut theirs])?;
    let what = format!("a publisher gives {leaves} leaves to {count} at once");
    let case = Case::new("model-storm", what, seconds(ours)).against(name(), seconds(theirs));
    bench.table.push(case.bound(SHARED));

    let shared = Stage::new(width)?;
    let anew = Bus::start()?.serve("anew", Anew::new(width), &stage::free_ports())?;
    let mut dice = made::Dice::new(11);
    let mut ours = |_: usize| {
        // The cut of the last round does not do, or nothing would be encoded.
        let from = shared.source.change(vec![made::change(&mut dice, width)])?;
        storm(&shared.at(), count, from)
    };
    let mut theirs = |_: usize| storm(&stage::at(&anew), sample, 0).map(scaled);
    let [ours, theirs] = bench.rounds([&mut ours, &mut theirs])?;
    let what = "the same over sockets, client and publisher on this machine";
    let case = Case::new("model-storm-sockets", what, seconds(ours));
    bench.table.push(case.against(name(), seconds(theirs)));
    drop((shared, anew));
    replicas(bench, count, sizes.replicas_width)
}

/// Replicas as they are, all at once: until the last has verified what it has.
fn replicas(bench: &mut Bench, count: usize, width: usize) -> Result<()> {
    let leaves = width.pow(3);
    let key = "model-storm-replicas";
    let what =
        format!("{count} replicas of {leaves} leaves, all at once, until the last is in step");
    let needed = count as u64 * (leaves as u64 * LEAF_BYTES + REPLICA_BYTES);
    if bench.lacks_memory(needed, (key, &what)) {
        return Ok(());
    }
    bench.begin(&format!("{count} replicas at once that keep {leaves} leaves"));
    let stage = Stage::new(width)?;
    let digest = stage.source.model()?.digest();
    let begun = Instant::now();
    let seeds = 0..count as u64;
    let follows = seeds.map(|seed| stage.follow(seed)).collect::<Result<Vec<Follow>>>()?;
    for follow in &follows {
        stage::wait_for(follow, digest, begun)?;
    }
    let took = Rounds::one(Unit::Seconds, begun.elapsed().as_secs_f64());
    bench.table.push(Case::new(key, what, took));
    Ok(())
}

/// So many ask at once for all of a model, each over a connection of its own: the seconds until the last has it.
fn storm(at: &Endpoint, count: usize, from: u64) -> Result<f64> {
    let bus = Bus::start()?;
    let (done, results) = mpsc::channel();
    let begun = Instant::now();
    for _ in 0..count {
        let (caller, done) = (bus.caller(at), done.clone());
        bus.spawn(async move {
            // Who waits may have given up.
            drop(done.send(fetch(&caller, from).await));
        });
    }
    let sizes = (0..count).map(|_| next(&results)).collect::<Result<Vec<usize>>>()?;
    let took = begun.elapsed().as_secs_f64();
    if sizes.contains(&0) {
        bail!("a model is fetched that has nothing in it");
    }
    Ok(took)
}

fn next(results: &Receiver<Result<usize>>) -> Result<usize> {
    results.recv_timeout(PATIENCE).context("not all are answered")?
}

/// Asks as a replica does, and keeps nothing: how many bytes it is given.
async fn fetch(caller: &Caller, from: u64) -> Result<usize> {
    let cut = cut(caller, from).await?;
    let mut bytes = 0;
    for index in 0.. {
        let chunk = Ask::Chunk { cut: cut.cut, index, zstd: true };
        let (_, Answer::Frame(frame)) = ask(caller, NAME, &chunk).await? else {
            bail!("CHUNK is answered with something else");
        };
        bytes += frame.len();
        if is_last(&frame)? {
            break;
        }
    }
    Ok(bytes)
}

/// Asks for a cut that is no older than this transaction, as a replica does.
pub(super) async fn cut(caller: &Caller, from: u64) -> Result<Cutting> {
    ask(caller, NAME, &Ask::Hello).await?;
    let wish = Cut { from, ..Cut::default() };
    match ask(caller, NAME, &Ask::Cut(wish)).await? {
        (_, Answer::Cut(cut)) => Ok(cut),
        _ => bail!("CUT is answered with something else"),
    }
}

/// Whether a chunk is the last one.
pub(super) fn is_last(frame: &[u8]) -> Result<bool> {
    let header = frame.get(..HEADER).context("a chunk has no header")?;
    Ok(Header::from_bytes(header)?.last)
}

/// A publisher that, as a service, makes a cut for each who asks, and so encodes the model for each.
struct Anew {
    publisher: Publisher,
    width: usize,
    dice: made::Dice,
    begun: Instant,
}

impl Anew {
    fn new(width: usize) -> Self {
        let mut model = Model::default();
        model.take(&made::whole(width), 1);
        let publisher = Publisher::with(Options::new(NAME, 1), model);
        Self { publisher, width, dice: made::Dice::new(13), begun: Instant::now() }
    }

    fn now(&self) -> Now {
        Now { since: self.begun.elapsed(), wall: 0 }
    }

    /// Changes something: the transaction that a cut must have so that it cannot be one from before.
    fn change(&mut self) -> Result<u64, Fault> {
        let now = self.now();
        self.publisher.change(&[made::change(&mut self.dice, self.width)], now)?;
        Ok(self.publisher.seq())
    }

    /// The seconds until so many have been given all of the model, of a cut for each or of one for all.
    fn serve(&mut self, count: usize, is_for_each: bool) -> Result<f64> {
        let mut socket = Vec::new();
        let begun = Instant::now();
        let mut from = self.change()?;
        for one in 0..count {
            if is_for_each && one > 0 {
                from = self.change()?;
            }
            self.give(from, &mut socket)?;
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    fn give(&mut self, from: u64, socket: &mut Vec<u8>) -> Result<()> {
        let (epoch, now) = (self.publisher.epoch(), self.now());
        let wish = Ask::Cut(Cut { from, ..Cut::default() });
        let Answer::Cut(cut) = self.publisher.answer(&wish, now).0.now()? else {
            bail!("CUT is answered with something else");
        };
        for index in 0.. {
            let chunk = Ask::Chunk { cut: cut.cut, index, zstd: true };
            let answer = self.publisher.answer(&chunk, now).0.now()?;
            socket.clear();
            for frame in answer.to_message(epoch).to_frames() {
                socket.extend_from_slice(black_box(&frame));
            }
            if matches!(&answer, Answer::Frame(frame) if is_last(frame)?) {
                break;
            }
        }
        Ok(())
    }

    fn answer(&mut self, request: &Frames) -> Result<Outcome, Fault> {
        let mut ask = Ask::from_message(&Message::from_frames(request)?)?;
        let now = self.now();
        if let Ask::Cut(cut) = &mut ask {
            cut.from = self.change()?;
        }
        let (reply, _) = self.publisher.answer(&ask, now);
        Ok(live::outcome(reply, self.publisher.epoch()))
    }
}

impl Service for Anew {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests.iter().map(|request| self.answer(request).into()).collect()
    }

    fn is_dear(&self, request: &Frames) -> bool {
        let head = request.first().map(AsRef::as_ref).unwrap_or_default();
        head.starts_with(b"=====esker/1 CHUNK")
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}
