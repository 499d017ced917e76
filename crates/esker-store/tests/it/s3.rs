//! Large contents in a bucket, against a real server: there and back, without it, after a kill, and with wrong bytes.

use std::fs::FileTimes;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::blobs::Blobs;
use esker_wire::fault::{Code, Fault};
use esker_wire::snapshot::{
    CHUNK_MAX, Collected, Gc, Get, Health, MirrorReport, Put, Range, Upload,
};
use tempfile::TempDir;

use crate::bucket::{PLACE, Server, Wire};
use crate::deep::{PATIENCE, id, noise, pointer};
use crate::support::{call, resource};

/// Set in the process that has credentials.
const INSIDE: &str = "ESKER_S3_INSIDE";
/// Names the folder and the server to the process that is killed.
const VICTIM: &str = "ESKER_S3_VICTIM";
/// What must never be shown.
const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDONOTSHOW00000001"),
    ("AWS_SECRET_ACCESS_KEY", "s3cr3t+never/shown"),
    ("AWS_SESSION_TOKEN", "t0ken=never/shown"),
];

/// Runs a test in a process of its own that has credentials, and sees that it never shows them. Tells whether
/// this is the one outside.
fn outside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        log.with_writer(std::io::stderr).with_ansi(false).init();
        return false;
    }
    let output = with_credentials(name).env(INSIDE, "1").output().unwrap();
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said += &String::from_utf8_lossy(&output.stderr);
    for (variable, value) in CREDENTIALS {
        assert!(!said.contains(value), "{variable} is shown: {}", around(&said, value));
    }
    let story: Vec<&str> = said.lines().filter(|line| !line.contains("TRACE")).collect();
    assert!(output.status.success(), "{}", story.join("\n"));
    assert!(said.contains("esker_store"), "the log is looked at");
    true
}

fn with_credentials(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).envs(CREDENTIALS);
    command
}

fn around<'a>(text: &'a str, word: &str) -> &'a str {
    text.lines().find(|line| line.contains(word)).unwrap_or_default()
}

/// A store with a bucket.
struct Far {
    folder: TempDir,
    snapshots: Snapshots,
    blobs: Blobs,
}

impl Far {
    fn new(blobs: Blobs) -> Self {
        let folder = TempDir::new().unwrap();
        let snapshots = open(folder.path(), &blobs);
        Self { folder, snapshots, blobs }
    }

    fn reopen(self) -> Self {
        let Self { folder, snapshots, blobs } = self;
        drop(snapshots);
        let snapshots = open(folder.path(), &blobs);
        Self { folder, snapshots, blobs }
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let digits = id(bytes).digits();
        let folder = self.folder.path().join("lfs/objects").join(&digits[..2]).join(&digits[2..4]);
        folder.join(digits)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) {
        let put = Put::one(resource(name), Bytes::copy_from_slice(bytes));
        call(&mut self.snapshots, &put).unwrap();
    }

    fn get(&mut self, name: &str) -> Result<Bytes, Fault> {
        call(&mut self.snapshots, &Get::head(resource(name))).map(|got| got.bytes.unwrap())
    }

    fn part(&mut self, name: &str, offset: u64) -> Result<Bytes, Fault> {
        let range = Some(Range { offset, length: CHUNK_MAX as u64 });
        let get = Get { range, ..Get::head(resource(name)) };
        call(&mut self.snapshots, &get).map(|got| got.bytes.unwrap())
    }

    /// Asks until it is not to be asked again.
    fn patient<T>(
        &mut self,
        mut ask: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let begun = Instant::now();
        loop {
            match ask(self) {
                Err(fault) if fault.code == Code::Busy => {
                    assert!(begun.elapsed() < PATIENCE, "{fault}");
                    assert!(!fault.hint.is_empty(), "{fault}");
                }
                answer => return answer,
            }
            std::thread::yield_now();
        }
    }

    fn until(&mut self, what: &str, holds: impl Fn(&MirrorReport) -> bool) -> MirrorReport {
        let begun = Instant::now();
        loop {
            let report = call(&mut self.snapshots, &Health).unwrap().blobs.unwrap();
            if holds(&report) {
                return report;
            }
            assert!(begun.elapsed() < PATIENCE, "{what} never comes: {report:?}");
            std::thread::yield_now();
        }
    }

    fn copied(&mut self) {
        self.until("all of it", |report| report.behind == Some(0));
    }

    fn collect(&mut self) -> Result<Vec<String>, Fault> {
        let begun = Instant::now();
        loop {
            match call(&mut self.snapshots, &Gc { grace_s: 0, remove: true })? {
                Collected::Done { unnamed, .. } => {
                    return Ok(unnamed.into_iter().map(|one| one.id.to_string()).collect());
                }
                Collected::Working => assert!(begun.elapsed() < PATIENCE, "gc never ends"),
            }
        }
    }
}

fn open(folder: &Path, blobs: &Blobs) -> Snapshots {
    let options = Options { large_min: 1_000, blobs: Some(blobs.clone()), ..Options::default() };
    Snapshots::new(Store::open(folder, options).unwrap(), NamesHandle::default())
}

/// A hundred megabytes, of which no two are the same.
fn hundred() -> Vec<u8> {
    let one = noise(1, 1_000_000);
    (0..100_u32).flat_map(|index| [&index.to_be_bytes()[..], &one[4..]].concat()).collect()
}

fn upload(snapshots: &mut Snapshots, bytes: &[u8]) {
    let (id, size) = (id(bytes), bytes.len() as u64);
    let begun = Instant::now();
    let mut offset = 0;
    loop {
        let at = usize::try_from(offset).unwrap();
        let end = bytes.len().min(at + CHUNK_MAX);
        let chunk = (at < end).then(|| Bytes::copy_from_slice(&bytes[at..end]));
        let told = call(snapshots, &Upload { id, size, offset, chunk }).unwrap();
        if told.is_complete {
            return;
        }
        offset = told.have;
        assert!(begun.elapsed() < PATIENCE, "it is never complete");
    }
}

#[test]
fn a_hundred_megabytes_go_there_and_come_back() {
    if outside("s3::a_hundred_megabytes_go_there_and_come_back") {
        return;
    }
    let server = Server::start();
    let wire = Wire::to(&server);
    let mut far = Far::new(Server::blobs(&wire));
    let huge = hundred();
    upload(&mut far.snapshots, &huge);
    far.put("raw/huge", &pointer(&huge));
    far.copied();
    assert!(server.object(id(&huge)).unwrap() == huge);
    std::fs::remove_file(far.file(&huge)).unwrap();
    let mut far = far.reopen();
    far.copied();
    assert_eq!(Store::check(far.folder.path(), Some(&far.blobs)), []);
    // Naming what is only there needs nothing here.
    far.put("raw/again", &pointer(&huge));
    let fault = far.part("raw/huge", 0).unwrap_err();
    assert_eq!(fault.code, Code::Busy, "{fault}");
    assert!(fault.message.contains(PLACE), "{fault}");
    let mut got = Vec::new();
    while got.len() < huge.len() {
        let at = got.len() as u64;
        got.extend_from_slice(&far.patient(|far| far.part("raw/huge", at)).unwrap());
    }
    assert!(got == huge);
    assert_eq!(Store::check(far.folder.path(), None), []);
}

#[test]
fn without_the_server_nothing_is_lost() {
    if outside("s3::without_the_server_nothing_is_lost") {
        return;
    }
    let server = Server::start();
    let wire = Wire::to(&server);
    wire.cut();
    let mut far = Far::new(Server::blobs(&wire));
    let (big, other) = (noise(2, 5_000), noise(3, 6_000));
    far.put("raw/big", &big);
    let report = far.until("trouble", |report| report.trouble.is_some());
    assert_eq!(report.url, PLACE);
    assert_eq!(far.get("raw/big").unwrap(), big);
    let findings = Store::check(far.folder.path(), Some(&far.blobs));
    assert!(findings[0].message.contains(PLACE), "{findings:?}");
    wire.mend();
    far.copied();
    wire.cut();
    far.put("raw/other", &other);
    let report = far.until("a lag", |report| report.trouble.is_some());
    assert_eq!(report.behind, Some(1));
    assert!(report.since.is_some());
    // Known at the next start too, though nothing is written down.
    let mut far = far.reopen();
    std::fs::remove_file(far.file(&big)).unwrap();
    far.until("trouble", |report| report.trouble.is_some());
    assert_eq!(far.get("raw/big").unwrap_err().code, Code::Busy);
    wire.mend();
    far.copied();
    assert_eq!(server.object(id(&other)).unwrap(), other);
    wire.cut();
    let begun = Instant::now();
    let fault = loop {
        let fault = far.get("raw/big").unwrap_err();
        assert_eq!(fault.code, Code::Busy, "it may pass: {fault}");
        if fault.message.contains("cannot be brought") {
            break fault;
        }
        assert!(begun.elapsed() < PATIENCE, "{fault}");
    };
    assert!(fault.message.contains("raw/big"), "{fault}");
    wire.mend();
    assert_eq!(far.patient(|far| far.get("raw/big")).unwrap(), big);
}

/// The one that is killed: puts, and works until it is. Without the variable there is nothing to do.
#[test]
fn victim() {
    let Ok(told) = std::env::var(VICTIM) else {
        return;
    };
    let (folder, endpoint) = told.split_once('|').unwrap();
    let endpoint = Some(endpoint.to_owned());
    let region = Some("eu-central-1".to_owned());
    let blobs = Blobs { endpoint, region, ..PLACE.parse().unwrap() };
    let mut snapshots = open(Path::new(folder), &blobs);
    let huge = hundred();
    upload(&mut snapshots, &huge);
    call(&mut snapshots, &Put::one(resource("raw/huge"), pointer(&huge))).unwrap();
    println!("\nacknowledged");
    std::io::stdout().flush().unwrap();
    drop(std::io::stdin().read(&mut [0]));
}

#[test]
fn a_kill_in_the_middle_of_a_copy() {
    if outside("s3::a_kill_in_the_middle_of_a_copy") {
        return;
    }
    let server = Server::start();
    let wire = Wire::to(&server);
    wire.let_through(50_000_000);
    let folder = TempDir::new().unwrap();
    let blobs = Server::blobs(&wire);
    let told = format!("{}|{}", folder.path().display(), blobs.endpoint.clone().unwrap());
    let mut child = with_credentials("s3::victim")
        .env_remove(INSIDE)
        .env(VICTIM, told)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim() != "acknowledged" {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut said, &mut line).unwrap() > 0, "it ended");
    }
    let begun = Instant::now();
    while !wire.is_shut() {
        assert!(begun.elapsed() < PATIENCE, "it brings nothing");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let huge = hundred();
    assert_eq!(server.object(id(&huge)), None, "half of it is nothing");
    wire.let_through(u64::MAX);
    let snapshots = open(folder.path(), &blobs);
    let mut far = Far { folder, snapshots, blobs };
    far.copied();
    assert!(server.object(id(&huge)).unwrap() == huge);
    assert!(far.part("raw/huge", 0).unwrap() == huge[..CHUNK_MAX]);
}

#[test]
fn wrong_bytes_in_the_bucket_are_never_served() {
    if outside("s3::wrong_bytes_in_the_bucket_are_never_served") {
        return;
    }
    let server = Server::start();
    let wire = Wire::to(&server);
    let mut far = Far::new(Server::blobs(&wire));
    let big = noise(4, 5_000);
    far.put("raw/big", &big);
    far.copied();
    let mut wrong = big.clone();
    wrong[2_500] ^= 1;
    server.replace(id(&big), &wrong);
    std::fs::remove_file(far.file(&big)).unwrap();
    let fault = far.patient(|far| far.get("raw/big")).unwrap_err();
    assert_eq!(fault.code, Code::Internal);
    assert!(fault.message.contains("raw/big") && fault.message.contains("damaged"), "{fault}");
    assert!(far.part("raw/big", 0).is_err(), "nor a part of them");
    far.put("raw/big", &big);
    far.copied();
    assert_eq!(server.object(id(&big)).unwrap(), big);
    // One cut short is known by its size.
    server.replace(id(&big), &big[..4_000]);
    std::fs::remove_file(far.file(&big)).unwrap();
    let mut far = far.reopen();
    far.copied();
    let findings = Store::check(far.folder.path(), Some(&far.blobs));
    assert!(findings[0].message.contains("raw/big"), "{findings:?}");
    let fault = far.get("raw/big").unwrap_err();
    assert!(fault.message.contains("4000 bytes, not 5000"), "{fault}");
    // One that is damaged here does not get there.
    let other = noise(5, 6_000);
    wire.cut();
    far.put("raw/other", &other);
    far.until("trouble", |report| report.trouble.is_some());
    std::fs::write(far.file(&other), &wrong).unwrap();
    wire.mend();
    let report = far.until("a look at it", |report| {
        report.trouble.as_ref().is_some_and(|why| why.contains("cannot be read here"))
    });
    assert_eq!(report.behind, Some(1), "it is not there");
    assert_eq!(server.object(id(&other)), None);
}

#[test]
fn the_cache_keeps_what_was_used_last() {
    if outside("s3::the_cache_keeps_what_was_used_last") {
        return;
    }
    let server = Server::start();
    let wire = Wire::to(&server);
    let mut far = Far::new(Blobs { cache_max: Some(12_000), ..Server::blobs(&wire) });
    let all = [noise(6, 5_000), noise(7, 5_000), noise(8, 5_000)];
    for (index, bytes) in all.iter().enumerate() {
        far.put(&format!("raw/r{index}"), bytes);
    }
    far.copied();
    let paths: Vec<PathBuf> = all.iter().map(|bytes| far.file(bytes)).collect();
    assert!(paths.iter().all(|path| path.exists()), "what is young stays");
    for (path, hours) in paths.iter().zip([2, 3, 1]) {
        let then = SystemTime::now() - Duration::from_secs(hours * 3600);
        let times = FileTimes::new().set_accessed(then).set_modified(then);
        std::fs::File::options().write(true).open(path).unwrap().set_times(times).unwrap();
    }
    let mut far = far.reopen();
    let begun = Instant::now();
    while paths[1].exists() {
        assert!(begun.elapsed() < PATIENCE, "the oldest never goes");
        std::thread::yield_now();
    }
    assert!(paths[0].exists() && paths[2].exists());
    for (index, bytes) in all.iter().enumerate() {
        assert_eq!(far.patient(|far| far.get(&format!("raw/r{index}"))).unwrap(), bytes);
    }
}

#[test]
fn gc_removes_in_the_bucket_what_is_ours_and_unnamed() {
    if outside("s3::gc_removes_in_the_bucket_what_is_ours_and_unnamed") {
        return;
    }
    let server = Server::start();
    let wire = Wire::to(&server);
    let mut far = Far::new(Server::blobs(&wire));
    let (named, unnamed) = (noise(9, 5_000), noise(10, 5_000));
    far.put("raw/big", &named);
    upload(&mut far.snapshots, &unnamed);
    far.copied();
    assert_eq!(server.ask("PUT", "/data/team/store/note", b"a person's").0, 200);
    std::fs::remove_file(far.file(&named)).unwrap();
    std::fs::remove_file(far.file(&unnamed)).unwrap();
    assert_eq!(far.collect().unwrap(), [id(&unnamed).to_string()]);
    let begun = Instant::now();
    while server.object(id(&unnamed)).is_some() {
        assert!(begun.elapsed() < PATIENCE, "it is never removed");
    }
    assert!(server.object(id(&named)).is_some());
    assert_eq!(server.ask("GET", "/data/team/store/note", b"").0, 200);
    // What was removed can be brought again.
    upload(&mut far.snapshots, &unnamed);
    far.copied();
    assert_eq!(server.object(id(&unnamed)).unwrap(), unnamed);
    // Another store would remove what this one names.
    let mut other = Far::new(Server::blobs(&wire));
    let report = other.until("a refusal", |report| report.trouble.is_some());
    assert!(report.trouble.unwrap().contains("another store"));
    assert!(other.collect().is_err());
    assert!(server.object(id(&named)).is_some());
}

#[test]
fn a_server_that_repeats_credentials_is_not_quoted() {
    if outside("s3::a_server_that_repeats_credentials_is_not_quoted") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = vec![0; 10_000];
            let length = stream.read(&mut asked).unwrap_or(0);
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            let body = format!("<Error><Code>SignatureDoesNotMatch</Code>{asked}</Error>");
            let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n", body.len());
            drop(stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()));
        }
    });
    let region = Some("eu-central-1".to_owned());
    let blobs = Blobs { endpoint, region, ..PLACE.parse().unwrap() };
    let mut far = Far::new(blobs);
    let report = far.until("a refusal", |report| report.trouble.is_some());
    let why = report.trouble.unwrap();
    assert!(why.contains("SignatureDoesNotMatch"), "{why}");
    println!("{why} {:?} {:?}", far.blobs, Store::check(far.folder.path(), Some(&far.blobs)));
}
