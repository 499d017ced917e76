//! A provider that says what it is told to: as a good one does, or not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// What it says, and what it was asked.
#[derive(Default)]
struct Said {
    /// The claims of the next ID token.
    claims: Value,
    /// What it says of whoever that is if it is asked for more.
    userinfo: Value,
    kid: String,
    /// What is sent instead of what it has found: all of an answer.
    instead: Option<(String, Vec<u8>)>,
    /// Every request, as it came.
    asked: Vec<String>,
}

/// A provider on this machine.
pub(crate) struct Provider {
    pub(crate) at: SocketAddr,
    said: Arc<Mutex<Said>>,
}

impl Provider {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let at = listener.local_addr().expect("an address");
        let said = Arc::new(Mutex::new(Said { kid: "first".to_owned(), ..Said::default() }));
        let (random, of) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(of, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(of, pkcs8.as_ref(), &random).expect("a key");
        let (key, known) = (Arc::new(key), Arc::clone(&said));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (key, said) = (Arc::clone(&key), Arc::clone(&known));
                thread::spawn(move || answer(stream, at, &key, &said));
            }
        });
        Self { at, said }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Has the next token say this, besides what every good one does.
    pub(crate) fn says(&self, nonce: &str, more: &Value) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        let mut claims = json!({
            "iss": self.issuer(), "aud": "esker", "sub": "7", "nonce": nonce, "exp": now + 300,
            "email": "ann@example.org",
        });
        for (key, value) in more.as_object().expect("claims") {
            match value {
                Value::Null => drop(claims.as_object_mut().expect("claims").remove(key)),
                value => claims[key] = value.clone(),
            }
        }
        self.said.lock().expect("whole").claims = claims;
    }

    /// Has it say this of whoever that is if it is asked for more.
    pub(crate) fn tells(&self, userinfo: &Value) {
        self.said.lock().expect("whole").userinfo = userinfo.clone();
    }

    /// Has it sign with a key of another name.
    pub(crate) fn has_key(&self, kid: &str) {
        self.said.lock().expect("whole").kid = kid.to_owned();
    }

    /// Has it answer so where it is asked for this.
    pub(crate) fn answers(&self, path: &str, answer: &[u8]) {
        self.said.lock().expect("whole").instead = Some((path.to_owned(), answer.to_vec()));
    }

    /// What it was asked there.
    pub(crate) fn asked(&self, path: &str) -> Vec<String> {
        let said = self.said.lock().expect("whole");
        let is_there = |request: &&String| request.split(' ').nth(1) == Some(path);
        said.asked.iter().filter(is_there).cloned().collect()
    }
}

fn answer(mut stream: TcpStream, at: SocketAddr, key: &EcdsaKeyPair, said: &Mutex<Said>) {
    let request = read(&mut stream);
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = {
        let mut said = said.lock().expect("whole");
        said.asked.push(request);
        match &said.instead {
            Some((of, answer)) if *of == path => Err(answer.clone()),
            _ => Ok(document(&path, at, key, &said)),
        }
    };
    match body {
        Ok(body) => {
            let body = body.to_string();
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json";
            let length = body.len();
            drop(write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}"));
        }
        // Nothing at all: it is kept waiting until it has had enough.
        Err(answer) if answer.is_empty() => {
            drop(stream.set_read_timeout(Some(Duration::from_secs(60))));
            drop(stream.read(&mut [0; 1]));
        }
        Err(answer) => drop(stream.write_all(&answer)),
    }
}

fn document(path: &str, at: SocketAddr, key: &EcdsaKeyPair, said: &Said) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    match path {
        "/.well-known/openid-configuration" => json!({
            "issuer": format!("http://{at}"),
            "authorization_endpoint": format!("http://{at}/authorize"),
            "token_endpoint": format!("http://{at}/token"),
            "jwks_uri": format!("http://{at}/keys"),
            "userinfo_endpoint": format!("http://{at}/userinfo"),
        }),
        "/keys" => json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "x": B64.encode(x), "y": B64.encode(y),
            "kid": said.kid, "use": "sig", "alg": "ES256",
        }] }),
        "/userinfo" => said.userinfo.clone(),
        _ => {
            let header = json!({ "alg": "ES256", "kid": said.kid }).to_string();
            let message = format!("{}.{}", B64.encode(header), B64.encode(said.claims.to_string()));
            let signed = key.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
            let token = format!("{message}.{}", B64.encode(signed));
            json!({ "id_token": token, "access_token": "a", "token_type": "Bearer" })
        }
    }
}

/// A whole request.
fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        bytes.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = lengths.next().and_then(|(_, length)| length.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
