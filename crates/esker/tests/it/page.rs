//! One request to the page's server, as a program makes it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON, or as a text of JSON.
    pub(crate) fn json(self) -> (u16, Value) {
        (self.status, serde_json::from_str(&self.body).unwrap_or(Value::String(self.body)))
    }
}

/// Asks; `headers` are whole lines besides the usual ones.
pub(crate) fn ask(port: u16, (method, path): (&str, &str), headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, body: body.to_owned() }
}
