//! Bytes as `docs/sync.md` writes them: varints, texts, and a reader that trusts nobody.

/// What cannot be read, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at byte {at}")]
pub struct Malformed {
    /// What is wrong.
    pub what: &'static str,
    /// Bytes before it.
    pub at: usize,
}

const NOT_UTF8: Malformed = Malformed { what: "a text is not UTF-8", at: 0 };

/// Appends a varint: seven bits a byte, the lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

fn low_bits(value: u64) -> u8 {
    (value & 0x7f) as u8
}

/// Appends a length and the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads bytes from the front.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many more values a leaf may have in its lists: each takes more memory than bytes.
    values: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, values: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Lets the next leaf have so many values.
    pub(crate) fn allow(&mut self, values: usize) {
        self.values = values;
    }

    /// The count of a list or record of the leaf that is being read.
    pub(crate) fn values(&mut self) -> Result<usize, Malformed> {
        let count = self.count()?;
        let left = self.values.checked_sub(count);
        self.values = left.ok_or_else(|| self.wrong("a leaf has too many values"))?;
        Ok(count)
    }

    /// How many bytes are left: nothing that is announced can have more parts than that.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// How many bytes were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The last so many bytes that were read.
    pub(crate) fn taken(&self, count: usize) -> &'a [u8] {
        &self.bytes[self.at.saturating_sub(count)..self.at]
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(crate) fn wrong(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.at }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let Some(&byte) = self.bytes.get(self.at) else {
            return Err(self.wrong("it ends too early"));
        };
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..count) else {
            return Err(self.wrong("it ends too early"));
        };
        self.at += count;
        Ok(taken)
    }

    /// So many bytes as an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("so many were taken"))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.wrong("a varint has more than 64 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(self.wrong("a varint is longer than it need be"));
                }
                return Ok(value);
            }
        }
        Err(self.wrong("a varint has more than 64 bits"))
    }

    /// A varint that counts what follows, each of which takes at least a byte.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        let count = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        if count > self.left() {
            return Err(self.wrong("it announces more than there is"));
        }
        Ok(count)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let count = self.count()?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let at = self.at;
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| Malformed { at, ..NOT_UTF8 })
    }

    /// The bytes of a text.
    pub(crate) fn skip_text(&mut self) -> Result<&'a [u8], Malformed> {
        let at = self.at;
        let bytes = self.bytes()?;
        // Short texts are sooner known to be ASCII than to be UTF-8.
        let is_text = bytes.is_ascii() || std::str::from_utf8(bytes).is_ok();
        is_text.then_some(bytes).ok_or(Malformed { at, ..NOT_UTF8 })
    }
}

#[cfg(test)]
mod tests;
