//! Reaching a server and logging in.

use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::super::super::tls::certificates;
use super::super::address::{Host, Server};
use super::wire::{Fields, Stream, Wire};
use super::{Ca, Wrong};

/// What is spoken: long passwords and flags, a database's name, version 4.1, transactions, secure passwords,
/// named ways to log in.
const SPOKEN: u32 = 0x1 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x8_0000;
const TLS: u32 = 0x800;
/// The number of utf8mb4.
const CHARSET: u8 = 45;
/// The most packets of one log-in.
const STEPS_MAX: usize = 10;

/// What a server says of itself.
struct Greeting {
    version: String,
    nonce: Vec<u8>,
    can: u32,
    way: String,
}

pub(super) fn log_in(server: &Server, ca: Ca<'_>, until: Instant) -> Result<Wire, Wrong> {
    let mut wire = Wire::new(reach(server, until)?, until);
    let greeting = greeting(&wire.receive()?)?;
    let mut head = Vec::new();
    let spoken = if server.encrypt { SPOKEN | TLS } else { SPOKEN };
    head.extend(spoken.to_le_bytes());
    head.extend(0x0100_0000_u32.to_le_bytes());
    head.push(CHARSET);
    head.extend([0; 23]);
    if server.encrypt {
        if greeting.can & TLS == 0 {
            return Err(Wrong::Strange("it does not speak TLS".to_owned()));
        }
        wire.send(&head)?;
        wire = wire.change(|stream| encrypt(stream, server, ca))?;
    }
    let password = server.password.as_deref().unwrap_or_default().as_bytes();
    let proof = proof(&greeting.way, &greeting.nonce, password, wire.is_private());
    // A way that is not known is told when the server insists on it.
    let proof = proof.unwrap_or_default();
    let user = server.user.clone().unwrap_or_else(|| std::env::var("USER").unwrap_or_default());
    head.extend(user.as_bytes());
    head.push(0);
    head.push(u8::try_from(proof.len()).unwrap_or_default());
    head.extend(&proof);
    head.extend(server.name.as_bytes());
    head.push(0);
    head.extend(greeting.way.as_bytes());
    head.push(0);
    wire.send(&head)?;
    settle(&mut wire, greeting.way, password)?;
    wire.set_version(greeting.version);
    Ok(wire)
}

/// Answers what the server still wants to know, until it is content.
fn settle(wire: &mut Wire, mut way: String, password: &[u8]) -> Result<(), Wrong> {
    for _ in 0..STEPS_MAX {
        let packet = wire.receive()?;
        let mut fields = Fields::new(&packet[1..]);
        match (packet[0], way.as_str()) {
            (0, _) => return Ok(()),
            (0xfe, _) => {
                way = String::from_utf8_lossy(fields.until_zero()).into_owned();
                let nonce = fields.rest().strip_suffix(&[0]).unwrap_or(fields.rest());
                let answer = proof(&way, nonce, password, wire.is_private())?;
                wire.send(&answer)?;
            }
            // The server remembers the password's hash.
            (1, "caching_sha2_password") if fields.rest() == [3] => {}
            (1, "caching_sha2_password") if fields.rest() == [4] => {
                if !wire.is_private() {
                    let why = "it wants the password, which goes over TLS only".to_owned();
                    return Err(Wrong::Strange(why));
                }
                wire.send(&[password, &[0]].concat())?;
            }
            (kind, way) => {
                return Err(Wrong::Strange(format!("it answers {way} with {kind:#x}")));
            }
        }
    }
    Err(Wrong::Strange("it is never content".to_owned()))
}

fn reach(server: &Server, until: Instant) -> Result<Stream, Wrong> {
    match &server.host {
        Host::Local(path) => Ok(Stream::Local(UnixStream::connect(path)?)),
        Host::Net(name, port) => {
            let gone = |why: String| Wrong::Gone(why);
            let found = (name.as_str(), *port).to_socket_addrs();
            let found = found.map_err(|_| gone("there is no such host".to_owned()))?;
            let mut last = gone("there is no such host".to_owned());
            for address in found {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(Wrong::Late);
                }
                match TcpStream::connect_timeout(&address, left) {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        return Ok(Stream::Net(stream));
                    }
                    Err(error) => last = error.into(),
                }
            }
            Err(last)
        }
    }
}

fn encrypt(stream: Stream, server: &Server, ca: Ca<'_>) -> Result<Stream, Wrong> {
    let (Stream::Net(mut socket), Host::Net(name, _)) = (stream, &server.host) else {
        return Err(Wrong::Strange("nobody else can listen there: leave out sslmode".to_owned()));
    };
    let config = certificates(ca).map_err(Wrong::Broken)?;
    let name = ServerName::try_from(name.clone())
        .map_err(|_| Wrong::Strange("its name cannot be that of a certificate".to_owned()))?;
    let mut connection = ClientConnection::new(Arc::clone(&config), name)
        .map_err(|error| Wrong::Strange(error.to_string()))?;
    // What is wrong with the certificate is told now rather than with the first packet.
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(Stream::Encrypted(Box::new(StreamOwned::new(connection, socket))))
}

fn greeting(packet: &[u8]) -> Result<Greeting, Wrong> {
    let mut fields = Fields::new(packet);
    let [form] = fields.array()?;
    if form != 10 {
        return Err(Wrong::Strange("it does not greet as MySQL does".to_owned()));
    }
    let version = String::from_utf8_lossy(fields.until_zero()).into_owned();
    fields.take(4)?;
    let mut nonce = fields.take(8)?.to_vec();
    fields.take(1)?;
    let low = u16::from_le_bytes(fields.array()?);
    fields.take(3)?;
    let high = u16::from_le_bytes(fields.array()?);
    let [length] = fields.array()?;
    fields.take(10)?;
    let more = fields.take(usize::from(length).saturating_sub(8).max(13))?;
    nonce.extend(more.strip_suffix(&[0]).unwrap_or(more));
    let way = String::from_utf8_lossy(fields.until_zero()).into_owned();
    Ok(Greeting { version, nonce, can: u32::from(high) << 16 | u32::from(low), way })
}

/// What shows that the password is known, in one of the ways to log in.
fn proof(way: &str, nonce: &[u8], password: &[u8], is_private: bool) -> Result<Vec<u8>, Wrong> {
    let xor = |one: &[u8], other: &[u8]| one.iter().zip(other).map(|(a, b)| a ^ b).collect();
    match way {
        "mysql_native_password" | "caching_sha2_password" if password.is_empty() => Ok(Vec::new()),
        "mysql_native_password" => {
            let once = Sha1::digest_of(password);
            let twice = Sha1::digest_of(&once);
            Ok(xor(&once, &Sha1::digest_of(&[nonce, &twice].concat())))
        }
        "caching_sha2_password" => {
            let once = Sha256::digest(password);
            let twice = Sha256::digest(once);
            let mixed = Sha256::digest([&twice[..], nonce].concat());
            Ok(xor(&once, &mixed))
        }
        "mysql_clear_password" if is_private => Ok([password, &[0]].concat()),
        "mysql_clear_password" => {
            Err(Wrong::Strange("it wants the password, which goes over TLS only".to_owned()))
        }
        other => Err(Wrong::Strange(format!(
            "its user logs in by {other:?}, which esker does not; it does by mysql_native_password and \
             caching_sha2_password"
        ))),
    }
}

/// SHA-1 as the protocol has it; another release of the same library.
trait DigestOf {
    fn digest_of(bytes: &[u8]) -> Vec<u8>;
}

impl DigestOf for Sha1 {
    fn digest_of(bytes: &[u8]) -> Vec<u8> {
        <Self as sha1::Digest>::digest(bytes).to_vec()
    }
}

#[cfg(test)]
mod tests;
