//! A TCP proxy that does to connections what networks do: it ends them in the middle, or lets nothing through and says nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often a connection looks what it may do.
const LOOK: Duration = Duration::from_millis(5);

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From who connected.
    Up,
    /// To who connected.
    Down,
}

/// Stands before an address. Its threads end when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    to: SocketAddr,
    is_over: AtomicBool,
    /// Nothing goes this way, and nobody is told.
    still: Mutex<Option<Way>>,
    /// The connection ends that so many more bytes have come down on; none if it is negative.
    left: AtomicI64,
    cuts: AtomicU64,
}

impl Proxy {
    /// In front of `tcp://HOST:PORT`.
    pub(crate) fn before(address: &str) -> Self {
        let to = address.trim_start_matches("tcp://").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            to,
            is_over: AtomicBool::new(false),
            still: Mutex::new(None),
            left: AtomicI64::new(-1),
            cuts: AtomicU64::new(0),
        });
        let proxied = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &proxied));
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Lets nothing through this way; or everything both ways.
    pub(crate) fn hold(&self, way: Option<Way>) {
        *self.shared.still.lock().expect("nobody panics") = way;
    }

    /// Ends a connection once so many more bytes have come down.
    pub(crate) fn cut_after(&self, bytes: i64) {
        self.shared.left.store(bytes, SeqCst);
    }

    /// How often connections were ended.
    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.load(SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, SeqCst);
        // The thread that accepts looks again.
        drop(TcpStream::connect(self.address));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().map_while(Result::ok) {
        if shared.is_over.load(SeqCst) {
            return;
        }
        // Who cannot be reached is not there for the client either.
        let Ok(server) = TcpStream::connect(shared.to) else { continue };
        for (from, to, way) in [(&client, &server, Way::Up), (&server, &client, Way::Down)] {
            let from = from.try_clone().expect("a descriptor");
            let to = to.try_clone().expect("a descriptor");
            from.set_read_timeout(Some(LOOK)).expect("set");
            to.set_nodelay(true).expect("set");
            let shared = Arc::clone(shared);
            std::thread::spawn(move || {
                pass(&shared, &from, &to, way);
                drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
            });
        }
    }
}

/// Copies until one of them ends, or is ended.
fn pass(shared: &Shared, mut from: &TcpStream, mut to: &TcpStream, way: Way) {
    let mut buffer = vec![0; 64 * 1024];
    while !shared.is_over.load(SeqCst) {
        if *shared.still.lock().expect("nobody panics") == Some(way) {
            std::thread::park_timeout(LOOK);
            continue;
        }
        let read = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => return,
        };
        let left = if way == Way::Down { shared.left.load(SeqCst) } else { -1 };
        let read_now = i64::try_from(read).expect("a buffer is small");
        if left >= 0 && left < read_now {
            shared.left.store(-1, SeqCst);
            shared.cuts.fetch_add(1, SeqCst);
            drop(to.write_all(&buffer[..usize::try_from(left).expect("not negative")]));
            return;
        }
        if left >= 0 {
            shared.left.fetch_sub(read_now, SeqCst);
        }
        if to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}
