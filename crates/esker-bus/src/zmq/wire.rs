//! Where the messages on a connection begin and end, and no more: ZMTP 3.

/// The greeting that comes before the first frame.
const GREETING: usize = 64;

/// The flags of a frame.
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What a frame costs besides its bytes.
const FRAME_COST: usize = 64;

/// Follows the bytes of a connection.
#[derive(Debug)]
pub(super) struct Scanner {
    /// The bytes to come of the greeting or of a frame's body.
    skip: usize,
    /// The frame's flags and size, as far as they have come.
    header: [u8; 9],
    header_filled: usize,
    /// Whether the frame is the message's last.
    ends: bool,
    /// Whether frames of an unfinished message have come.
    within: bool,
    /// How many messages have come.
    messages: u64,
    /// The bytes of the message under way that have been announced; whoever provides for them sets it to 0.
    pub(super) announced: usize,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            skip: GREETING,
            header: [0; 9],
            header_filled: 0,
            ends: false,
            within: false,
            messages: 0,
            announced: 0,
        }
    }
}

impl Scanner {
    /// Goes on; tells each message that has come in full by its number, the first being 1.
    pub(super) fn scan(&mut self, mut bytes: &[u8], mut came: impl FnMut(u64)) {
        while !bytes.is_empty() {
            if self.skip == 0 {
                bytes = self.read_header(bytes);
            }
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            if self.skip == 0 && self.ends {
                self.ends = false;
                self.within = false;
                self.announced = 0;
                self.messages += 1;
                came(self.messages);
            }
        }
    }

    /// Whether a message has begun and is not at its end.
    pub(super) fn is_within_message(&self) -> bool {
        self.within || self.header_filled > 0
    }

    /// Takes what there is of a header.
    fn read_header<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let flags = if self.header_filled == 0 { bytes[0] } else { self.header[0] };
        let length = if flags & LONG == 0 { 2 } else { 9 };
        let taken = (length - self.header_filled).min(bytes.len());
        let (header, rest) = bytes.split_at(taken);
        self.header[self.header_filled..][..taken].copy_from_slice(header);
        self.header_filled += taken;
        if self.header_filled < length {
            return rest;
        }
        self.header_filled = 0;
        let size =
            self.header[1..length].iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
        self.skip = size;
        if flags & COMMAND == 0 {
            self.within = true;
            self.ends = flags & MORE == 0;
            self.announced = self.announced.saturating_add(size).saturating_add(FRAME_COST);
        }
        rest
    }
}

#[cfg(test)]
mod tests;
