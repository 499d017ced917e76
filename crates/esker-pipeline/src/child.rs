//! Running one program within its bounds: its input, its output, its time.
//!
//! The program runs below `esker supervise`. Its input is fed and its outputs are read by threads of their own,
//! and everything that happens comes to one mailbox.

pub(crate) mod said;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_wire::record::STDERR_MAX;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{self, Pid, PidfdFlags, Signal};

use crate::definition::Program;
use crate::proc;

use self::said::{Hearing, Said};

/// How long what a program leaves behind may hold on to its output.
pub(crate) const DRAIN: Duration = Duration::from_secs(2);
/// How much longer than the grace period the supervisor may take to end.
const MARGIN: Duration = Duration::from_secs(2);
/// The variable that tells a run's programs their scratch folder.
pub(crate) const SCRATCH_VARIABLE: &str = "ESKER_SCRATCH";
/// The variables every program is given if they are set.
const BASE_ENV: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_COLLATE",
    "LC_NUMERIC",
    "LC_TIME",
    "TZ",
    "TMPDIR",
];

/// What happens during a run.
#[derive(Debug)]
pub(crate) enum Mail {
    /// The supervisor has ended, and with it everything below it.
    Exited,
    /// The program printed more than it may.
    TooMuch,
    /// Standard output has ended; this is all of it.
    Stdout(Vec<u8>),
    /// The program says something of itself.
    Said(Said),
    /// Standard error has ended; this is the end of it.
    Stderr(Vec<u8>),
    /// The engine wants the run to end.
    Stop,
}

/// Where mail goes; the engine keeps one end to stop the run.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) post: Sender<Mail>,
    pub(crate) mail: Receiver<Mail>,
}

/// What to run.
pub(crate) struct Order<'a> {
    /// This very program, for its subcommand `supervise`.
    pub(crate) esker: &'a Path,
    /// Where the program runs.
    pub(crate) dir: &'a Path,
    /// The program and its bounds.
    pub(crate) program: &'a Program,
    /// Variables besides the declared ones.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// What it reads.
    pub(crate) stdin: Stdin,
    /// Hears what it says of itself.
    pub(crate) says: &'a dyn Fn(Said),
}

/// What a program reads.
#[derive(Debug)]
pub(crate) enum Stdin {
    /// What fits into memory.
    Bytes(Bytes),
    /// What does not, from the beginning of a file.
    File(File),
}

impl From<Bytes> for Stdin {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl Stdin {
    /// The same for another thread.
    fn share(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::File(file) => Self::File(file.try_clone()?),
        })
    }
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The program ended by itself with this exit code.
    Exited(i32),
    /// It was stopped because its time was up.
    TimedOut,
    /// It was stopped because it printed too much.
    TooMuch,
    /// It was stopped because the engine ends.
    Stopped,
    /// Someone else asked its supervisor to end.
    Interrupted,
    /// It ended well, but what it printed is not known to be all: someone still holds its output open.
    Unclosed,
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: End,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs a program to its end. The calling thread must live as long: the kernel ends the supervisor with it.
pub(crate) fn run(order: &Order<'_>, mailbox: &Mailbox) -> io::Result<Finished> {
    let mut child = command(order).spawn()?;
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return Err(io::Error::other("the program has no process id"));
    };
    let watched = attend(&mut child, pid, order, mailbox);
    let leash = match watched {
        Ok(leash) => leash,
        Err(error) => {
            destroy(pid);
            child.wait()?;
            return Err(error);
        }
    };
    let mut run = Watch { pid, leash, ended_by: None, stdout: None, stderr: None };
    run.until_exit(order, &mailbox.mail);
    let status = child.wait()?;
    if status.signal().is_some() {
        sweep(order);
    }
    run.until_closed(order, &mailbox.mail);
    let end = match run.ended_by.unwrap_or(end(status)) {
        End::Exited(code) if run.stdout.is_none() && is_good(order.program, code) => End::Unclosed,
        end => end,
    };
    Ok(Finished {
        end,
        stdout: run.stdout.unwrap_or_default(),
        stderr: run.stderr.unwrap_or_default(),
    })
}

fn command(order: &Order<'_>) -> Command {
    let program = order.program;
    let mut command = Command::new(order.esker);
    command
        .arg("supervise")
        .args(["--grace-ms", &program.grace.as_millis().to_string()])
        .args(["--drain-ms", &DRAIN.as_millis().to_string()])
        .args(["--parent", &std::process::id().to_string()])
        .arg("--");
    if program.argv[0] == crate::definition::ESKER {
        command.arg(order.esker);
    } else {
        command.arg(&program.argv[0]);
    }
    let declared = program.env.iter().map(String::as_str);
    let passed = BASE_ENV.into_iter().chain(declared);
    command
        .args(&program.argv[1..])
        .current_dir(order.dir)
        .env_clear()
        .envs(passed.filter_map(|name| Some((name, std::env::var_os(name)?))))
        .envs(order.env.iter().map(|(name, value)| (name, value)))
        // What a terminal sends to the engine's group is the engine's to pass on.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts the threads that feed, read and await the child; gives what it can be signalled by.
fn attend(
    child: &mut Child,
    pid: Pid,
    order: &Order<'_>,
    mailbox: &Mailbox,
) -> io::Result<OwnedFd> {
    let leash = process::pidfd_open(pid, PidfdFlags::empty())?;
    let gone = leash.try_clone()?;
    if let Some(pipe) = child.stdin.take() {
        let input = order.stdin.share()?;
        detach("stdin", move || feed(pipe, input))?;
    }
    if let Some(pipe) = child.stdout.take() {
        let (post, max) = (mailbox.post.clone(), order.program.output_max);
        detach("stdout", move || {
            let all = read_all(pipe, max, &post);
            tell(&post, Mail::Stdout(all));
        })?;
    }
    if let Some(pipe) = child.stderr.take() {
        let post = mailbox.post.clone();
        detach("stderr", move || {
            let tail = read_tail(pipe, |said| tell(&post, Mail::Said(said)));
            tell(&post, Mail::Stderr(tail));
        })?;
    }
    let post = mailbox.post.clone();
    detach("exit", move || {
        await_exit(&gone);
        tell(&post, Mail::Exited);
    })?;
    Ok(leash)
}

/// A thread that ends by itself when the child and its pipes do.
fn detach(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let handle = thread::Builder::new().name(name.to_owned()).spawn(work)?;
    drop(handle);
    Ok(())
}

/// Nobody reads the mail of a run that is over.
fn tell(post: &Sender<Mail>, mail: Mail) {
    drop(post.send(mail));
}

/// A program may close its input early, as `head` does: that is no failure.
fn feed(mut pipe: ChildStdin, input: Stdin) {
    let fed = match input {
        Stdin::Bytes(bytes) => pipe.write_all(&bytes),
        Stdin::File(mut file) => {
            file.rewind().and_then(|()| io::copy(&mut file, &mut pipe)).map(drop)
        }
    };
    if let Err(error) = fed {
        tracing::debug!(%error, "the program did not read all of its input");
    }
}

fn await_exit(leash: &OwnedFd) {
    let mut waiting = [PollFd::new(leash, PollFlags::IN)];
    while let Err(rustix::io::Errno::INTR) = poll(&mut waiting, None) {}
}

/// Reads to the end, keeping at most `max` bytes and telling once if there are more.
fn read_all(mut pipe: impl Read, max: u64, post: &Sender<Mail>) -> Vec<u8> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut kept = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut over = false;
    while let Ok(read) = read_some(&mut pipe, &mut buffer) {
        if read == 0 {
            break;
        }
        if !over && kept.len() + read > max {
            over = true;
            kept = Vec::new();
            tell(post, Mail::TooMuch);
        }
        if !over {
            kept.extend_from_slice(&buffer[..read]);
        }
    }
    kept
}

/// Reads to the end, keeping the last [`STDERR_MAX`] bytes and passing on what the program says of itself.
fn read_tail(mut pipe: impl Read, mut said: impl FnMut(Said)) -> Vec<u8> {
    let (mut kept, mut hearing) = (Vec::new(), Hearing::default());
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = read_some(&mut pipe, &mut buffer) {
        if read == 0 {
            break;
        }
        hearing.hear(&buffer[..read], &mut said);
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * STDERR_MAX {
            kept.drain(..kept.len() - STDERR_MAX);
        }
    }
    kept.drain(..kept.len().saturating_sub(STDERR_MAX));
    kept
}

fn read_some(pipe: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match pipe.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A run under way, as its owner sees it.
struct Watch {
    pid: Pid,
    leash: OwnedFd,
    ended_by: Option<End>,
    stdout: Option<Vec<u8>>,
    stderr: Option<Vec<u8>>,
}

impl Watch {
    /// Keeps the program within its time and its output until it is gone.
    fn until_exit(&mut self, order: &Order<'_>, mail: &Receiver<Mail>) {
        let program = order.program;
        let mut deadline = Instant::now() + program.timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let stop = match mail.recv_timeout(left) {
                Ok(Mail::Exited) => return,
                Ok(Mail::Stdout(all)) => {
                    self.stdout = Some(all);
                    None
                }
                Ok(Mail::Stderr(tail)) => {
                    self.stderr = Some(tail);
                    None
                }
                Ok(Mail::Said(said)) => {
                    (order.says)(said);
                    None
                }
                Ok(Mail::TooMuch) => Some(End::TooMuch),
                Ok(Mail::Stop) => Some(End::Stopped),
                Err(RecvTimeoutError::Timeout) if self.ended_by.is_none() => Some(End::TimedOut),
                // It was asked, and did not end.
                Err(_) => {
                    destroy(self.pid);
                    deadline = Instant::now() + MARGIN;
                    None
                }
            };
            if let Some(end) = stop
                && self.ended_by.is_none()
            {
                self.ended_by = Some(end);
                deadline = Instant::now() + program.grace + DRAIN + MARGIN;
                // One that has just ended is told by mail.
                let _ended = process::pidfd_send_signal(&self.leash, Signal::TERM);
            }
        }
    }

    /// Takes what the pipes still hold; a pipe held open by someone who escaped is given up.
    fn until_closed(&mut self, order: &Order<'_>, mail: &Receiver<Mail>) {
        let deadline = Instant::now() + DRAIN;
        while self.stdout.is_none() || self.stderr.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            match mail.recv_timeout(left) {
                Ok(Mail::Stdout(all)) => self.stdout = Some(all),
                Ok(Mail::Stderr(tail)) => self.stderr = Some(tail),
                Ok(Mail::TooMuch) => self.ended_by = self.ended_by.or(Some(End::TooMuch)),
                // What is heard late was said all the same.
                Ok(Mail::Said(said)) => (order.says)(said),
                Ok(Mail::Exited | Mail::Stop) => {}
                Err(_) => return,
            }
        }
    }
}

/// Kills a supervisor that does not end, after everything below it.
fn destroy(pid: Pid) {
    for below in proc::descendants(pid).into_iter().chain([pid]) {
        let _ended = process::kill_process(below, Signal::KILL);
    }
}

/// Ends what a supervisor leaves behind that was killed itself, perhaps by its own program: all that was given
/// this run's scratch folder.
fn sweep(order: &Order<'_>) {
    const ROUNDS_MAX: usize = 10;
    let Some((name, folder)) = order.env.iter().find(|(name, _)| name == SCRATCH_VARIABLE) else {
        return;
    };
    let variable = [name.as_bytes(), b"=", folder.as_bytes()].concat();
    // One that forks while it is looked for may be missed by one look.
    for _ in 0..ROUNDS_MAX {
        let left = proc::with_variable(&variable);
        if left.is_empty() {
            return;
        }
        for leash in left {
            let _ended = process::pidfd_send_signal(leash, Signal::KILL);
        }
    }
}

/// Whether a program that exits so has done its work.
fn is_good(program: &Program, code: i32) -> bool {
    code == 0 || program.ok_exit.contains(&code)
}

/// The supervisor's exit code is the program's. A supervisor that was asked to end dies of it.
fn end(status: ExitStatus) -> End {
    let asks = [Signal::HUP, Signal::INT, Signal::TERM];
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (_, Some(signal)) if asks.iter().any(|ask| ask.as_raw() == signal) => End::Interrupted,
        (_, Some(signal)) => End::Exited(128 + signal),
        (None, None) => End::Exited(1),
    }
}

#[cfg(test)]
mod tests;
