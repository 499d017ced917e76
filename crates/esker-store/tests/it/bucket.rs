//! A bucket for tests: a real server that speaks S3 (moto's), and a wire to it that can be cut.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use esker_wire::blobs::Blobs;
use esker_wire::pointer::ContentId;

/// The bucket's name, and what is before every object's name.
const BUCKET: &str = "data";
const PREFIX: &str = "team/store";
/// How long the server may take for an answer, and how often it is asked.
const ANSWER_MAX: std::time::Duration = std::time::Duration::from_secs(10);
const TRIES_MAX: usize = 5;
/// This server wants one, and does not look whether it is right.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 \
    Credential=anyone/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
/// The place in the bucket.
pub(crate) const PLACE: &str = "s3://data/team/store";

/// A server with one bucket, ended when dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("no server that speaks S3: `cargo xtask test` installs moto\n{said}");
            };
            if let Some((_, address)) = line.split_once("Running on http://") {
                break address.trim().to_owned();
            }
            said += &format!("{line}\n");
        };
        // Somebody has to read what it says.
        thread::spawn(move || lines.for_each(drop));
        let server = Self { child, address };
        assert_eq!(server.ask("PUT", &format!("/{BUCKET}"), b"").0, 200);
        server
    }

    /// The place in the bucket, by way of a wire.
    pub(crate) fn blobs(wire: &Wire) -> Blobs {
        let endpoint = Some(format!("http://{}", wire.address));
        let region = Some("eu-central-1".to_owned());
        Blobs { endpoint, region, ..PLACE.parse().unwrap() }
    }

    /// The bytes of a content there.
    pub(crate) fn object(&self, id: ContentId) -> Option<Vec<u8>> {
        let (status, bytes) = self.ask("GET", &path(id), b"");
        (status == 200).then_some(bytes)
    }

    pub(crate) fn replace(&self, id: ContentId, bytes: &[u8]) {
        assert_eq!(self.ask("PUT", &path(id), bytes).0, 200);
    }

    /// Asks as someone else with the right to; again, if the server does not answer or close in time.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut tries = (0..TRIES_MAX).map(|_| self.try_ask(method, path, body));
        let answered = tries.find_map(Result::ok).expect("the server answers");
        drop(tries);
        answered
    }

    fn try_ask(&self, method: &str, path: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\
            Authorization: {SIGNATURE}\r\nConnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.ok_or_else(|| std::io::Error::other("an answer without a head"))?;
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        Ok((status, answer.split_off(end + 4)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn path(id: ContentId) -> String {
    let digits = id.digits();
    format!("/{BUCKET}/{PREFIX}/{}/{}/{digits}", &digits[..2], &digits[2..4])
}

/// A wire to a server.
pub(crate) struct Wire {
    pub(crate) address: String,
    state: Arc<Valve>,
}

struct Valve {
    is_cut: AtomicBool,
    /// How many bytes may still go to the server.
    left: AtomicU64,
}

impl Wire {
    pub(crate) fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state =
            Arc::new(Valve { is_cut: AtomicBool::new(false), left: AtomicU64::new(u64::MAX) });
        let (valve, to) = (Arc::clone(&state), server.address.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if valve.is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let (valve, there) = (Arc::clone(&valve), TcpStream::connect(&to).unwrap());
                let ends = (stream.try_clone().unwrap(), there.try_clone().unwrap());
                let back = Arc::clone(&valve);
                thread::spawn(move || carry(stream, there, &valve, true));
                thread::spawn(move || carry(ends.1, ends.0, &back, false));
            }
        });
        Self { address, state }
    }

    pub(crate) fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.state.is_cut.store(false, Ordering::SeqCst);
    }

    /// Lets so many bytes more go to the server, then nothing.
    pub(crate) fn let_through(&self, bytes: u64) {
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// Whether nothing more goes to the server.
    pub(crate) fn is_shut(&self) -> bool {
        self.state.left.load(Ordering::SeqCst) == 0
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, valve: &Valve, counts: bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if valve.is_cut.load(Ordering::SeqCst) {
            break;
        }
        if counts {
            let length = read as u64;
            let take = |left: u64| Some(left.saturating_sub(length));
            let left = valve.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).unwrap();
            if left < length {
                // Kept open, as by a server that hangs, until the other side goes.
                while let Ok(1..) = from.read(&mut buffer) {}
                break;
            }
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
