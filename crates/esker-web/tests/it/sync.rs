//! `/sync/1` as a browser uses it.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server as Service;
use esker_replica::ask::{Answer, Ask, Put};
use esker_replica::live::{self, Source};
use esker_replica::op::Op;
use esker_replica::path::{self, path};
use esker_replica::publisher::Options;
use esker_web::access::Access;
use esker_web::project::Project;
use esker_web::server::{Served, Server};
use esker_wire::message::Message;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::watch;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message as Told, WebSocket};

/// A page with a model behind it.
struct World {
    web: Option<Server>,
    model: Option<Service>,
    source: Source,
    _project: watch::Sender<Arc<Project>>,
    at: SocketAddr,
}

impl World {
    /// The model is reached in this process, or by its addresses.
    fn new(is_local: bool) -> Self {
        let bus = Bus::start().expect("a bus");
        let options = Options { writable: true, ..Options::new("m", 1) };
        let any = || vec!["tcp://127.0.0.1:0".to_owned()];
        let binds = Binds { requests: any(), events: any(), ..Binds::default() };
        let (model, source) = live::serve(&bus, &options, None, &binds).expect("published");
        let to = match is_local {
            true => model.local(),
            false => Endpoint::Tcp {
                requests: model.requests()[0].clone(),
                events: model.events()[0].clone(),
            },
        };
        let (project, shown) = watch::channel(Arc::default());
        let bind = "127.0.0.1:0".parse().expect("an address");
        let access = Access::default();
        let served = Served {
            hub: &to,
            model: Some(&to),
            live: None,
            find: None,
            dir: "".as_ref(),
            project: shown,
            access,
        };
        let web = Server::start(&bus, bind, served).expect("served");
        let at = web.address();
        Self { web: Some(web), model: Some(model), source, _project: project, at }
    }

    fn set(&self, section: &str, value: i64) -> u64 {
        self.source.change(vec![Op::set(path([section]), value)]).expect("changed")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(web) = self.web.take() {
            web.shutdown();
        }
        if let Some(model) = self.model.take() {
            model.shutdown();
        }
    }
}

/// A browser.
struct Client(WebSocket<TcpStream>);

type Refused = tungstenite::HandshakeError<tungstenite::ClientHandshake<TcpStream>>;

fn connect(at: SocketAddr, origin: &str) -> Result<Client, Box<Refused>> {
    let stream = TcpStream::connect(at).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    let mut request = format!("ws://{at}/sync/1").into_client_request().expect("an address");
    request.headers_mut().insert("origin", origin.parse().expect("a header"));
    Ok(Client(tungstenite::client(request, stream).map_err(Box::new)?.0))
}

fn status(refused: &Refused) -> u16 {
    match refused {
        Refused::Failure(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other}"),
    }
}

impl Client {
    fn new(world: &World) -> Self {
        connect(world.at, &format!("http://{}", world.at)).expect("accepted")
    }

    fn say(&mut self, frames: &[Bytes]) {
        let part = |frame: &Bytes| {
            let length = u32::try_from(frame.len()).expect("short").to_le_bytes();
            [&length, &frame[..]].concat()
        };
        let bytes: Vec<u8> = frames.iter().flat_map(part).collect();
        self.0.send(Told::binary(bytes)).expect("sent");
    }

    fn hear(&mut self) -> Vec<Bytes> {
        loop {
            let Told::Binary(mut rest) = self.0.read().expect("a message") else { continue };
            let mut frames = Vec::new();
            while !rest.is_empty() {
                let length = rest.split_to(4);
                let length = u32::from_le_bytes(length[..].try_into().expect("4 bytes"));
                frames.push(rest.split_to(length as usize));
            }
            return frames;
        }
    }

    /// The next reply, whatever events come before it.
    fn reply(&mut self) -> Message {
        loop {
            let frames = self.hear();
            if frames[0].starts_with(b"=====esker/1") {
                return Message::from_frames(&frames).expect("a reply");
            }
        }
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        self.say(&ask.to_message("m").to_frames());
        Answer::from_message(ask, &self.reply()).expect("an answer").1
    }

    fn head(&mut self, head: &'static str) -> Message {
        self.say(&[Bytes::from_static(head.as_bytes())]);
        self.reply()
    }

    /// The transaction of the next DELTA of a section.
    fn delta(&mut self, section: &str) -> u64 {
        loop {
            let frames = self.hear();
            let [topic, header, _] = &frames[..] else { continue };
            if **topic == path::topic("m", &path([section])) && header[3] == 1 {
                return u64::from_le_bytes(header[16..24].try_into().expect("8 bytes"));
            }
            assert!(topic.starts_with(&path::topics("m")), "{topic:?}");
        }
    }
}

#[test]
fn requests_go_up_and_replies_and_events_come_down() {
    for is_local in [true, false] {
        let world = World::new(is_local);
        let mut client = Client::new(&world);
        let reply = client.head("=====esker/1 FOLLOW m\n\tid: 7\n");
        assert_eq!((reply.verb(), reply.head().get("id")), ("OK", Some("7")));
        let Answer::Hello(hello) = client.ask(&Ask::Hello) else { panic!("no HELLO") };
        assert!(hello.writable && hello.seq == 0);
        // A subscription over TCP begins when it has arrived: the first heartbeat tells.
        while !client.hear()[0].ends_with(b"\0\0") {}
        let put = Put { ops: vec![Op::set(path(["a"]), true)], ..Put::default() };
        client.say(&Ask::Put(put).to_message("m").to_frames());
        assert_eq!(client.delta("a"), 1);
        world.set("b", 2);
        assert_eq!(client.delta("b"), 2);
    }
}

#[test]
fn each_browser_has_its_own_sections_and_may_change_them() {
    let world = World::new(true);
    let (mut one, mut all, mut none) =
        (Client::new(&world), Client::new(&world), Client::new(&world));
    one.head("=====esker/1 FOLLOW m\n\tsection: [\"a\"]\n");
    all.head("=====esker/1 FOLLOW m\n");
    world.set("b", 1);
    world.set("a", 2);
    assert_eq!(all.delta("b"), 1);
    assert_eq!(all.delta("a"), 2);
    loop {
        let frames = one.hear();
        assert_ne!(*frames[0], path::topic("m", &path(["b"])), "it did not ask for that");
        if *frames[0] == path::topic("m", &path(["a"])) {
            break;
        }
    }
    one.head("=====esker/1 FOLLOW m\n\tsection: [\"b\"]\n");
    world.set("b", 3);
    assert_eq!(one.delta("b"), 3);
    // Who has said nothing hears its own replies alone.
    none.say(&Ask::Hello.to_message("m").to_frames());
    assert!(none.hear()[0].starts_with(b"=====esker/1 OK"));
}

#[test]
fn faults_are_answered_with_the_number_of_what_was_asked() {
    let world = World::new(true);
    let mut client = Client::new(&world);
    let reply = client.head("=====esker/1 FOLLOW\n\tid: 1\n");
    assert_eq!((reply.subject(), reply.head().get("id")), ("bad-request", Some("1")));
    let reply = client.head("=====esker/1 HELLO other\n\tid: 2\n");
    assert_eq!((reply.subject(), reply.head().get("id")), ("not-found", Some("2")));
    client.0.send(Told::text("=====esker/1 HELLO m")).expect("sent");
    assert_eq!(client.reply().subject(), "bad-request");
    client.0.send(Told::binary(vec![9, 0, 0])).expect("sent");
    assert_eq!(client.reply().subject(), "bad-request");
    assert_eq!(client.head("=====esker/1 HELLO m\n").verb(), "OK", "it is served on");
}

#[test]
fn many_requests_at_once_are_all_answered() {
    let world = World::new(false);
    let mut client = Client::new(&world);
    for id in 0..1000 {
        client.say(&[format!("=====esker/1 HELLO m\n\tid: {id}\n").into()]);
    }
    let mut ids: Vec<usize> = (0..1000)
        .map(|_| client.reply().head().get("id").expect("a number").parse().expect("ours"))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..1000).collect::<Vec<_>>());
}

#[test]
fn what_is_too_large_ends_the_connection_and_no_other() {
    let world = World::new(true);
    let (mut bad, mut good) = (Client::new(&world), Client::new(&world));
    // It may be let go while it still sends.
    drop(bad.0.send(Told::binary(vec![0; 4 * 1024 * 1024 + 1])));
    loop {
        match bad.0.read() {
            Ok(Told::Close(_)) | Err(_) => break,
            Ok(_) => {}
        }
    }
    assert_eq!(good.head("=====esker/1 HELLO m\n").verb(), "OK");
}

#[test]
fn one_who_does_not_read_loses_events_and_then_hears_newer_ones() {
    let world = World::new(true);
    let mut client = Client::new(&world);
    client.head("=====esker/1 FOLLOW m\n");
    let text = "x".repeat(500_000);
    let changes = 100;
    // Far more than the buffers of both sockets and 1 MiB hold.
    for index in 0..changes {
        let op = Op::set(path(["a"]), format!("{index}{text}").as_str());
        world.source.change(vec![op]).expect("changed");
    }
    client.say(&Ask::Hello.to_message("m").to_frames());
    let mut heard = 0;
    // Its reply is behind all that was not lost.
    while !client.hear()[0].starts_with(b"=====esker/1 OK") {
        heard += 1;
    }
    assert!(heard < changes, "it lost some: {heard} of {changes}");
    assert_eq!(world.set("a", 1), client.delta("a"), "and hears again what is new");
}

#[test]
fn another_sites_page_and_a_page_without_a_model_are_refused() {
    let world = World::new(true);
    assert_eq!(status(&connect(world.at, "http://evil.example").err().expect("refused")), 403);
    let (_project, shown) = watch::channel(Arc::default());
    let bus = Bus::start().expect("a bus");
    let bind = "127.0.0.1:0".parse().expect("an address");
    let hub = world.model.as_ref().expect("there").local();
    let (dir, access) = ("".as_ref(), Access::default());
    let served =
        Served { hub: &hub, model: None, live: None, find: None, dir, project: shown, access };
    let web = Server::start(&bus, bind, served).expect("served");
    let at = web.address();
    assert_eq!(status(&connect(at, &format!("http://{at}")).err().expect("refused")), 404);
    web.shutdown();
}

#[test]
fn only_so_many_follow_at_once() {
    // Both ends of each are in this process, and shells allow 1,024 files.
    let limit = getrlimit(Resource::Nofile);
    let more = Rlimit {
        current: limit.maximum.map_or(Some(4_096), |most| Some(most.min(4_096))),
        ..limit
    };
    setrlimit(Resource::Nofile, more).expect("more files");
    let world = World::new(true);
    let mut clients: Vec<Client> = (0..768).map(|_| Client::new(&world)).collect();
    let origin = format!("http://{}", world.at);
    assert_eq!(status(&connect(world.at, &origin).err().expect("refused")), 503);
    drop(clients.pop());
    let begun = std::time::Instant::now();
    while connect(world.at, &origin).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "its place is free again");
    }
}
