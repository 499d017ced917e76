//! NATS' text protocol, as far as a bucket needs it: one connection, lines, and bytes whose length a line tells.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::bench::model::PATIENCE;

/// What is written or read at once.
const BUFFER: usize = 256 * 1024;

/// A line of the server's: what it says of itself is the longest.
const LINE_MAX: u64 = 64 * 1024;

/// A connection to a server.
pub(super) struct Wire {
    reader: BufReader<TcpStream>,
    writer: BufWriter<TcpStream>,
    /// Where answers to its requests come.
    answers: String,
    /// How many subjects it hears; each has a number.
    heard: u32,
    line: String,
}

/// What was delivered; to be filled anew each time.
#[derive(Default)]
pub(super) struct Delivered {
    pub(super) subject: String,
    /// Where to answer; of what a bucket delivers, which change it is.
    pub(super) reply: String,
    /// Lines, the first of which may have a status.
    pub(super) header: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Wire {
    pub(super) fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let answers = format!("_INBOX.answers-{}", stream.local_addr()?.port());
        let reader = BufReader::with_capacity(BUFFER, stream.try_clone()?);
        let writer = BufWriter::with_capacity(BUFFER, stream);
        let mut wire =
            Self { reader, writer, answers: answers.clone(), heard: 0, line: String::new() };
        let told = json!({ "verbose": false, "pedantic": false, "headers": true, "lang": "esker" });
        write!(wire.writer, "CONNECT {told}\r\n")?;
        wire.subscribe(&answers)?;
        Ok(wire)
    }

    /// Has everything with this subject delivered from now on.
    pub(super) fn subscribe(&mut self, subject: &str) -> Result<()> {
        self.heard += 1;
        Ok(write!(self.writer, "SUB {subject} {}\r\n", self.heard)?)
    }

    /// Publishes; what is written stays here until there is enough of it.
    pub(super) fn publish(&mut self, subject: &str, body: &[u8]) -> Result<()> {
        write!(self.writer, "PUB {subject} {}\r\n", body.len())?;
        self.writer.write_all(body)?;
        self.writer.write_all(b"\r\n")?;
        Ok(())
    }

    /// Sends what was written.
    pub(super) fn flush(&mut self) -> Result<()> {
        Ok(self.writer.flush()?)
    }

    /// Asks the server's own service; what else is delivered meanwhile is left out.
    ///
    /// # Errors
    /// What it says is wrong.
    pub(super) fn ask(&mut self, subject: &str, question: &Value) -> Result<Value> {
        let body = if question.is_null() { String::new() } else { question.to_string() };
        write!(self.writer, "PUB {subject} {} {}\r\n{body}\r\n", self.answers, body.len())?;
        self.flush()?;
        let mut delivered = Delivered::default();
        while delivered.subject != self.answers {
            self.next(&mut delivered)?;
        }
        let answer: Value = serde_json::from_slice(&delivered.body)
            .with_context(|| format!("{subject} is not answered as JSON"))?;
        match answer.get("error") {
            Some(error) => bail!("{subject} is refused: {error}"),
            None => Ok(answer),
        }
    }

    /// Waits for what is delivered next.
    pub(super) fn next(&mut self, delivered: &mut Delivered) -> Result<()> {
        loop {
            self.line.clear();
            if (&mut self.reader).take(LINE_MAX).read_line(&mut self.line)? == 0 {
                bail!("nats-server has closed the connection");
            }
            let mut words = self.line.split_ascii_whitespace();
            let has_header = match words.next() {
                Some("MSG") => false,
                Some("HMSG") => true,
                Some("PING") => {
                    self.writer.write_all(b"PONG\r\n")?;
                    self.writer.flush()?;
                    continue;
                }
                Some("PONG" | "INFO" | "+OK") => continue,
                _ => bail!("nats-server says {:?}", self.line.trim_end()),
            };
            let words: Vec<&str> = words.collect();
            delivered.read_line(&words, has_header)?;
            self.reader.read_exact(&mut delivered.header)?;
            self.reader.read_exact(&mut delivered.body)?;
            return self.reader.read_exact(&mut [0; 2]).map_err(Into::into);
        }
    }
}

impl Delivered {
    /// Takes what the line before it says: `SUBJECT ID [REPLY] [BYTES OF THE HEADER] BYTES OF ALL`.
    fn read_line(&mut self, words: &[&str], has_header: bool) -> Result<()> {
        let sizes = 1 + usize::from(has_header);
        let (subject, reply) = match words.len().checked_sub(sizes) {
            Some(2) => (words[0], ""),
            Some(3) => (words[0], words[2]),
            _ => bail!("nats-server delivers {words:?}"),
        };
        let size = |word: &&str| word.parse::<usize>().context("nats-server tells no size");
        let all = words.last().map_or(Ok(0), size)?;
        let header = if has_header { words.iter().rev().nth(1).map_or(Ok(0), size)? } else { 0 };
        self.subject.clear();
        self.subject.push_str(subject);
        self.reply.clear();
        self.reply.push_str(reply);
        self.header.resize(header, 0);
        self.body.resize(all.saturating_sub(header), 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
