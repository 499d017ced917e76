//! Sorting the records of a partition that is in memory: by eight bytes of their keys at a time, looking at the records
//! themselves only where those are the same.

use bytes::Bytes;

use crate::sort::shape::Shape;
use crate::sort::splitters::prefix;

/// A record that is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Eight bytes of its key.
    prefix: u64,
    /// Its place: turned round where keys fall, so that ties keep their order when all is turned round.
    place: u64,
}

/// Where a record is: which part, and from which byte on.
pub(crate) type Place = (usize, usize);

/// The places of records in their order; ties in the order in which they lie.
pub(crate) struct Sorted {
    entries: Vec<Entry>,
    is_reversed: bool,
}

impl Sorted {
    /// Where the records are.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let count = self.entries.len();
        let at = move |number| if self.is_reversed { count - 1 - number } else { number };
        (0..count).map(move |number| place(self.entries[at(number)].place, self.is_reversed))
    }
}

/// What it takes of memory to sort so many records, in bytes.
pub(crate) fn room(records: u64) -> u64 {
    records * size_of::<Entry>() as u64
}

fn place(place: u64, is_reversed: bool) -> Place {
    let place = if is_reversed { !place } else { place };
    ((place >> 32) as usize, place as u32 as usize)
}

struct Parts<'a> {
    shape: Shape,
    parts: &'a [Bytes],
    is_reversed: bool,
}

/// Sorts the records of parts, none of which has 4 GiB; `is_reversed`: keys fall. `records` is how many there are, about.
pub(crate) fn sort(shape: Shape, parts: &[Bytes], is_reversed: bool, records: usize) -> Sorted {
    let parts = Parts { shape, parts, is_reversed };
    let mut entries = Vec::with_capacity(records);
    let same = parts.index(&mut entries);
    parts.load(&mut entries, same);
    entries.sort_unstable();
    parts.refine(&mut entries, same);
    Sorted { entries, is_reversed }
}

impl Parts<'_> {
    fn key(&self, entry: &Entry) -> &[u8] {
        let (part, from) = place(entry.place, self.is_reversed);
        self.shape.first(&self.parts[part][from..]).map_or(&[], |record| record.key)
    }

    /// Finds all records; how many bytes all keys have in common.
    fn index(&self, entries: &mut Vec<Entry>) -> usize {
        let mut same: Option<(&[u8], usize)> = None;
        for (number, part) in self.parts.iter().enumerate() {
            let mut from = 0;
            while let Some(record) = self.shape.first(&part[from..]) {
                let place = (number as u64) << 32 | from as u64;
                let place = if self.is_reversed { !place } else { place };
                entries.push(Entry { prefix: 0, place });
                let (first, length) = same.unwrap_or((record.key, record.key.len()));
                same = Some((first, common(&first[..length], record.key)));
                from += record.size;
            }
        }
        same.map_or(0, |(_, length)| length)
    }

    fn load(&self, entries: &mut [Entry], depth: usize) {
        for entry in entries {
            entry.prefix = prefix(&self.key(entry)[depth..]);
        }
    }

    /// Puts those in order whose keys are the same up to `depth` and in the eight bytes behind it.
    fn refine(&self, entries: &mut [Entry], depth: usize) {
        let mut open = vec![(0, entries.len(), depth)];
        while let Some((from, to, depth)) = open.pop() {
            let mut begin = from;
            while begin < to {
                let first = entries[begin].prefix;
                let count = entries[begin..to].iter().take_while(|it| it.prefix == first).count();
                if count > 1 {
                    let ended = self.by_length(&mut entries[begin..begin + count], depth + 8);
                    let (from, to) = (begin + ended, begin + count);
                    if to - from > 1 {
                        let depth = self.go_on(&mut entries[from..to], depth + 8);
                        open.push((from, to, depth));
                    }
                }
                begin += count;
            }
        }
    }

    /// Puts keys that are no longer than `end` first, by their lengths; how many there are.
    fn by_length(&self, entries: &mut [Entry], end: usize) -> usize {
        for entry in &mut *entries {
            entry.prefix = self.key(entry).len().min(end + 1) as u64;
        }
        entries.sort_unstable();
        entries.partition_point(|entry| entry.prefix <= end as u64)
    }

    /// Sorts those whose keys are the same up to `depth` by the next bytes that are not; where these begin.
    fn go_on(&self, entries: &mut [Entry], depth: usize) -> usize {
        let first = self.key(&entries[0]);
        let mut same = first.len();
        for entry in &entries[1..] {
            same = depth + common(&first[depth..same], &self.key(entry)[depth..]);
        }
        self.load(entries, same);
        entries.sort_unstable();
        same
    }
}

/// How many bytes two texts have in common at their beginning.
#[inline]
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
