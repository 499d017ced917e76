//! The limits of how soon a late joiner can have a model: the same answers read by nobody, its JSON in one answer, and through a bare
//! socket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_replica::ask::{Answer, Ask};
use esker_replica::follow::ask;
use esker_replica::json;
use esker_replica::model::{Found, Model};
use esker_wire::fault::{Code, Fault};
use tokio::task::JoinSet;

use super::PATIENCE;
use super::stage::NAME;
use super::storm::{self, is_last};
use crate::bench::peers;
use crate::bench::process::Running;

/// What is written to a socket, and read from it, at once.
const AT_ONCE: usize = 256 * 1024;

/// How many chunks are asked for at once: as many as replicas do at most.
const WINDOW: usize = 8;

/// What asks for the answer.
const QUESTION: &[u8] = b"?";

/// Answers with as many bytes as a model has as JSON.
pub(super) struct Limits {
    size: usize,
    /// Ends with it.
    _echo: Running,
    at: Endpoint,
}

impl Limits {
    /// Of a model as it is.
    pub(super) fn new(model: &Model, dir: &Path) -> Result<Self> {
        let size = json::of_node(Found::Dict(model.root())).to_string().len();
        let (echo, at) = peers::echo(&[size], dir)?;
        Ok(Self { size, _echo: echo, at })
    }

    /// The seconds from a question to its answer, over a new connection as a late joiner's is.
    pub(super) fn echo(&self, bus: &Bus) -> Result<f64> {
        let begun = Instant::now();
        let caller = bus.caller(&self.at);
        let asked =
            async move { caller.exchange(vec![Bytes::from_static(QUESTION)], PATIENCE).await };
        let reply = bus.run(asked)?;
        ensure!(reply.iter().map(Bytes::len).sum::<usize>() == self.size, "the echo says less");
        Ok(begun.elapsed().as_secs_f64())
    }

    /// The seconds until the bytes are through a socket.
    pub(super) fn tcp(&self) -> Result<f64> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let to = listener.local_addr()?;
        std::thread::scope(|scope| {
            let begun = Instant::now();
            let wrote = scope.spawn(move || write(TcpStream::connect(to)?, self.size));
            let (mut stream, _) = listener.accept()?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let (mut left, mut buffer) = (self.size, vec![0; AT_ONCE]);
            while left > 0 {
                let read = stream.read(&mut buffer)?;
                ensure!(read > 0, "the connection has ended early");
                left -= read;
            }
            let took: Duration = begun.elapsed();
            wrote.join().unwrap_or_else(|_| anyhow::bail!("the writer has ended"))?;
            Ok(took.as_secs_f64())
        })
    }
}

/// The seconds until all chunks are there that a late joiner asks for, for one who asks as it does and reads none of them. Others had
/// them before, so that they are not made for this.
pub(super) fn chunks(bus: &Bus, at: &Endpoint) -> Result<f64> {
    let begun = Instant::now();
    let caller = bus.caller(at);
    bus.run(async move { Ok::<_, Fault>(fetch(caller).await) })??;
    Ok(begun.elapsed().as_secs_f64())
}

async fn fetch(caller: Caller) -> Result<()> {
    let cut = storm::cut(&caller, 0).await?;
    let (mut asked, mut under_way) = (0, JoinSet::new());
    let (mut has_last, mut is_over) = (false, false);
    loop {
        while under_way.len() < WINDOW && !is_over {
            let (caller, chunk) =
                (caller.clone(), Ask::Chunk { cut: cut.cut, index: asked, zstd: false });
            under_way.spawn(async move { ask(&caller, NAME, &chunk).await });
            asked += 1;
        }
        match under_way.join_next().await {
            Some(Ok(Ok((_, Answer::Frame(frame))))) => has_last |= is_last(&frame)?,
            // There is nothing behind the last one, which was asked for too.
            Some(Ok(Err(fault))) if fault.code == Code::BadRequest => is_over = true,
            Some(other) => bail!("CHUNK is answered with {other:?}"),
            None => {
                ensure!(has_last, "a copy has no last chunk");
                return Ok(());
            }
        }
    }
}

fn write(mut stream: TcpStream, mut size: usize) -> Result<()> {
    let bytes = vec![b'.'; AT_ONCE];
    while size > 0 {
        let count = size.min(AT_ONCE);
        stream.write_all(&bytes[..count])?;
        size -= count;
    }
    Ok(())
}
