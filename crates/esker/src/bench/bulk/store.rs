//! What keeps contents, as one client of it sees it: ours, and how each peer is spoken to. All of them say everything
//! that is asked together before they read the first answer.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;

use anyhow::{Result, bail};
use bytes::Bytes;
use esker_bulk::client::Client;

/// What is written or read at once of small contents, in bytes.
const BUFFER: usize = 64 * 1024;

/// A client of something that keeps contents.
pub(super) trait Store: Send {
    /// Replaces contents.
    fn set(&mut self, items: &[(Bytes, Bytes)]) -> Result<()>;

    /// How many bytes these contents have together; all of them have come when this returns.
    fn get(&mut self, ids: &[Bytes]) -> Result<usize>;
}

/// Our cluster.
pub(super) struct Ours(pub(super) Client);

impl Store for Ours {
    fn set(&mut self, items: &[(Bytes, Bytes)]) -> Result<()> {
        match items {
            [(id, content)] => self.0.block_on(self.0.set(id.clone(), content.clone()))?,
            items => self.0.block_on(self.0.set_all(items.to_vec()))?,
        }
        Ok(())
    }

    fn get(&mut self, ids: &[Bytes]) -> Result<usize> {
        let found = match ids {
            [id] => vec![self.0.block_on(self.0.get(id.clone()))?],
            ids => self.0.block_on(self.0.get_all(ids.to_vec()))?,
        };
        let bytes = found.iter().flatten().map(Bytes::len).sum();
        if found.iter().any(Option::is_none) {
            bail!("esker has lost a content");
        }
        Ok(bytes)
    }
}

/// A connection to a peer.
struct Wire {
    reader: BufReader<TcpStream>,
    writer: BufWriter<TcpStream>,
    line: String,
    content: Vec<u8>,
}

impl Wire {
    fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let reader = BufReader::with_capacity(BUFFER, stream.try_clone()?);
        let writer = BufWriter::with_capacity(BUFFER, stream);
        Ok(Self { reader, writer, line: String::new(), content: Vec::new() })
    }

    fn line(&mut self) -> Result<&str> {
        self.line.clear();
        self.reader.read_line(&mut self.line)?;
        Ok(self.line.trim_end())
    }

    /// Reads a content of so many bytes, and as many after it.
    fn content(&mut self, size: usize, after: usize) -> Result<usize> {
        self.content.resize(size + after, 0);
        self.reader.read_exact(&mut self.content)?;
        Ok(size)
    }
}

/// Redis, which speaks RESP.
pub(super) struct Redis(Wire);

impl Redis {
    pub(super) fn connect(port: u16) -> Result<Self> {
        Wire::connect(port).map(Self)
    }
}

impl Store for Redis {
    fn set(&mut self, items: &[(Bytes, Bytes)]) -> Result<()> {
        let Self(wire) = self;
        for (id, content) in items {
            write!(wire.writer, "*3\r\n$3\r\nSET\r\n${}\r\n", id.len())?;
            wire.writer.write_all(id)?;
            write!(wire.writer, "\r\n${}\r\n", content.len())?;
            wire.writer.write_all(content)?;
            wire.writer.write_all(b"\r\n")?;
        }
        wire.writer.flush()?;
        for _ in items {
            let line = wire.line()?;
            if line != "+OK" {
                bail!("Redis answers {line:?}");
            }
        }
        Ok(())
    }

    fn get(&mut self, ids: &[Bytes]) -> Result<usize> {
        let Self(wire) = self;
        for id in ids {
            write!(wire.writer, "*2\r\n$3\r\nGET\r\n${}\r\n", id.len())?;
            wire.writer.write_all(id)?;
            wire.writer.write_all(b"\r\n")?;
        }
        wire.writer.flush()?;
        let mut bytes = 0;
        for _ in ids {
            let line = wire.line()?;
            let Some(Ok(size)) = line.strip_prefix('$').map(str::parse) else {
                bail!("Redis answers {line:?}");
            };
            bytes += wire.content(size, 2)?;
        }
        Ok(bytes)
    }
}

/// Memcached, in its text protocol.
pub(super) struct Memcached(Wire);

impl Memcached {
    pub(super) fn connect(port: u16) -> Result<Self> {
        Wire::connect(port).map(Self)
    }
}

impl Store for Memcached {
    fn set(&mut self, items: &[(Bytes, Bytes)]) -> Result<()> {
        let Self(wire) = self;
        for (id, content) in items {
            wire.writer.write_all(b"set ")?;
            wire.writer.write_all(id)?;
            write!(wire.writer, " 0 0 {}\r\n", content.len())?;
            wire.writer.write_all(content)?;
            wire.writer.write_all(b"\r\n")?;
        }
        wire.writer.flush()?;
        for _ in items {
            let line = wire.line()?;
            if line != "STORED" {
                bail!("memcached answers {line:?}");
            }
        }
        Ok(())
    }

    fn get(&mut self, ids: &[Bytes]) -> Result<usize> {
        let Self(wire) = self;
        for id in ids {
            wire.writer.write_all(b"get ")?;
            wire.writer.write_all(id)?;
            wire.writer.write_all(b"\r\n")?;
        }
        wire.writer.flush()?;
        let mut bytes = 0;
        for _ in ids {
            let line = wire.line()?;
            let Some(Ok(size)) = line.rsplit(' ').next().map(str::parse) else {
                bail!("memcached answers {line:?}");
            };
            bytes += wire.content(size, 2)?;
            let line = wire.line()?;
            if line != "END" {
                bail!("memcached ends with {line:?}");
            }
        }
        Ok(bytes)
    }
}

/// A bare connection: what is set is thrown away, and what is got means nothing.
pub(super) struct Bare {
    wire: Wire,
    size: usize,
}

impl Bare {
    /// One that gets so many bytes for each id.
    pub(super) fn connect(port: u16, size: usize) -> Result<Self> {
        Ok(Self { wire: Wire::connect(port)?, size })
    }

    fn ask(&mut self, verb: u8, size: usize) -> Result<()> {
        self.wire.writer.write_all(&[verb])?;
        Ok(self.wire.writer.write_all(&(size as u64).to_le_bytes())?)
    }
}

impl Store for Bare {
    fn set(&mut self, items: &[(Bytes, Bytes)]) -> Result<()> {
        for (_, content) in items {
            self.ask(super::stream::SET, content.len())?;
            self.wire.writer.write_all(content)?;
        }
        self.wire.writer.flush()?;
        self.wire.content(items.len(), 0).map(drop)
    }

    fn get(&mut self, ids: &[Bytes]) -> Result<usize> {
        for _ in ids {
            self.ask(super::stream::GET, self.size)?;
        }
        self.wire.writer.flush()?;
        ids.iter().map(|_| self.wire.content(self.size, 0)).sum()
    }
}
