//! The first half: threads read pieces of the input, cut each by the splitters, and append what belongs to each
//! partition, as a task of its own.

use std::sync::Mutex;
use std::thread;

use bytes::Bytes;
use esker_wire::fault::Fault;

use crate::sort::input::{Inputs, Reader, too_long};
use crate::sort::shape::{RECORD_MAX, Tally};
use crate::sort::splitters::{Plan, Splitters};
use crate::sort::{Error, Progress, Space, all_of};

/// The attempt at each task: a task is not tried again, its batches are.
pub(crate) const ATTEMPT: u16 = 0;
/// The most bytes of a part that is appended.
const PART: usize = 1024 * 1024;

/// What was appended.
pub(crate) struct Mapped {
    /// How many tasks there were: 1 to that.
    pub(crate) tasks: u32,
    /// All records.
    pub(crate) total: Tally,
    /// Those of each partition.
    pub(crate) partitions: Vec<Tally>,
}

/// Appends all records to the partitions of a space.
///
/// # Errors
/// A fault for what cannot be read or appended; [`Error::Stopped`].
pub(crate) fn map(
    space: &Space<'_>,
    (inputs, splitters): (&Inputs, &Splitters),
    (plan, threads): (&Plan, usize),
    progress: &Progress,
) -> Result<Mapped, Error> {
    let reader = Mutex::new(inputs.reader(plan.chunk));
    let ids: Vec<Bytes> =
        (0..splitters.partitions()).map(|number| space.id(number).into()).collect();
    let mapper = Mapper { space, inputs, splitters, ids, progress };
    let ended: Vec<Result<(u32, Vec<Tally>), Error>> = thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(|| mapper.run(&reader))).collect();
        all.into_iter().map(|one| one.join().expect("a mapper does not panic")).collect()
    });
    let mut partitions = vec![Tally::default(); mapper.ids.len()];
    let mut tasks = 0;
    for (last, tallies) in all_of(ended)? {
        tasks = tasks.max(last);
        partitions.iter_mut().zip(&tallies).for_each(|(all, one)| all.add(one));
    }
    let mut total = Tally::default();
    partitions.iter().for_each(|one| total.add(one));
    Ok(Mapped { tasks, total, partitions })
}

struct Mapper<'a> {
    space: &'a Space<'a>,
    inputs: &'a Inputs,
    splitters: &'a Splitters,
    ids: Vec<Bytes>,
    progress: &'a Progress,
}

impl Mapper<'_> {
    /// Takes pieces until there are no more; the last task that it had, and what it has appended.
    fn run(&self, reader: &Mutex<Reader<'_>>) -> Result<(u32, Vec<Tally>), Error> {
        let (mut piece, mut last) = (Vec::new(), 0);
        let mut tallies = vec![Tally::default(); self.ids.len()];
        let run = (|| loop {
            self.progress.go_on()?;
            let next = reader.lock().expect("a reader does not panic").next(&mut piece)?;
            let Some(task) = next else { return Ok(()) };
            let parts = if self.inputs.are_lines_framed() {
                self.cut(&self.inputs.frame_lines(&piece), task, &mut tallies)?
            } else {
                self.cut(&piece, task, &mut tallies)?
            };
            let client = self.space.client;
            client.block_on(client.writer(task, ATTEMPT).append_all(parts))?;
            self.progress.add(piece.len() as u64);
            last = task;
        })();
        if run.is_err() {
            // The others need not go on.
            self.progress.stop();
        }
        run.map(|()| (last, tallies))
    }

    /// The parts of a piece, those of each partition in the order of its records.
    fn cut(
        &self,
        piece: &[u8],
        task: u32,
        tallies: &mut [Tally],
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let shape = self.inputs.shape();
        let mut sizes = vec![0_usize; self.ids.len()];
        let mut where_to = Vec::with_capacity(piece.len() / 64);
        let mut from = 0;
        while let Some(record) = shape.first(&piece[from..]) {
            if record.text.len() > RECORD_MAX || record.size > 3 * RECORD_MAX {
                return Err(too_long(&format!("piece {task}")));
            }
            let to = self.splitters.of(record.key, task);
            tallies[to as usize].count(record.text);
            sizes[to as usize] += record.size;
            where_to.push((to as u16, record.size as u32));
            from += record.size;
        }
        Ok(self.deal(piece, where_to, sizes))
    }

    fn deal(
        &self,
        piece: &[u8],
        where_to: Vec<(u16, u32)>,
        mut sizes: Vec<usize>,
    ) -> Vec<(Bytes, Bytes)> {
        let mut open: Vec<Vec<u8>> =
            sizes.iter().map(|size| Vec::with_capacity((*size).min(PART))).collect();
        let mut parts = Vec::with_capacity(open.len());
        let mut from = 0;
        for (to, size) in where_to {
            let (to, size) = (usize::from(to), size as usize);
            if open[to].len() + size > open[to].capacity() && !open[to].is_empty() {
                let room = sizes[to].min(PART).max(size);
                let full = std::mem::replace(&mut open[to], Vec::with_capacity(room));
                parts.push((self.ids[to].clone(), full.into()));
            }
            open[to].extend_from_slice(&piece[from..from + size]);
            sizes[to] -= size;
            from += size;
        }
        let rest = open.into_iter().enumerate().filter(|(_, bytes)| !bytes.is_empty());
        parts.extend(rest.map(|(to, bytes)| (self.ids[to].clone(), bytes.into())));
        parts
    }
}
