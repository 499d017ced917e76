//! A server for tests, on a port of its own: it answers each request with the bytes it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

/// A running server.
pub(crate) struct Stand {
    /// `http://127.0.0.1:PORT` or `https://localhost:PORT`.
    pub(crate) url: String,
    port: u16,
    /// The heads of the requests, as they come.
    pub(crate) asked: Receiver<String>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What a test wants to trust or not.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        // Two authorities of one name would be taken for each other.
        let name = folder.path().display().to_string();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    /// The file that says whom to trust.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's side of TLS for a name, valid until a year.
    pub(crate) fn certify(&self, name: &str, until: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}

impl Stand {
    /// Serves; `answer` gives what is sent to the Nth request.
    pub(crate) fn serve(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        Self::start(None, answer)
    }

    /// Serves over TLS.
    pub(crate) fn serve_tls(
        config: Arc<ServerConfig>,
        answer: impl Fn(usize) -> Vec<u8> + Send + 'static,
    ) -> Self {
        Self::start(Some(config), answer)
    }

    fn start(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(usize) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let (tell, asked) = channel();
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = thread::spawn(move || {
            let mut count = 0;
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if ended.load(Ordering::Acquire) {
                    return;
                }
                let told = match &tls {
                    None => talk(stream, || answer(count)),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        talk(StreamOwned::new(connection, stream), || answer(count))
                    }
                };
                // One who does not trust us says nothing.
                if let Some(head) = told {
                    count += 1;
                    drop(tell.send(head));
                }
            }
        });
        Self { url, port, asked, end, thread: Some(thread) }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Release);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Reads a request's head, and answers; what it was.
fn talk(mut stream: impl Read + Write, answer: impl FnOnce() -> Vec<u8>) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    // One who has heard enough may be gone.
    drop(stream.write_all(&answer()).and_then(|()| stream.flush()));
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// An answer with this status, these headers and this body.
pub(crate) fn answer(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        text += &format!("{header}\r\n");
    }
    [(text + "\r\n").as_bytes(), body].concat()
}
