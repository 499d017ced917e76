//! A PostgreSQL server of its own, in a folder of its own, from Debian's packages.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::world::PATIENCE;

use super::super::sources::Certificates;
use super::ended;

const PASSWORD: &str = "sesame/1";

/// A running server.
pub(super) struct Postgres {
    child: Child,
    folder: TempDir,
    port: u16,
    ca: String,
}

/// PostgreSQL refuses to run as root; Debian has a user for it.
fn command(program: &Path) -> Command {
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) != 0) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
    command
}

fn program(name: &str) -> PathBuf {
    let versions =
        fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL; `cargo xtask test` installs it");
    let mut found: Vec<PathBuf> =
        versions.flatten().map(|entry| entry.path().join("bin").join(name)).collect();
    found.sort();
    found.into_iter().rfind(|path| path.is_file()).expect("a program of PostgreSQL")
}

impl Postgres {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("permissions");
        fs::write(path.join("password"), PASSWORD).expect("written");
        let certificates = Certificates::new();
        fs::write(path.join("server.pem"), &certificates.certificate).expect("written");
        let own = format!(
            "umask 077; cat > {0}/server.key && {1} -D {0}/data -U postgres -E UTF8 --no-sync \
             --auth=scram-sha-256 --pwfile={0}/password",
            path.display(),
            program("initdb").display()
        );
        let mut init = command(Path::new("/bin/sh"));
        init.args(["-c", &own]).current_dir(path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = init.stderr(Stdio::piped()).spawn().expect("setpriv");
        let key = certificates.key.as_bytes();
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), key).expect("told");
        ended(&child.wait_with_output().expect("initdb"), "initdb");
        let port = free_port();
        let child = command(&program("postgres"))
            .args(["-c", "ssl=on", "-c", "fsync=off", "-c", "listen_addresses=localhost"])
            .args(["-c", &format!("ssl_cert_file={}/server.pem", path.display())])
            .args(["-c", &format!("ssl_key_file={}/server.key", path.display())])
            .args(["-D", &format!("{}/data", path.display()), "-k", &path.display().to_string()])
            .args(["-p", &port.to_string()])
            .current_dir(path)
            .stdout(Stdio::null())
            .stderr(fs::File::create(path.join("log")).expect("a log"))
            .spawn()
            .expect("postgres");
        let server = Self { child, folder, port, ca: certificates.authority };
        let begun = Instant::now();
        while !server.psql("select 1").status.success() {
            let log = fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not start: {log}");
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        server
    }

    fn psql(&self, script: &str) -> std::process::Output {
        Command::new(program("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-c", script])
            .args(["-h", "localhost", "-p", &self.port.to_string()])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .expect("psql")
    }

    /// Runs SQL; what it prints.
    pub(super) fn run(&self, script: &str) -> String {
        ended(&self.psql(script), script)
    }

    /// Its address.
    pub(super) fn url(&self, user: &str, password: Option<&str>, more: &str) -> String {
        let password =
            password.map(|text| format!(":{}", text.replace('/', "%2F"))).unwrap_or_default();
        format!("postgres://{user}{password}@localhost:{}/postgres{more}", self.port)
    }

    /// Whom to trust to trust it.
    pub(super) fn ca(&self) -> &str {
        &self.ca
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once, and with all of its processes.
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-QUIT", &pid]).status());
        drop(self.child.wait());
    }
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
