//! A page that lets in those who are named, as browsers and programs ask it: over TCP, over TLS, by WebSocket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use esker_bus::bus::{Binds, Bus};
use esker_bus::server::Server as Service;
use esker_replica::live::{self, Source};
use esker_replica::publisher::Options;
use esker_web::access::{Access, Token, User, password};
use esker_web::live::Live;
use esker_web::project::Project;
use esker_web::server::{Error, Served, Server};
use esker_wire::role::{ROLES, Role};
use tokio::sync::watch;

/// The password of every user.
pub(crate) const PASSWORD: &str = "correct horse";

/// The token of a role.
pub(crate) fn token(role: Role) -> String {
    format!("a-token-of-the-role-{role}")
}

/// A user and a token for every role; users are called like them.
pub(crate) fn everybody() -> Access {
    let hash = password::hash(PASSWORD).expect("a hash");
    let user =
        |(role, word): (Role, &str)| User { name: word.to_owned(), password: hash.clone(), role };
    let token = |(role, word): (Role, &str)| Token {
        name: format!("program-{word}"),
        token: token(role),
        role,
    };
    let (users, tokens) = (ROLES.map(user).to_vec(), ROLES.map(token).to_vec());
    Access { users, tokens, ..Access::default() }
}

/// A page; what stands for its hub is a model, which answers no question of a hub.
pub(crate) struct Door {
    web: Option<Server>,
    model: Option<Service>,
    _source: Source,
    _project: watch::Sender<Arc<Project>>,
    pub(crate) at: SocketAddr,
}

impl Door {
    pub(crate) fn new(access: Access) -> Self {
        Self::at("127.0.0.1:0", access).expect("served")
    }

    /// One where somebody follows a live model.
    #[cfg(feature = "graphql")]
    pub(crate) fn following(access: Access, live: Live) -> Self {
        Self::serve("127.0.0.1:0", access, Some(live)).expect("served")
    }

    pub(crate) fn at(bind: &str, access: Access) -> Result<Self, Error> {
        Self::serve(bind, access, None)
    }

    fn serve(bind: &str, access: Access, live: Option<Live>) -> Result<Self, Error> {
        let bus = Bus::start().expect("a bus");
        let options = Options::new("m", 1);
        let (model, source) =
            live::serve(&bus, &options, None, &Binds::default()).expect("published");
        let to = model.local();
        let (project, shown) = watch::channel(Arc::default());
        let served = Served {
            hub: &to,
            model: Some(&to),
            live,
            find: None,
            dir: "".as_ref(),
            project: shown,
            access,
        };
        let web = Server::start(&bus, bind.parse().expect("an address"), served)?;
        let at = web.address();
        Ok(Self { web: Some(web), model: Some(model), _source: source, _project: project, at })
    }

    /// The same, reached there.
    pub(crate) fn reached_at(mut self, at: SocketAddr) -> Self {
        self.at = at;
        self
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.at).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
        stream
    }

    /// One request with these headers besides its own.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send((method, path), headers, b"")
    }

    pub(crate) fn send(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        exchange(self.connect(), &self.request((method, path), headers, body))
    }

    pub(crate) fn request(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.at);
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }

    /// Logs in; the answer.
    pub(crate) fn log_in(&self, user: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let headers = [headers, &[form]].concat();
        let body = format!("user={user}&password={}&next=%2Fr", password.replace(' ', "+"));
        self.send(("POST", "/login"), &headers, body.as_bytes())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(web) = self.web.take() {
            web.shutdown();
        }
        if let Some(model) = self.model.take() {
            model.shutdown();
        }
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut of = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        of.next().map(|(_, value)| value)
    }

    /// The session's cookie that was set, as it is sent back.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").expect("a cookie");
        cookie.split(';').next().expect("a pair").to_owned()
    }
}

/// Sends a request, and reads what is answered until the other side closes.
pub(crate) fn exchange(mut stream: impl Read + Write, request: &[u8]) -> Answer {
    // A server that has heard enough answers and closes: what is sent behind that is for nobody.
    drop(stream.write_all(request));
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        bytes.extend_from_slice(&part[..length]);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
