//! A wire that can be cut: forwards connections to an address until told to drop them.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Forwards what connects to [`Proxy::address`].
pub(crate) struct Proxy {
    /// `tcp://127.0.0.1:PORT`.
    pub(crate) address: String,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// A wire to `to`, a `tcp://` address.
    pub(crate) fn new(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let streams = Arc::new(Mutex::new(Vec::new()));
        let to = to.strip_prefix("tcp://").unwrap().to_owned();
        let kept = Arc::clone(&streams);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let ours = stream.unwrap();
                let Ok(theirs) = TcpStream::connect(&to) else {
                    continue;
                };
                copy(&ours, &theirs);
                copy(&theirs, &ours);
                kept.lock().unwrap().extend([ours, theirs]);
            }
        });
        Self { address, streams }
    }

    /// Cuts what is connected; who connects again is served again.
    pub(crate) fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            // One end may have gone by itself.
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

fn copy(from: &TcpStream, to: &TcpStream) {
    let mut from = from.try_clone().unwrap();
    let mut to = to.try_clone().unwrap();
    std::thread::spawn(move || io::copy(&mut from, &mut to));
}
