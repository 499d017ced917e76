//! Hashes of many short inputs at once, each in a lane of the processor's vectors.
//!
//! Nearly all nodes are hashed as one block of BLAKE3, and the library does one at a time: its vectors are for the blocks of a long
//! input. This is the compression function as its specification has it (O'Connor, Aumasson, Neves, Wilcox-O'Hearn: "BLAKE3", 2020,
//! section 2.2), for inputs of up to a block; the library does the rest, and tells in tests what has to come of it.

use fearless_simd::{Level, Simd, SimdBase, SimdInt, dispatch};

use super::{Digest, KEY};

/// How many inputs are hashed at once: as many as the widest vectors have room for. Narrower ones take them one part after the other.
pub(super) const COUNT: usize = 16;

/// The bytes of a block, beyond which an input is none of ours.
const BLOCK: usize = 64;

/// `CHUNK_START`, `CHUNK_END`, `ROOT` and `KEYED_HASH`: the first block of an input is its last.
const FLAGS: u32 = 1 | 2 | 8 | 16;

/// What SHA-256 begins with.
const IV: [u32; 4] = [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A];

/// In which order each round takes the words of a block: it permutes the order of the one before.
const ROUNDS: [[usize; 16]; 7] = rounds();

const fn rounds() -> [[usize; 16]; 7] {
    const PERMUTED: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    let mut all = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]; 7];
    let mut round = 1;
    while round < all.len() {
        let mut word = 0;
        while word < 16 {
            all[round][word] = all[round - 1][PERMUTED[word]];
            word += 1;
        }
        round += 1;
    }
    all
}

/// Inputs that wait to be hashed together.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    /// What the processor can do.
    level: Level,
    /// The words of their blocks, those at the same place of all inputs beside one another.
    words: [[u32; COUNT]; 16],
    lengths: [u32; COUNT],
    len: usize,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { level: Level::new(), words: [[0; COUNT]; 16], lengths: [0; COUNT], len: 0 }
    }
}

impl Lanes {
    /// Takes an input into a lane; nothing if it is too long. There has to be room.
    pub(super) fn push(&mut self, input: &[u8]) -> Option<usize> {
        let mut block = [0; BLOCK];
        block.get_mut(..input.len())?.copy_from_slice(input);
        let lane = self.len;
        self.len += 1;
        self.lengths[lane] = u32::try_from(input.len()).expect("a block has few bytes");
        let (words, _) = block.as_chunks();
        for (all, word) in self.words.iter_mut().zip(words) {
            all[lane] = u32::from_le_bytes(*word);
        }
        Some(lane)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == COUNT
    }

    /// Tells the lanes and their digests, in order; there is room again then.
    pub(super) fn finish(&mut self, mut told: impl FnMut(usize, Digest)) {
        let len = std::mem::take(&mut self.len);
        if len > 0 {
            let digests = self.together(len).into_iter().enumerate().take(len);
            digests.for_each(|(lane, digest)| told(lane, digest));
        }
    }

    /// The digests of the first so many; what is at the others means nothing.
    fn together(&self, len: usize) -> [Digest; COUNT] {
        let level = self.level;
        let halves = dispatch!(level, simd => compress(simd, &self.words, &self.lengths, len));
        let word = |lane: usize, word: usize| u128::from(halves[word][lane]) << (32 * word);
        std::array::from_fn(|lane| Digest((0..halves.len()).map(|at| word(lane, at)).sum()))
    }
}

/// The first four words of the hashes of the first so many lanes.
#[inline(always)]
fn compress<S: Simd>(
    simd: S,
    words: &[[u32; COUNT]; 16],
    lengths: &[u32; COUNT],
    len: usize,
) -> [[u32; COUNT]; 4] {
    let width = <S::u32s as SimdBase<S>>::LEN;
    let mut halves = [[0; COUNT]; 4];
    for from in (0..len).step_by(width) {
        let part = from..from + width;
        let of = |all: &[u32; COUNT]| S::u32s::from_slice(simd, &all[part.clone()]);
        let state = rounds_of(simd, &words.each_ref().map(of), of(lengths));
        for (word, half) in halves.iter_mut().enumerate() {
            (state[word] ^ state[word + 8]).store_slice(&mut half[part.clone()]);
        }
    }
    halves
}

/// The state behind all rounds.
#[inline(always)]
fn rounds_of<S: Simd>(simd: S, words: &[S::u32s; 16], lengths: S::u32s) -> [S::u32s; 16] {
    let all = |word: u32| S::u32s::splat(simd, word);
    let (key, _) = KEY.as_chunks();
    let key: [_; 8] = std::array::from_fn(|word| all(u32::from_le_bytes(key[word])));
    let [a, b, c, d, e, f, g, h] = key;
    let [iv0, iv1, iv2, iv3] = IV.map(all);
    // A counter of blocks, which is zero, has two of the words.
    let mut state =
        [a, b, c, d, e, f, g, h, iv0, iv1, iv2, iv3, all(0), all(0), lengths, all(FLAGS)];
    for order in &ROUNDS {
        let of = |pair: usize| [words[order[2 * pair]], words[order[2 * pair + 1]]];
        mix(&mut state, [0, 4, 8, 12], of(0));
        mix(&mut state, [1, 5, 9, 13], of(1));
        mix(&mut state, [2, 6, 10, 14], of(2));
        mix(&mut state, [3, 7, 11, 15], of(3));
        mix(&mut state, [0, 5, 10, 15], of(4));
        mix(&mut state, [1, 6, 11, 12], of(5));
        mix(&mut state, [2, 7, 8, 13], of(6));
        mix(&mut state, [3, 4, 9, 14], of(7));
    }
    state
}

/// The quarter round, of a column or a diagonal.
#[inline(always)]
fn mix<S: Simd, V: SimdInt<S, Element = u32>>(
    state: &mut [V; 16],
    [a, b, c, d]: [usize; 4],
    [first, second]: [V; 2],
) {
    state[a] = state[a] + state[b] + first;
    state[d] = rotated(state[d] ^ state[a], 16);
    state[c] += state[d];
    state[b] = rotated(state[b] ^ state[c], 12);
    state[a] = state[a] + state[b] + second;
    state[d] = rotated(state[d] ^ state[a], 8);
    state[c] += state[d];
    state[b] = rotated(state[b] ^ state[c], 7);
}

/// Each lane's word rotated to the right.
#[inline(always)]
fn rotated<S: Simd, V: SimdInt<S, Element = u32>>(words: V, by: u32) -> V {
    (words >> by) | (words << (32 - by))
}

#[cfg(test)]
mod tests;
