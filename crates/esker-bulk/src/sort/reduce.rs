//! The second half: threads take partitions in the order of the output, sort each, and write it when it is its turn.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use esker_wire::bulk::Label;

use crate::client::Client;
use crate::sort::input::Inputs;
use crate::sort::map::Mapped;
use crate::sort::order;
use crate::sort::runs::{Ranked, Runs};
use crate::sort::shape::{Record, Shape, Tally};
use crate::sort::splitters::Plan;
use crate::sort::{Error, Progress, Sort, Space, all_of, disorder};

/// How often it is looked whether it is to end.
const LOOK: Duration = Duration::from_millis(100);
/// Why a lock is never poisoned.
const HELD: &str = "nothing panics while it holds the output";
/// How many bytes are gathered before they are written, of partitions that are not in memory.
const GATHER: usize = 1024 * 1024;

/// What was written.
pub(crate) struct Reduced {
    /// How many records.
    pub(crate) written: u64,
    /// How many bytes of runs went to disk.
    pub(crate) spilled: u64,
}

/// Sorts the partitions of a space that was sealed, and writes them.
///
/// # Errors
/// A fault if anything is missing or cannot be kept; [`Error::Output`]; [`Error::Stopped`].
pub(crate) fn reduce(
    space: &Space<'_>,
    asked: &Sort,
    (inputs, plan, mapped): (&Inputs, &Plan, &Mapped),
    progress: &Progress,
    output: &mut (dyn Write + Send),
) -> Result<Reduced, Error> {
    let state = State {
        next: 0,
        output,
        last: None,
        written: Tally::default(),
        dropped: Tally::default(),
        spilled: 0,
    };
    let reducer = Reducer {
        space,
        asked,
        shape: inputs.shape(),
        at_once: plan.at_once,
        mapped,
        progress,
        taken: AtomicUsize::new(0),
        state: Mutex::new(state),
        turned: Condvar::new(),
    };
    let ended: Vec<Result<(), Error>> = thread::scope(|scope| {
        let all: Vec<_> = (0..asked.threads).map(|_| scope.spawn(|| reducer.run())).collect();
        all.into_iter().map(|one| one.join().expect("a reducer does not panic")).collect()
    });
    all_of(ended)?;
    let state = reducer.state.into_inner().expect(HELD);
    let mut all = state.written;
    all.add(&state.dropped);
    all.expect(&mapped.total, "what was written")?;
    Ok(Reduced { written: state.written.records, spilled: state.spilled })
}

struct State<'a> {
    /// Whose turn it is.
    next: usize,
    output: &'a mut (dyn Write + Send),
    /// The key that was written last.
    last: Option<Vec<u8>>,
    written: Tally,
    /// Records that were left out since there is one like them.
    dropped: Tally,
    spilled: u64,
}

struct Reducer<'a, 'o> {
    space: &'a Space<'a>,
    asked: &'a Sort,
    shape: Shape,
    at_once: u64,
    mapped: &'a Mapped,
    progress: &'a Progress,
    taken: AtomicUsize,
    state: Mutex<State<'o>>,
    turned: Condvar,
}

/// Records that are written one after the other, and what is known of them.
struct Gathered {
    bytes: Vec<u8>,
    first: Option<Vec<u8>>,
    last: Vec<u8>,
    written: Tally,
    dropped: Tally,
}

impl Gathered {
    fn new(room: usize) -> Self {
        let (written, dropped) = (Tally::default(), Tally::default());
        Self { bytes: Vec::with_capacity(room), first: None, last: Vec::new(), written, dropped }
    }
}

impl<'o> Reducer<'_, 'o> {
    fn run(&self) -> Result<(), Error> {
        let ended = (|| loop {
            let turn = self.taken.fetch_add(1, Ordering::Relaxed);
            let count = self.mapped.partitions.len();
            if turn >= count {
                return Ok(());
            }
            let number = if self.asked.is_reversed { count - 1 - turn } else { turn };
            self.partition(turn, number)?;
        })();
        if ended.is_err() {
            self.progress.stop();
            self.turned.notify_all();
        }
        ended
    }

    fn partition(&self, turn: usize, number: usize) -> Result<(), Error> {
        self.progress.go_on()?;
        let expected = &self.mapped.partitions[number];
        let mut parts = Parts {
            client: self.space.client,
            id: self.space.id(number).into(),
            offset: 0,
            tasks: HashMap::new(),
        };
        if 2 * expected.bytes + order::room(expected.records) > self.at_once {
            return self.large(turn, expected, parts);
        }
        let mut all = Vec::new();
        if expected.records > 0 {
            while let Some(some) = parts.next()? {
                all.extend(some);
            }
        }
        all.sort_by_key(|(rank, _)| *rank);
        let all: Vec<Bytes> = all.into_iter().map(|(_, bytes)| bytes).collect();
        let sorted =
            order::sort(self.shape, &all, self.asked.is_reversed, expected.records as usize);
        let mut gathered = Gathered::new(expected.bytes as usize);
        let mut last: Option<&[u8]> = None;
        for (part, from) in sorted.places() {
            let Some(record) = self.shape.first(&all[part][from..]) else { continue };
            if self.take(&mut gathered, last, &record)? {
                last = Some(record.key);
            }
        }
        gathered.last = last.unwrap_or_default().to_vec();
        let mut state = self.wait(turn)?;
        self.write(&mut state, gathered)?;
        self.pass(state);
        Ok(())
    }

    /// Takes a record behind that with the key `last`; whether it is to be written.
    #[inline]
    fn take(
        &self,
        gathered: &mut Gathered,
        last: Option<&[u8]>,
        record: &Record<'_>,
    ) -> Result<bool, Error> {
        match last {
            Some(last) if last == record.key && self.asked.is_unique => {
                gathered.dropped.count(record.text);
                return Ok(false);
            }
            Some(last) => self.check_order(last, record.key)?,
            None => gathered.first = Some(record.key.to_vec()),
        }
        gathered.written.count(record.text);
        gathered.bytes.extend_from_slice(record.text);
        Ok(true)
    }

    #[inline]
    fn check_order(&self, one: &[u8], next: &[u8]) -> Result<(), Error> {
        let is_good = if self.asked.is_reversed { one >= next } else { one <= next };
        if is_good { Ok(()) } else { Err(disorder().into()) }
    }

    /// Sorts one that is too large to be sorted at once.
    fn large(&self, turn: usize, expected: &Tally, mut parts: Parts<'_>) -> Result<(), Error> {
        let folder: &Path = &self.asked.spill;
        let mut runs = Runs::new(self.shape, self.asked.is_reversed, folder);
        let records_each = expected.bytes / expected.records.max(1);
        let (mut some, mut room) = (Vec::new(), 0);
        while let Some(more) = parts.next()? {
            self.progress.go_on()?;
            for (rank, bytes) in more {
                room += bytes.len() as u64 + order::room(bytes.len() as u64 / records_each.max(1));
                some.push((rank, bytes));
            }
            if room > self.at_once / 2 {
                runs.add(std::mem::take(&mut some), 0)?;
                room = 0;
            }
        }
        runs.add(some, 0)?;
        let mut state = self.wait(turn)?;
        let (mut gathered, mut last) = (Gathered::new(GATHER), None::<Vec<u8>>);
        let spilled = runs.merge(|record| {
            if self.take(&mut gathered, last.as_deref(), &record)? {
                let last = last.get_or_insert_default();
                last.clear();
                last.extend_from_slice(record.key);
            }
            if gathered.bytes.len() >= GATHER {
                self.progress.go_on()?;
                let full = std::mem::replace(&mut gathered, Gathered::new(GATHER));
                let tail = last.clone().unwrap_or_default();
                self.write(&mut state, Gathered { last: tail, ..full })?;
            }
            Ok::<_, Error>(())
        })?;
        state.spilled += spilled;
        gathered.last = last.unwrap_or_default();
        self.write(&mut state, gathered)?;
        self.pass(state);
        Ok(())
    }

    /// Waits until a partition may be written.
    fn wait(&self, turn: usize) -> Result<MutexGuard<'_, State<'o>>, Error> {
        let mut state = self.state.lock().expect(HELD);
        while state.next != turn {
            self.progress.go_on()?;
            state = self.turned.wait_timeout(state, LOOK).expect(HELD).0;
        }
        Ok(state)
    }

    fn write(&self, state: &mut State<'_>, gathered: Gathered) -> Result<(), Error> {
        if let (Some(last), Some(first)) = (&state.last, &gathered.first) {
            self.check_order(last, first)?;
        }
        state.output.write_all(&gathered.bytes)?;
        self.progress.add(gathered.bytes.len() as u64);
        state.written.add(&gathered.written);
        state.dropped.add(&gathered.dropped);
        if gathered.written.records > 0 {
            state.last = Some(gathered.last);
        }
        Ok(())
    }

    fn pass(&self, mut state: MutexGuard<'_, State<'o>>) {
        state.next += 1;
        drop(state);
        self.turned.notify_all();
    }
}

/// The parts of a partition, as many at a time as come at once.
struct Parts<'a> {
    client: &'a Client,
    id: Bytes,
    offset: u64,
    /// How many parts of each task came so far.
    tasks: HashMap<u32, u64>,
}

impl Parts<'_> {
    /// The next ones; nothing at the end.
    ///
    /// A record's rank is its task, the number of its part among that task's, and its place in that: in the order of
    /// the input, in whatever order tasks have come.
    fn next(&mut self) -> Result<Option<Vec<Ranked>>, Error> {
        let some = self.client.block_on(self.client.parts(self.id.clone(), self.offset))?;
        let rank = |(label, bytes): (Label, Bytes)| {
            let count = self.tasks.entry(label.task).or_default();
            let rank = u64::from(label.task) << 44 | *count << 22;
            *count += 1;
            self.offset += bytes.len() as u64;
            (rank, bytes)
        };
        let ranked: Vec<Ranked> = some.into_iter().map(rank).collect();
        Ok((!ranked.is_empty()).then_some(ranked))
    }
}
