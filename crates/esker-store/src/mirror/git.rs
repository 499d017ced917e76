//! The user's own git program: run within bounds, without questions, and heard without its secrets.
//!
//! Repositories elsewhere are reached by it alone, for it knows the user's keys, proxies and credentials.

use std::collections::VecDeque;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use esker_wire::remote::redact;
use rustix::process::{Pid, Signal, kill_process_group};

use super::Halt;
use crate::error::Error;

/// The most that git may print to be read, in bytes.
const STDOUT_MAX: usize = 16 * 1024 * 1024;
/// How much of what it says beside that is kept, in bytes: the end.
const STDERR_MAX: usize = 64 * 1024;
/// How long it may go on altogether.
const TOTAL_MAX: Duration = Duration::from_secs(12 * 3600);
/// How long what it leaves behind may hold on to its output.
const DRAIN_MAX: Duration = Duration::from_millis(200);
/// How often to look whether it has ended or is to end.
const LOOK: Duration = Duration::from_millis(20);
/// The longest complaint of git's that is handed on, in characters.
const COMPLAINT_MAX: usize = 400;
/// Why a run is broken off that is to end.
const ENDS: &str = "it was to end";
/// What stands for a complaint that there is not.
pub(crate) const SPEECHLESS: &str = "git failed without a word";

/// What talks to other machines.
const TALKING: [&str; 3] = ["push", "fetch", "lfs"];
/// How ssh is called, unless the user has said it: it asks nothing.
const SSH: &str = "ssh -o BatchMode=yes -o ConnectTimeout=30";

/// Variables that would have git work on something else than it is told.
const MISLEADING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Git on one repository of ours.
#[derive(Clone)]
pub(crate) struct Git {
    /// The repository; it need not exist yet.
    pub(crate) dir: PathBuf,
    /// How long git may say nothing at all.
    pub(crate) silence_max: Duration,
    /// Whether it is to be broken off.
    pub(crate) halt: Halt,
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    /// Without what is secret in URLs.
    pub(crate) stderr: String,
}

/// Which of its outputs, and a piece of it.
enum Heard {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

impl Git {
    /// Runs git to its end, with this on its standard input. `told` hears what it says meanwhile, as far as it is
    /// whole lines.
    ///
    /// # Errors
    /// If it cannot be started, says nothing for too long, prints too much, or is to end.
    pub(crate) fn run(
        &self,
        args: &[&str],
        input: String,
        told: &mut dyn FnMut(&str),
    ) -> Result<Ran, Error> {
        let failed = |reason: String| Error::Git { deed: deed(args), reason };
        if (self.halt)() {
            return Err(failed(ENDS.to_owned()));
        }
        let mut child = Leashed(self.command(args).spawn().map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => "; install git, or put it into PATH",
                _ => "",
            };
            failed(format!("{error}{hint}"))
        })?);
        let heard = attend(&mut child.0, input).map_err(|error| failed(error.to_string()))?;
        let mut ears = Ears { told, stdout: Vec::new(), stderr: VecDeque::new(), line: Vec::new() };
        let status = self.hear(&mut child.0, &heard, &mut ears).map_err(failed)?;
        Ok(Ran {
            success: status.success(),
            stdout: String::from_utf8_lossy(&ears.stdout).into_owned(),
            stderr: redact(&String::from_utf8_lossy(ears.stderr.make_contiguous())),
        })
    }

    /// Runs git; what it prints, if all went well.
    ///
    /// # Errors
    /// As [`Git::run`], and if git fails.
    pub(crate) fn ask(&self, args: &[&str], input: String) -> Result<String, Error> {
        let ran = self.run(args, input, &mut |_| {})?;
        if ran.success {
            return Ok(ran.stdout);
        }
        Err(Error::Git { deed: deed(args), reason: complaint(&ran.stderr) })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        for name in MISLEADING {
            command.env_remove(name);
        }
        command
            .arg("--git-dir")
            .arg(&self.dir)
            // The store is tidied by esker; what comes from elsewhere is checked, and stays packed.
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(["-c", "fetch.fsckObjects=true", "-c", "fetch.unpackLimit=1"])
            .args(["-c", "protocol.ext.allow=never"])
            .args(args)
            // What git says is read, and nobody is there to answer it.
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if args.first().is_some_and(|verb| TALKING.contains(verb)) && !self.has_ssh() {
            command.env("GIT_SSH_COMMAND", SSH);
        }
        command
    }

    /// Whether the user has said how ssh is to be called.
    fn has_ssh(&self) -> bool {
        let is_set = |name: &str| std::env::var_os(name).is_some();
        let configured = ["config", "--get", "core.sshCommand"];
        is_set("GIT_SSH_COMMAND")
            || is_set("GIT_SSH")
            || self.run(&configured, String::new(), &mut |_| {}).is_ok_and(|ran| ran.success)
    }

    /// Listens until git has ended.
    fn hear(
        &self,
        child: &mut Child,
        heard: &Receiver<Heard>,
        ears: &mut Ears<'_>,
    ) -> Result<ExitStatus, String> {
        let begun = Instant::now();
        let mut last = begun;
        let mut ended: Option<(ExitStatus, Instant)> = None;
        loop {
            match heard.recv_timeout(LOOK) {
                Ok(piece) => {
                    last = Instant::now();
                    ears.take(piece)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    if let Some((status, _)) = ended {
                        return Ok(status);
                    }
                    thread::sleep(LOOK.min(Duration::from_millis(2)));
                }
            }
            if let Some((status, at)) = ended {
                if at.elapsed() > DRAIN_MAX {
                    return Ok(status);
                }
                continue;
            }
            let status = child.try_wait().map_err(|error| error.to_string())?;
            ended = status.map(|status| (status, Instant::now()));
            if (self.halt)() {
                return Err(ENDS.to_owned());
            }
            if last.elapsed() > self.silence_max || begun.elapsed() > TOTAL_MAX {
                let silence = self.silence_max.as_secs();
                return Err(format!("it said nothing for {silence} s and was stopped"));
            }
        }
    }
}

/// What git was to do, for an error.
fn deed(args: &[&str]) -> String {
    format!("run git {}", args.first().unwrap_or(&""))
}

/// A child that does not outlive its owner.
struct Leashed(Child);

impl Drop for Leashed {
    fn drop(&mut self) {
        // All of its group: git leaves the talking to programs of its own.
        if matches!(self.0.try_wait(), Ok(None)) {
            // It may have ended just now.
            let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
            drop(self.0.wait());
        }
    }
}

/// What is kept of what git says.
struct Ears<'a> {
    told: &'a mut dyn FnMut(&str),
    stdout: Vec<u8>,
    stderr: VecDeque<u8>,
    /// The line of its standard error that is not whole yet.
    line: Vec<u8>,
}

impl Ears<'_> {
    fn take(&mut self, piece: Heard) -> Result<(), String> {
        match piece {
            Heard::Stdout(bytes) => {
                self.stdout.extend(bytes);
                if self.stdout.len() > STDOUT_MAX {
                    return Err(format!("it printed more than {STDOUT_MAX} bytes"));
                }
            }
            Heard::Stderr(bytes) => {
                for &byte in &bytes {
                    if matches!(byte, b'\n' | b'\r') {
                        (self.told)(redact(&String::from_utf8_lossy(&self.line)).trim());
                        self.line.clear();
                    } else if self.line.len() < STDERR_MAX {
                        self.line.push(byte);
                    }
                }
                self.stderr.extend(bytes);
                let over = self.stderr.len().saturating_sub(STDERR_MAX);
                self.stderr.drain(..over);
            }
        }
        Ok(())
    }
}

/// Starts the threads that feed and read git. They end when its pipes are closed.
fn attend(child: &mut Child, input: String) -> std::io::Result<Receiver<Heard>> {
    let (post, heard) = sync_channel(16);
    if let Some(mut pipe) = child.stdin.take().filter(|_| !input.is_empty()) {
        // One that has read enough closes its end.
        let feed = move || drop(pipe.write_all(input.as_bytes()));
        thread::Builder::new().name("git-stdin".to_owned()).spawn(feed)?;
    }
    if let Some(pipe) = child.stdout.take() {
        read(pipe, post.clone(), Heard::Stdout)?;
    }
    if let Some(pipe) = child.stderr.take() {
        read(pipe, post, Heard::Stderr)?;
    }
    Ok(heard)
}

fn read(
    mut pipe: impl Read + Send + 'static,
    post: SyncSender<Heard>,
    which: fn(Vec<u8>) -> Heard,
) -> std::io::Result<()> {
    let read = move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            if post.send(which(buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("git-output".to_owned()).spawn(read).map(drop)
}

/// What of git's words tells why it failed; one line.
pub(crate) fn complaint(stderr: &str) -> String {
    let lines = stderr.split(['\n', '\r']).map(str::trim);
    let told: Vec<&str> = lines.filter(|line| is_telling(line)).take(3).collect();
    let told = told.join("; ");
    match told.char_indices().nth(COMPLAINT_MAX) {
        Some((end, _)) => format!("{}…", &told[..end]),
        None if told.is_empty() => SPEECHLESS.to_owned(),
        None => told,
    }
}

/// Whether a line is neither progress, nor advice, nor what is told elsewhere.
fn is_telling(line: &str) -> bool {
    const IDLE: [&str; 15] = [
        "hint:",
        "Please make sure you have the correct access rights",
        "and the repository exists.",
        "error: failed to push some refs",
        "error: some local refs could not be updated",
        "To ",
        "From ",
        "! ",
        "* ",
        "Enumerating",
        "Counting",
        "Compressing",
        "Delta",
        "Writing",
        "Total ",
    ];
    let said = line.strip_prefix("remote: ").unwrap_or(line);
    !line.is_empty() && !line.contains("% (") && !IDLE.iter().any(|idle| said.starts_with(idle))
}

#[cfg(test)]
mod tests;
