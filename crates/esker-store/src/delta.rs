//! Deltas as git packs hold them: a content told by what it has in common with another.
//!
//! The format is that of git's `Documentation/gitformat-pack.txt` ("Deltified representation"). What is common is
//! found as in git's diff-delta: the base is indexed by blocks, the content is looked through for them.

/// How many bytes are matched at once.
const BLOCK: usize = 16;
/// How many bytes one literal may hold.
const LITERAL_MAX: usize = 127;
/// How many bytes one copy may take.
const COPY_MAX: usize = 0xff_ffff;
/// The largest content told as a delta, in bytes: both are held in memory, with an index.
const SIZE_MAX: usize = 32 * 1024 * 1024;

/// The delta that makes `new` from `base`; none if it would take more than `max` bytes.
pub(crate) fn encode(base: &[u8], new: &[u8], max: usize) -> Option<Vec<u8>> {
    if base.len().max(new.len()) > SIZE_MAX {
        return None;
    }
    let prefix = common(base.iter(), new.iter());
    let (old, rest) = (&base[prefix..], &new[prefix..]);
    let suffix = common(old.iter().rev(), rest.iter().rev());
    let middle = &rest[..rest.len() - suffix];
    let mut out = Writer { out: Vec::new(), max };
    out.size(base.len());
    out.size(new.len());
    out.copy(0, prefix)?;
    if middle.len() < BLOCK {
        out.literal(middle)?;
    } else {
        blocks(base, middle, &mut out)?;
    }
    out.copy(base.len() - suffix, suffix)?;
    (out.out.len() <= max).then_some(out.out)
}

/// Tells `new` by blocks of `base`.
fn blocks(base: &[u8], new: &[u8], out: &mut Writer) -> Option<()> {
    let index = Index::new(base);
    let (mut told, mut at) = (0, 0);
    while at + BLOCK <= new.len() {
        let Some(found) = index.find(base, &new[at..at + BLOCK]) else {
            at += 1;
            // A content that has nothing in common is given up early.
            if out.out.len() + (at - told) > out.max {
                return None;
            }
            continue;
        };
        let back = common(base[..found].iter().rev(), new[told..at].iter().rev());
        let ahead = common(base[found..].iter(), new[at..].iter());
        out.literal(&new[told..at - back])?;
        out.copy(found - back, back + ahead)?;
        at += ahead;
        told = at;
    }
    out.literal(&new[told..])
}

/// Where the blocks of a base are. Of blocks with the same hash the first alone is known.
struct Index {
    /// The block's number and one, by hash.
    table: Vec<u32>,
    shift: u32,
}

impl Index {
    fn new(base: &[u8]) -> Self {
        let size = (base.len() / BLOCK * 2).next_power_of_two().max(2);
        let mut index = Self { table: vec![0; size], shift: 64 - size.trailing_zeros() };
        for (number, block) in (1..).zip(base.chunks_exact(BLOCK)) {
            let slot = &mut index.table[hash(block, index.shift)];
            if *slot == 0 {
                *slot = number;
            }
        }
        index
    }

    fn find(&self, base: &[u8], block: &[u8]) -> Option<usize> {
        let number = self.table[hash(block, self.shift)].checked_sub(1)?;
        let at = number as usize * BLOCK;
        (&base[at..at + BLOCK] == block).then_some(at)
    }
}

fn hash(block: &[u8], shift: u32) -> usize {
    let (low, high) = block.split_at(8);
    let word =
        |part: &[u8]| part.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let mixed = (word(low) ^ word(high).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> shift) as usize
}

fn common<'a>(a: impl Iterator<Item = &'a u8>, b: impl Iterator<Item = &'a u8>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

struct Writer {
    out: Vec<u8>,
    max: usize,
}

impl Writer {
    fn size(&mut self, mut size: usize) {
        while size >= 0x80 {
            self.out.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        self.out.push(size as u8);
    }

    fn literal(&mut self, bytes: &[u8]) -> Option<()> {
        if self.out.len() + bytes.len() > self.max {
            return None;
        }
        for part in bytes.chunks(LITERAL_MAX) {
            self.out.push(part.len() as u8);
            self.out.extend_from_slice(part);
        }
        Some(())
    }

    fn copy(&mut self, mut from: usize, mut length: usize) -> Option<()> {
        while length > 0 {
            let size = length.min(COPY_MAX);
            let at = self.out.len();
            self.out.push(0x80);
            // The bytes that are not zero, the lowest first; a bit of the first byte tells which they are.
            let bytes = from
                .to_le_bytes()
                .into_iter()
                .take(4)
                .chain(size.to_le_bytes().into_iter().take(3));
            for (bit, byte) in bytes.enumerate().filter(|(_, byte)| *byte != 0) {
                self.out[at] |= 1 << bit;
                self.out.push(byte);
            }
            from += size;
            length -= size;
        }
        (self.out.len() <= self.max).then_some(())
    }
}

#[cfg(test)]
mod tests;
