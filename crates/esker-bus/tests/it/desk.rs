//! The service under test, the requests it takes, and a bus with it at work.

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus, Limits};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::chain::Link;
use esker_wire::event::Event;
use esker_wire::fault::Fault;
use esker_wire::message::{Message, Request};
use esker_wire::seed::{self, SeedRequest};

/// Longer than anything here takes on a slow machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Any free port.
pub(crate) const FREE: &str = "tcp://127.0.0.1:0";

/// Answers `SAY` with what was said, `PUT` with an event, `BURST` with many, `SKIP` with an event lost on the way, `HOLD` when the
/// test lets it go, `HUGE` with more than fits, and the seeds' forms.
pub(crate) struct Desk {
    epoch: u64,
    seq: u64,
    holding: mpsc::Sender<()>,
    gate: mpsc::Receiver<()>,
}

impl Desk {
    fn event(&mut self, name: &str) -> Event {
        self.seq += 1;
        Event::Put {
            link: self.link(),
            now: None,
            resource: name.parse().unwrap(),
            branch: "main".parse().unwrap(),
            revision: None,
            previous: None,
        }
    }

    fn link(&self) -> Link {
        Link { epoch: self.epoch, seq: self.seq }
    }

    fn ours(&mut self, request: &Message) -> Outcome {
        let mut reply = Message::ok();
        reply.body = request.body.clone();
        let mut events = Vec::new();
        match request.verb() {
            "SAY" => reply.head_mut().push("said", request.subject()),
            "PUT" => events.push(self.event(request.subject()).to_frames()),
            "BURST" => {
                let count = 0..request.subject().parse().unwrap();
                events.extend(count.map(|_| self.event("raw/burst").to_frames()));
            }
            "SKIP" => self.seq += 1,
            "HOLD" => {
                // A test that has failed has dropped the other ends; a panic here would hide why.
                self.holding.send(()).ok();
                self.gate.recv_timeout(SOON).ok();
            }
            "HUGE" => reply.body.push(Bytes::from(vec![0; 2_000_000])),
            "PANIC" => panic!("the desk was asked to panic"),
            other => {
                let fault = Fault::bad_request(format!("no verb {other:?} here"));
                reply = Message::error(&fault);
            }
        }
        Outcome { events, ..Outcome::reply(reply.to_frames()) }
    }

    fn seeds(frame: &[u8]) -> Outcome {
        match SeedRequest::from_frame(frame) {
            Ok(SeedRequest::Put { name, .. }) => Outcome {
                events: vec![vec![seed::event(&name)]],
                ..Outcome::reply(vec![seed::ok()])
            },
            Ok(SeedRequest::Get { name, .. }) => {
                Outcome::reply(vec![Bytes::from(format!("====={name}\n\tabcde\n=====data"))])
            }
            Err(fault) => Outcome::reply(vec![seed::error(&fault)]),
        }
    }
}

impl Service for Desk {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let answer = |request: &Frames| match Message::from_frames(request) {
            Ok(message) => self.ours(&message),
            Err(_) => Self::seeds(&request[0]),
        };
        requests.iter().map(answer).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        vec![Event::Heartbeat { link: self.link() }.to_frames()]
    }
}

/// A request of the desk; `AGAIN` says whether it is idempotent.
pub(crate) struct Ask<const AGAIN: bool>(pub(crate) Message);

impl<const AGAIN: bool> Ask<AGAIN> {
    pub(crate) fn new(verb: &str, subject: &str) -> Self {
        Self(Message::request(verb, subject))
    }
}

impl<const AGAIN: bool> Request for Ask<AGAIN> {
    type Reply = Message;
    const VERB: &'static str = "ASK";
    const IDEMPOTENT: bool = AGAIN;

    fn to_message(&self) -> Message {
        self.0.clone()
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        Ok(Self(message.clone()))
    }

    fn reply_to_message(reply: &Message) -> Message {
        reply.clone()
    }

    fn reply_from_message(message: &Message) -> Result<Message, Fault> {
        Ok(message.clone())
    }
}

/// A desk at work on free ports.
pub(crate) struct Office {
    pub(crate) bus: Bus,
    pub(crate) server: Server,
    /// Tells that a `HOLD` is being held.
    pub(crate) held: mpsc::Receiver<()>,
    /// Lets one `HOLD` go.
    pub(crate) open: mpsc::Sender<()>,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let binds =
            Binds { requests: vec![FREE.to_owned()], events: vec![FREE.to_owned()], limits };
        Self::at(&Bus::start().unwrap(), 1, &binds)
    }

    pub(crate) fn at(bus: &Bus, epoch: u64, binds: &Binds) -> Self {
        let (holding, held) = mpsc::channel();
        let (open, gate) = mpsc::channel();
        let desk = Desk { epoch, seq: 0, holding, gate };
        Self { bus: bus.clone(), server: bus.serve("desk", desk, binds).unwrap(), held, open }
    }

    /// The same addresses, to bind again.
    pub(crate) fn binds(&self) -> Binds {
        Binds {
            requests: self.server.requests().to_vec(),
            events: self.server.events().to_vec(),
            limits: Limits::default(),
        }
    }

    pub(crate) fn tcp(&self) -> Endpoint {
        Endpoint::Tcp {
            requests: self.server.requests()[0].clone(),
            events: self.server.events()[0].clone(),
        }
    }

    pub(crate) fn caller(&self) -> Caller {
        self.bus.caller(&self.tcp())
    }
}

/// Runs `check` over both ways to a desk.
pub(crate) fn both(limits: &Limits, check: impl Fn(Office, Endpoint)) {
    let office = Office::with(limits.clone());
    let local = office.server.local();
    check(office, local);
    let office = Office::with(limits.clone());
    let tcp = office.tcp();
    check(office, tcp);
}

/// Runs asynchronous code on a runtime without a clock or sockets: callers bring their own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// Says something and expects to hear it.
pub(crate) fn say(caller: &Caller, text: &str) {
    let reply = caller.call_blocking(&Ask::<true>::new("SAY", text), SOON);
    assert_eq!(reply.unwrap().head().get("said"), Some(text));
}
