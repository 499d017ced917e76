//! Sources that fetch from elsewhere: over real sockets and TLS, with secrets that nobody ever sees.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::world::{World, repository};

pub(crate) const TOKEN: &str = "hush-hush/token+1";

/// What a server on this machine shows, and whom to trust to trust it; all PEM.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        // One that is called like those it signs would be taken for one of them.
        params.distinguished_name.push(DnType::CommonName, "the tests' authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &ca).expect("a certificate");
        Self { authority: ca.pem(), certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A server over TLS that serves a folder of the project's.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Serves `served/` for those who know the token; whom to trust is in `ca.pem`.
    pub(crate) fn start(world: &World) -> Self {
        Self::start_as(world, "https_server.py")
    }

    /// The same with a program of `tests/python`.
    pub(crate) fn start_as(world: &World, program: &str) -> Self {
        let certificates = Certificates::new();
        world.write("ca.pem", certificates.authority);
        world.write("server.pem", certificates.certificate);
        world.write("server.key", certificates.key);
        fs::create_dir_all(world.path("served")).expect("a folder");
        let script = repository().join("crates/esker/tests/python").join(program);
        let mut child = Command::new("python3")
            .arg(script)
            .args(["server.pem", "server.key", "served", TOKEN])
            .current_dir(world.dir())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        Self { child, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A project whose plan is fetched every second.
fn project() -> (World, Server) {
    let world = World::new("");
    let server = Server::start(&world);
    world.write("served/plan.csv", "task,days\na,1\n");
    world.write("token.txt", format!("{TOKEN}\n"));
    let definition = format!(
        "[project]\nname = \"p\"\n[source.plan]\nhttp = \"https://localhost:{}/plan.csv\"\n\
         token = {{ file = \"token.txt\" }}\nca = \"ca.pem\"\nevery = \"1s\"\noutput = \"raw/plan\"\n",
        server.port
    );
    world.write("esker.toml", definition);
    (world, server)
}

/// How often the server has answered so.
fn answers(world: &World, status: &str) -> usize {
    let told = fs::read_to_string(world.path("served/requests")).unwrap_or_default();
    told.lines().filter(|line| line.starts_with(status)).count()
}

/// The revisions of a resource, the newest first.
fn versions(world: &World, resource: &str) -> Vec<String> {
    let log = world.json(&["log", resource, "--json"]);
    let entries = log.as_array().expect("a list").iter();
    entries.map(|entry| entry["revision"].as_str().expect("a revision").to_owned()).collect()
}

/// Whether any file below a folder holds this text, as it is.
fn holds(folder: &Path, text: &str) -> bool {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.path()).any(|path| match path.is_dir() {
        true => holds(&path, text),
        false => {
            let bytes = fs::read(&path).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        }
    })
}

#[test]
fn http_makes_a_version_only_of_what_is_new() {
    let (world, _server) = project();
    let up = world.up();
    world.wait_for_content("raw/plan", |content| content == "task,days\na,1\n");
    world.wait_for("answers that nothing is new", || answers(&world, "304") >= 2);
    assert_eq!((answers(&world, "200"), versions(&world, "raw/plan").len()), (1, 1));
    world.write("served/plan.csv", "task,days\na,2\n");
    world.wait_for_content("raw/plan", |content| content == "task,days\na,2\n");
    let before = answers(&world, "304");
    world.wait_for("more such answers", || answers(&world, "304") >= before + 2);
    let made = versions(&world, "raw/plan");
    assert_eq!(made.len(), 2);
    assert_eq!(made, versions(&world, "state/plan"), "both in one commit");
    up.stop();
    // What is remembered survives a restart.
    let up = world.up();
    let before = answers(&world, "304");
    world.wait_for("an answer after the restart", || answers(&world, "304") > before);
    assert_eq!(answers(&world, "200"), 2);
    up.stop();
}

#[test]
fn http_tells_no_secret_and_goes_on_when_it_is_right_again() {
    let (world, _server) = project();
    let wrong = "wrong-wrong/token+2";
    world.write("token.txt", wrong);
    let up = world.up();
    let problem = world.wait_for_problem("plan").to_string();
    assert!(problem.contains("answers 401"), "{problem}");
    assert!(problem.contains("is the secret still valid"), "{problem}");
    assert!(problem.contains("nobody knows '***'"), "{problem}");
    world.write("token.txt", TOKEN);
    world.wait_for_content("raw/plan", |content| content == "task,days\na,1\n");
    world.wait_for("no problem", || world.json(&["problems", "--json"]) == serde_json::json!([]));
    up.stop();
    for secret in [wrong, TOKEN] {
        assert!(!world.git(&["log", "--all", "-p", "--text"]).contains(secret));
        assert!(!world.logs().contains(secret));
        assert!(!holds(&world.path(".esker"), secret));
    }
}

#[test]
fn http_leaves_a_server_alone_that_asks_for_it() {
    let (world, _server) = project();
    world.write("served/refuse", "429\nRetry-After: 3000\n");
    let clock =
        "[source.clock]\nrun = [\"date\", \"+%N\"]\nevery = \"1s\"\noutput = \"raw/clock\"\n";
    let definition = fs::read_to_string(world.path("esker.toml")).expect("read");
    world.write("esker.toml", definition + clock);
    let up = world.up();
    let problem = world.wait_for_problem("plan").to_string();
    assert!(problem.contains("answers 429"), "{problem}");
    fs::remove_file(world.path("served/refuse")).expect("removed");
    // The schedule wants it every second, as it does the other one; a person is heeded.
    world.wait_for("the other one", || versions(&world, "raw/clock").len() >= 4);
    assert_eq!((answers(&world, "429"), world.content("raw/plan")), (1, None));
    world.ok(&["problems", "retry", "plan"]);
    world.wait_for_content("raw/plan", |content| content == "task,days\na,1\n");
    up.stop();
}
