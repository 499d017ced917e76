//! Garbage on every socket disturbs nobody.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::world::{Running, World};

/// What strangers send: noise, another protocol, a greeting and then a frame of 2 GB, half a greeting.
fn garbage() -> Vec<Vec<u8>> {
    let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    greeting.extend_from_slice(b"NULL");
    greeting.resize(64, 0);
    let huge = [&greeting[..], &[0x02], &(2_u64 << 30).to_be_bytes(), b"xxxx"].concat();
    let noise: Vec<u8> =
        (0_u32..4096).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    vec![
        noise,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        huge,
        greeting[..12].to_vec(),
        vec![0; 64],
    ]
}

/// Connects and sends; the connection stays open as long as the stream lives.
fn send(port: u16, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    // The other end may hang up in the middle, as it should.
    drop(stream.write_all(bytes));
    stream
}

pub(crate) fn memory_kb(of: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", of.pid())).expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn on_both_sockets_of_the_hub() {
    let world = World::new("[project]\nname = \"p\"\n[alias]\n\"qplan app\" = \"results/plan\"\n");
    let up = world.up();
    let before = memory_kb(&up);
    let ports = [world.port("/hub/requests"), world.port("/hub/events")];
    let mut open = Vec::new();
    for port in ports {
        for bytes in garbage() {
            for _ in 0..20 {
                open.push(send(port, &bytes));
            }
        }
    }
    let [requests, events] = ports.map(|port| port.to_string());
    world.python("seed_client.py", &[&requests, &events, "qplan app"]);
    drop(open);
    world.python("plain_client.py", &[&requests, &events]);
    let after = memory_kb(&up);
    assert!(after < before + 200 * 1024, "memory went from {before} to {after} kB");
    up.stop();
}

/// Sends one request to the page; the whole answer.
fn http(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(port: u16, path: &str, headers: &str) -> String {
    http(
        port,
        &format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{headers}Connection: close\r\n\r\n"
        ),
    )
}

#[test]
fn on_the_page() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"<script>alert(1)</script>");
    let port = world.port("/web");
    let mut open: Vec<TcpStream> = garbage().iter().map(|bytes| send(port, bytes)).collect();
    open.extend((0..100).map(|_| send(port, b"GET / HTTP/1.1\r\nHost: loc")));

    let page = get(port, "/", "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("content-security-policy"), "{page}");
    let content = get(port, "/api/get?resource=raw/a", "");
    assert!(
        content.contains("text/plain") && content.contains("nosniff"),
        "stored markup is text: {content}"
    );

    let cases = [
        ("/api/get?resource=raw/b", "HTTP/1.1 404"),
        ("/api/get?resource=../../etc/passwd", "HTTP/1.1 400"),
        ("/api/get?resource=raw/a&at=zzz", "HTTP/1.1 404"),
        ("/api/get", "HTTP/1.1 400"),
        ("/assets/../../etc/passwd", "HTTP/1.1 404"),
        ("/assets/none.js", "HTTP/1.1 404"),
    ];
    for (path, expected) in cases {
        let answer = get(port, path, "");
        assert!(answer.starts_with(expected), "{path}: {answer}");
    }
    let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let origin = format!("{upgrade}Origin: http://evil.example\r\n");
    let answer = get(port, "/sync/1", &origin);
    assert!(answer.starts_with("HTTP/1.1 403"), "another site's page: {answer}");
    let rebound = http(
        port,
        "GET /api/get?resource=raw/a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    assert!(rebound.starts_with("HTTP/1.1 403"), "a rebound name: {rebound}");
}

#[test]
fn as_names_on_the_command_line() {
    let world = World::new("[project]\nname = \"p\"\n");
    for name in ["../../etc/passwd", ".git/config", "raw/.git", "/etc/passwd", "raw/a\nb", "a"] {
        let stderr = world.fails(1, &["put", name]);
        assert!(
            stderr.starts_with("error: ") && stderr.contains("is not a resource name"),
            "{stderr}"
        );
    }
    assert!(!world.path(".git").exists());
}

#[test]
fn a_store_that_cannot_be_written_says_so_and_recovers() {
    let world = World::new("[project]\nname = \"p\"\n");
    let disk = Disk::mount(&world, "2m");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"before");
    let filler = disk.fill();
    let noise: Vec<u8> =
        (0_u32..300_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let output = world.run_with(&["put", "raw/a"], &noise);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write") && stderr.contains("No space left"), "{stderr}");
    assert_eq!(world.content("raw/a").as_deref(), Some("before"), "reads go on");
    std::fs::remove_file(filler).expect("removed");
    // What was stored before comes to its place first, a moment later.
    world.wait_for("a put to be taken", || {
        world.run_with(&["put", "raw/a"], b"after").status.success()
    });
    assert_eq!(world.content("raw/a").as_deref(), Some("after"));
    world.git(&["fsck", "--strict", "--no-dangling"]);
}

/// A small file system of its own at the project's hidden folder.
pub(crate) struct Disk {
    at: std::path::PathBuf,
}

impl Disk {
    pub(crate) fn mount(world: &World, size: &str) -> Self {
        let at = world.path(".esker");
        std::fs::create_dir(&at).expect("made");
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&at)
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot mount a small disk: this test needs root, as in a container"
        );
        Self { at }
    }

    /// Takes nothing more from now on.
    pub(crate) fn protect(&self) {
        let mut mount = std::process::Command::new("mount");
        let status = mount.args(["-o", "remount,ro"]).arg(&self.at).status();
        assert!(status.is_ok_and(|status| status.success()), "cannot protect the disk");
    }

    /// Writes until nothing more fits.
    pub(crate) fn fill(&self) -> std::path::PathBuf {
        let path = self.at.join("filler");
        let mut file = std::fs::File::create(&path).expect("made");
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(&self.at).status());
    }
}
