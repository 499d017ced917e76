//! One browser, as far as the page's server sees it: it follows what the page follows, in the page's messages.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::{Buf, Bytes, BytesMut};
use esker_replica::ask::{Answer, Ask, Cut};
use esker_replica::path::{self, Path, path};
use esker_replica::replica::{Options, Replica, State, Wish};
use esker_wire::fault::Fault;
use esker_wire::message::{self, Message};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message as Told;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::browsers::All;

/// The model, and what the page follows of it.
const MODEL: &str = "project";
const SECTIONS: [&str; 7] =
    ["about", "resources", "stages", "runs", "problems", "views", "whatifs"];

/// The number of the question that is the browser's own; those of a replica are counted from 1.
const FOLLOW: u64 = 0;

/// The room for what one who does not read is sent.
const ROOM: u32 = 4096;

/// How often it asks for all of the model: more than any system keeps for who does not read.
const ASKED: usize = 2_000;

/// How often it looks whether it was let go.
const LOOK: Duration = Duration::from_millis(50);

/// A connection of a browser.
struct Browser {
    socket: WebSocketStream<TcpStream>,
}

impl Browser {
    async fn connect(at: SocketAddr, room: Option<u32>) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(room) = room {
            socket.set_recv_buffer_size(room)?;
        }
        let stream = socket.connect(at).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{at}/sync/1").into_client_request()?;
        request.headers_mut().insert("origin", format!("http://{at}").parse()?);
        Ok(Self { socket: client_async(request, stream).await?.0 })
    }

    /// Follows these sections.
    async fn follow(&mut self, sections: &[Path]) -> Result<()> {
        let mut message = Message::request("FOLLOW", MODEL);
        for section in sections {
            message.head_mut().push("section", path::to_json(section));
        }
        self.say(message, FOLLOW).await
    }

    async fn say(&mut self, mut message: Message, id: u64) -> Result<()> {
        message.head_mut().push("id", id);
        let mut bytes = BytesMut::new();
        for frame in message.to_frames() {
            bytes.extend_from_slice(&u32::try_from(frame.len())?.to_le_bytes());
            bytes.extend_from_slice(&frame);
        }
        Ok(self.socket.send(Told::Binary(bytes.freeze())).await?)
    }

    async fn hear(&mut self) -> Result<Vec<Bytes>> {
        loop {
            match self.socket.next().await.context("the connection was closed")?? {
                Told::Binary(bytes) => return split(bytes),
                Told::Close(_) => bail!("the server has closed the connection"),
                _ => {}
            }
        }
    }
}

/// The frames of a message: each has its length before it.
fn split(mut rest: Bytes) -> Result<Vec<Bytes>> {
    let mut frames = Vec::with_capacity(3);
    while !rest.is_empty() {
        let length = rest.try_get_u32_le()? as usize;
        anyhow::ensure!(length <= rest.len(), "a frame is cut off");
        frames.push(rest.split_to(length));
    }
    Ok(frames)
}

/// What came of a question: its number, and the publisher's start with the answer.
type Answered = (u64, Result<(u64, Answer), Fault>);

/// What a reply says; nothing if it is that to FOLLOW.
fn answered(frames: &[Bytes], asked: &mut HashMap<u64, Ask>) -> Result<Option<Answered>> {
    let message = Message::from_frames(frames)?;
    let id = message.head().require("id")?;
    if id == FOLLOW {
        message::check(&message)?;
        return Ok(None);
    }
    let question = asked.remove(&id).with_context(|| format!("nobody has asked {id}"))?;
    Ok(Some((id, Answer::from_message(&question, &message))))
}

/// Follows the model for as long as there is one.
pub(super) async fn follow(at: SocketAddr, seed: u64, all: &All) -> Result<()> {
    let sections: Vec<Path> = SECTIONS.map(|name| path([name])).into();
    let mut browser = Browser::connect(at, None).await?;
    browser.follow(&sections).await?;
    let mut replica = Replica::new(Options { sections: sections.clone(), seed });
    replica.near(true);
    let begun = Instant::now();
    let mut asked = HashMap::new();
    let (mut was_live, mut counts) = (false, replica.counts());
    replica.tick(begun.elapsed());
    loop {
        while let Some(wish) = replica.wish() {
            match wish {
                Wish::Ask(id, question) => {
                    browser.say(question.to_message(MODEL), id).await?;
                    asked.insert(id, question);
                }
                Wish::Changed(ops) if was_live => all.changed(&ops),
                Wish::State(State::Live) if !was_live => {
                    was_live = true;
                    all.in_step();
                }
                Wish::Subscribe(true) => browser.follow(&sections).await?,
                Wish::Subscribe(false) => browser.follow(&[Path::new()]).await?,
                Wish::Resubscribe(_) => bail!("the server says nothing any more"),
                Wish::Changed(_) | Wish::Renewed | Wish::State(_) | Wish::Audit => {}
            }
        }
        if was_live {
            all.counted(&counts, &replica.counts());
        }
        counts = replica.counts();
        let due = replica.due(begun.elapsed());
        if let Ok(frames) = tokio::time::timeout(due, browser.hear()).await {
            let (frames, now) = (frames?, begun.elapsed());
            match &frames[..] {
                [head, ..] if Message::is_ours(head) => {
                    if let Some((id, answer)) = answered(&frames, &mut asked)? {
                        replica.answer(id, answer, now);
                    }
                }
                [_, header, body] => replica.frame(header, body.clone(), now),
                _ => bail!("an event has {} frames", frames.len()),
            }
        }
        replica.tick(begun.elapsed());
    }
}

/// Asks for all of the model again and again, reads none of it, and tells when it was let go.
pub(super) async fn ask_only(at: SocketAddr, all: &All) -> Result<()> {
    let mut browser = Browser::connect(at, Some(ROOM)).await?;
    let cut = Ask::Cut(Cut::default());
    browser.say(cut.to_message(MODEL), 1).await?;
    let mut asked = HashMap::from([(1, cut)]);
    let Some((_, Ok((_, Answer::Cut(cut))))) = answered(&browser.hear().await?, &mut asked)? else {
        bail!("CUT was answered with something else");
    };
    browser.follow(&[]).await?;
    let begun = Instant::now();
    let mut turn = 2;
    loop {
        let chunk = Ask::Chunk { cut: cut.cut, index: 0, zstd: false };
        // Once it is read no more, nothing more can be said to it either.
        let said = tokio::time::timeout(LOOK, browser.say(chunk.to_message(MODEL), turn)).await;
        if let Ok(Err(_)) = said {
            all.cut(begun.elapsed());
            return Ok(());
        }
        if turn > ASKED as u64 {
            tokio::time::sleep(LOOK).await;
        }
        turn += 1;
    }
}
