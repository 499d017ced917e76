//! A MariaDB server of its own, in a folder of its own, from Debian's packages.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::world::PATIENCE;

use super::super::sources::Certificates;
use super::ended;
use super::postgres::free_port;

/// A running server.
pub(super) struct Mariadb {
    child: Child,
    folder: TempDir,
    port: u16,
    ca: String,
}

impl Mariadb {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let certificates = Certificates::new();
        for (name, text) in
            [("server.pem", &certificates.certificate), ("server.key", &certificates.key)]
        {
            fs::write(path.join(name), text).expect("written");
        }
        let data = format!("--datadir={}", path.join("data").display());
        let init = Command::new("mariadb-install-db")
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                &data,
            ])
            .output()
            .expect("mariadb-install-db; `cargo xtask test` installs it");
        ended(&init, "mariadb-install-db");
        let port = free_port();
        let option = |name: &str, file: &str| format!("--{name}={}", path.join(file).display());
        let child = Command::new("mariadbd")
            .args([
                "--no-defaults",
                &data,
                "--bind-address=127.0.0.1",
                "--innodb-flush-log-at-trx-commit=0",
            ])
            .args([option("socket", "socket"), option("pid-file", "pid"), format!("--port={port}")])
            .args([option("ssl-cert", "server.pem"), option("ssl-key", "server.key")])
            // It asks for this when it is started as root; in a folder of its own it may be.
            .arg(format!("--user={}", user()))
            .stdout(Stdio::null())
            .stderr(fs::File::create(path.join("log")).expect("a log"))
            .spawn()
            .expect("mariadbd");
        let server = Self { child, folder, port, ca: certificates.authority };
        let begun = Instant::now();
        while !server.client("select 1").status.success() {
            let log = fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "MariaDB does not start: {log}");
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        server
    }

    fn client(&self, script: &str) -> Output {
        Command::new("mariadb")
            .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"])
            .arg(format!("--socket={}", self.socket().display()))
            .args(["--default-character-set=utf8mb4", "-e", script])
            .output()
            .expect("mariadb")
    }

    /// Runs SQL; what it prints.
    pub(super) fn run(&self, script: &str) -> String {
        ended(&self.client(script), script)
    }

    pub(super) fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("socket")
    }

    /// Its address.
    pub(super) fn url(&self, user: &str, more: &str) -> String {
        format!("mariadb://{user}@localhost:{}/plan{more}", self.port)
    }

    /// Whom to trust to trust it.
    pub(super) fn ca(&self) -> &str {
        &self.ca
    }
}

/// Who runs the tests.
pub(super) fn user() -> String {
    use std::os::unix::fs::MetadataExt;
    let own = fs::metadata(Path::new("/proc/self")).map(|own| own.uid());
    match own {
        Ok(0) | Err(_) => "root".to_owned(),
        Ok(_) => std::env::var("USER").unwrap_or_default(),
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
