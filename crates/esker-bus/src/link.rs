//! A caller's connection to a service behind an address: many requests under way, and what a lost connection
//! means to each of them.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use crate::service::Frames;
use crate::zmq::{Dealer, Sent};

/// The requests one connection has under way; more wait in their callers.
const PENDING_MAX: usize = 10_000;

/// The requests taken from callers at once.
const TAKE_MAX: usize = 64;

/// How often requests that nobody waits for any more are forgotten.
const SWEEP: Duration = Duration::from_secs(1);

/// The pause before an address that cannot even be tried is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// A request on its way.
pub(crate) struct Command {
    /// The request, without any envelope.
    pub(crate) frames: Frames,
    /// Whether it may be sent again when the connection was lost.
    pub(crate) idempotent: bool,
    /// Who waits.
    pub(crate) reply: oneshot::Sender<Result<Frames, Fault>>,
}

/// Connects and talks until no caller is left.
pub(crate) async fn run(
    address: String,
    mut commands: mpsc::Receiver<Command>,
    connected: watch::Sender<bool>,
) {
    let mut pending = Pending::default();
    loop {
        let dealer = tokio::select! {
            () = connected.closed() => return,
            dealer = Dealer::connect(&address) => dealer,
        };
        let Ok(dealer) = dealer else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        connected.send_replace(true);
        let end = converse(&dealer, &mut commands, &mut pending).await;
        connected.send_replace(false);
        if matches!(end, End::Unused) {
            return;
        }
        pending.lose(&address);
    }
}

/// Why a conversation ended.
enum End {
    /// The connection was lost.
    Lost,
    /// No caller is left.
    Unused,
}

async fn converse(
    dealer: &Dealer,
    commands: &mut mpsc::Receiver<Command>,
    pending: &mut Pending,
) -> End {
    let lost = dealer.lost();
    tokio::pin!(lost);
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut taken = Vec::with_capacity(TAKE_MAX);
    pending.sweep();
    loop {
        let full = !pending.flush(dealer);
        let room = !full && pending.waiting.len() < PENDING_MAX;
        tokio::select! {
            () = &mut lost => return End::Lost,
            replies = dealer.take() => match replies {
                Some(replies) => replies.into_iter().for_each(|reply| pending.settle(reply)),
                None => return End::Lost,
            },
            count = commands.recv_many(&mut taken, TAKE_MAX), if room => {
                if count == 0 {
                    return End::Unused;
                }
                taken.drain(..).for_each(|command| pending.add(command));
            }
            () = dealer.room(), if full => {}
            _ = sweep.tick() => pending.sweep(),
        }
    }
}

/// The requests under way, by number. The number travels in the envelope, so that it fits any form of request.
#[derive(Default)]
struct Pending {
    waiting: HashMap<u64, Command>,
    unsent: VecDeque<u64>,
    last: u64,
}

impl Pending {
    fn add(&mut self, command: Command) {
        self.last += 1;
        self.waiting.insert(self.last, command);
        self.unsent.push_back(self.last);
    }

    /// Sends what is unsent; false if the connection has its fill first.
    fn flush(&mut self, dealer: &Dealer) -> bool {
        while let Some(number) = self.unsent.pop_front() {
            let Some(command) = self.waiting.get_mut(&number) else {
                continue;
            };
            if command.reply.is_closed() {
                self.waiting.remove(&number);
                continue;
            }
            let mut frames = Vec::with_capacity(command.frames.len() + 2);
            frames.push(Bytes::copy_from_slice(&number.to_be_bytes()));
            frames.push(Bytes::new());
            match command.idempotent {
                true => frames.extend(command.frames.iter().cloned()),
                // What is never asked again need not be kept.
                false => frames.append(&mut command.frames),
            }
            if let Sent::Full(mut back) = dealer.try_send(frames) {
                command.frames = back.split_off(2);
                self.unsent.push_front(number);
                return false;
            }
        }
        true
    }

    fn settle(&mut self, mut reply: Frames) {
        let number = match reply.as_slice() {
            [number, delimiter, ..] if delimiter.is_empty() => number.as_ref().try_into(),
            // Not an answer to anything this asked.
            _ => return,
        };
        let Ok(number) = number.map(u64::from_be_bytes) else {
            return;
        };
        if let Some(command) = self.waiting.remove(&number) {
            // A caller that has given up is no loss.
            drop(command.reply.send(Ok(reply.split_off(2))));
        }
    }

    /// Forgets what nobody waits for.
    fn sweep(&mut self) {
        self.waiting.retain(|_, command| !command.reply.is_closed());
    }

    /// After a lost connection: what may be asked again will be, the rest is told.
    fn lose(&mut self, address: &str) {
        self.sweep();
        let unsent: Vec<u64> = self.unsent.drain(..).collect();
        let is_lost =
            |number: &u64, command: &mut Command| !command.idempotent && !unsent.contains(number);
        for (_, command) in self.waiting.extract_if(is_lost) {
            let message = format!("the connection to {address} was lost before the answer came");
            let fault = Fault::new(Code::Unavailable, message)
                .hint("it may have been done or not: look before asking again");
            drop(command.reply.send(Err(fault)));
        }
        let mut again: Vec<u64> = self.waiting.keys().copied().collect();
        again.sort_unstable();
        self.unsent.extend(again);
    }
}
