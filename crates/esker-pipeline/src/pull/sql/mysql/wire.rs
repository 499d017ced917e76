//! Packets: three bytes of length, one of number, then what is said.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use super::Wrong;

/// The longest packet; what is longer goes on in the next.
const PACKET_MAX: usize = 0xff_ffff;
/// The most that is read as one.
const MESSAGE_MAX: usize = 128 << 20;

/// What a server says against what was asked.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) code: u16,
    pub(super) text: String,
}

/// What packets come and go through.
pub(super) enum Stream {
    Net(TcpStream),
    Local(UnixStream),
    Encrypted(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    fn set_timeout(&self, left: Duration) -> io::Result<()> {
        match self {
            Self::Net(stream) => set_timeout(stream, left),
            Self::Encrypted(stream) => set_timeout(&stream.sock, left),
            Self::Local(stream) => {
                stream.set_read_timeout(Some(left))?;
                stream.set_write_timeout(Some(left))
            }
        }
    }
}

fn set_timeout(stream: &TcpStream, left: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Net(stream) => stream.read(buffer),
            Self::Local(stream) => stream.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Net(stream) => stream.write(bytes),
            Self::Local(stream) => stream.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Net(stream) => stream.flush(),
            Self::Local(stream) => stream.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// A connection.
pub(super) struct Wire {
    stream: io::BufReader<Stream>,
    /// The number of the next packet.
    next: u8,
    until: Instant,
    /// What the server says it is.
    version: String,
}

impl Wire {
    pub(super) fn new(stream: Stream, until: Instant) -> Self {
        Self { stream: io::BufReader::new(stream), next: 0, until, version: String::new() }
    }

    pub(super) fn set_deadline(&mut self, until: Instant) {
        self.until = until;
    }

    pub(super) fn set_version(&mut self, version: String) {
        self.version = version;
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.version.contains("MariaDB")
    }

    /// The same connection, made into another: what was said before counts on.
    pub(super) fn change(
        self,
        change: impl FnOnce(Stream) -> Result<Stream, Wrong>,
    ) -> Result<Self, Wrong> {
        let stream = change(self.stream.into_inner())?;
        Ok(Self { stream: io::BufReader::new(stream), ..self })
    }

    /// Whether nobody else can listen.
    pub(super) fn is_private(&self) -> bool {
        !matches!(self.stream.get_ref(), Stream::Net(_))
    }

    /// Asks for something new.
    pub(super) fn command(&mut self, kind: u8, what: &[u8]) -> Result<(), Wrong> {
        self.next = 0;
        self.send(&[&[kind], what].concat())
    }

    pub(super) fn send(&mut self, payload: &[u8]) -> Result<(), Wrong> {
        self.heed()?;
        let mut parts: Vec<&[u8]> = payload.chunks(PACKET_MAX).collect();
        if payload.len().is_multiple_of(PACKET_MAX) {
            parts.push(&[]);
        }
        let stream = self.stream.get_mut();
        for part in parts {
            let length = u32::try_from(part.len()).unwrap_or_default().to_le_bytes();
            stream.write_all(&[length[0], length[1], length[2], self.next])?;
            stream.write_all(part)?;
            self.next = self.next.wrapping_add(1);
        }
        Ok(stream.flush()?)
    }

    /// What the server says next; its refusal is an error.
    pub(super) fn receive(&mut self) -> Result<Vec<u8>, Wrong> {
        let mut payload = Vec::new();
        loop {
            self.heed()?;
            let mut head = [0; 4];
            self.stream.read_exact(&mut head)?;
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
            if payload.len() + length > MESSAGE_MAX {
                return Err(Wrong::Strange("a packet that is too long".to_owned()));
            }
            self.next = head[3].wrapping_add(1);
            let before = payload.len();
            payload.resize(before + length, 0);
            self.stream.read_exact(&mut payload[before..])?;
            if length < PACKET_MAX {
                break;
            }
        }
        match payload.first() {
            Some(0xff) => Err(Wrong::Told(told(&payload))),
            Some(_) => Ok(payload),
            None => Err(Wrong::Strange("an empty packet".to_owned())),
        }
    }

    /// Lets the stream wait no longer than there is time.
    fn heed(&self) -> Result<(), Wrong> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Wrong::Late);
        }
        Ok(self.stream.get_ref().set_timeout(left)?)
    }
}

fn told(payload: &[u8]) -> Told {
    let code = payload.get(1..3).map_or(0, |code| u16::from_le_bytes([code[0], code[1]]));
    let rest = payload.get(3..).unwrap_or_default();
    // `#` and five characters of SQL's own code, but for what is said before the greeting.
    let text = rest.strip_prefix(b"#").and_then(|rest| rest.get(5..)).unwrap_or(rest);
    Told { code, text: String::from_utf8_lossy(text).replace(['\n', '\r'], " ") }
}

/// A packet being read.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(packet: &'a [u8]) -> Self {
        Self { rest: packet }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Wrong> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| Wrong::Strange("a packet that is too short".to_owned()))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Up to a zero, or the end.
    pub(super) fn until_zero(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| *byte == 0).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        taken
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// A number of one to nine bytes.
    pub(super) fn number(&mut self) -> Result<u64, Wrong> {
        let [first] = self.array()?;
        let length = match first {
            0..=0xfa => return Ok(u64::from(first)),
            0xfc => 2,
            0xfd => 3,
            0xfe => 8,
            _ => return Err(Wrong::Strange("a number that is none".to_owned())),
        };
        let bytes = self.take(length)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A number, and as many bytes.
    pub(super) fn text(&mut self) -> Result<&'a [u8], Wrong> {
        let length = self.number()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The same, or nothing.
    pub(super) fn value(&mut self) -> Result<Option<&'a [u8]>, Wrong> {
        if self.rest.first() == Some(&0xfb) {
            self.rest = &self.rest[1..];
            return Ok(None);
        }
        self.text().map(Some)
    }
}

#[cfg(test)]
mod tests;
