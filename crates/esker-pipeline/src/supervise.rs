//! The small process between the engine and a program, so that nothing the program starts can outlive its run.
//!
//! It is the hidden subcommand `esker supervise`. As the subreaper of everything below it, it inherits what
//! daemonises; it is told by the kernel when the engine dies; it ends only when everything below it has.
//!
//! Its exit code is the program's. If it was asked to end, it dies of SIGTERM itself instead: a program may exit
//! with any code, also one that was asked to end, so no code could say that it did not end by itself.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{self, Pid, Signal, WaitOptions, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use crate::proc;

/// How long killing may take before what cannot be killed is left behind.
const KILL_MAX: Duration = Duration::from_secs(10);
/// How long to wait between two rounds of killing.
const KILL_ROUND: Duration = Duration::from_millis(10);

/// The exit code of a program that does not exist, as in shells.
pub(crate) const NOT_FOUND: u8 = 127;
/// The exit code of a program that cannot be executed, as in shells.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// The exit code of orders that cannot be understood.
const USAGE: u8 = 2;
/// The exit code of one who was asked to end and could not die of it: 128 + SIGTERM.
const STOPPED: u8 = 143;
/// The exit codes of programs that SIGHUP, SIGINT or SIGTERM has ended, as in shells.
const ASKED: [u8; 3] = [129, 130, 143];
/// How long to wait for the signal that has ended the program: who signals everything, as a service manager
/// does, may reach the program first.
const ECHO: Duration = Duration::from_millis(100);

/// What the engine asks for: `--grace-ms N --drain-ms N --parent PID -- PROGRAM ARG…`.
#[derive(Debug)]
struct Orders {
    grace: Duration,
    drain: Duration,
    parent: Pid,
    argv: Vec<OsString>,
}

/// Runs a program as the engine orders it; the arguments are those after the word `supervise`.
pub fn supervise(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(orders) = Orders::read(args) else {
        say("cannot understand the orders; `supervise` is esker's own business");
        return ExitCode::from(USAGE);
    };
    match watch(&orders) {
        Ok(Ended::Exit(code)) => ExitCode::from(code),
        Ok(Ended::Asked) => die(),
        Err(error) => {
            say(&format!("cannot supervise a program: {error}"));
            ExitCode::from(NOT_EXECUTABLE)
        }
    }
}

/// How a supervised program came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// By itself.
    Exit(u8),
    /// Because this process was asked to end.
    Asked,
}

fn die() -> ExitCode {
    if let Err(error) = signal_hook::low_level::emulate_default_handler(SIGTERM) {
        say(&format!("cannot end as asked: {error}"));
    }
    ExitCode::from(STOPPED)
}

impl Orders {
    fn read(mut args: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut number = |name: &str| -> Option<u64> {
            let key = args.next()?;
            let value = args.next()?;
            (key == name).then(|| value.to_str()?.parse().ok())?
        };
        let grace = Duration::from_millis(number("--grace-ms")?);
        let drain = Duration::from_millis(number("--drain-ms")?);
        let parent = Pid::from_raw(i32::try_from(number("--parent")?).ok()?)?;
        let dashes = args.next()?;
        let argv: Vec<OsString> = args.collect();
        (dashes == "--" && !argv.is_empty()).then_some(Self { grace, drain, parent, argv })
    }
}

fn say(text: &str) {
    // There is nobody else to tell if standard error is closed.
    drop(writeln!(io::stderr(), "esker: {text}"));
}

/// What wakes this process: a byte for every signal, and whether one of them asks to end.
struct Bell {
    bytes: UnixStream,
    asked: Arc<AtomicBool>,
}

impl Bell {
    fn hang() -> io::Result<Self> {
        let (bytes, rope) = UnixStream::pair()?;
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&asked))?;
        }
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] {
            signal_hook::low_level::pipe::register(signal, rope.try_clone()?)?;
        }
        Ok(Self { bytes, asked })
    }

    /// Waits for a signal, or until the time.
    fn wait(&mut self, until: Option<Instant>) -> io::Result<()> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // A timeout of zero would mean for ever.
        let left = left.map(|left| left.max(Duration::from_millis(1)));
        self.bytes.set_read_timeout(left)?;
        // How many signals it were does not matter.
        match self.bytes.read_exact(&mut [0]) {
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(()),
                _ => Err(error),
            },
            Ok(()) => Ok(()),
        }
    }
}

fn watch(orders: &Orders) -> io::Result<Ended> {
    let mut bell = Bell::hang()?;
    process::set_child_subreaper(Some(process::getpid()))?;
    process::set_parent_process_death_signal(Some(Signal::TERM))?;
    // The engine may have died before the kernel was asked to tell.
    if process::getppid() != Some(orders.parent) {
        return Ok(Ended::Asked);
    }
    let child = match start(&orders.argv) {
        Ok(child) => child,
        Err(code) => return Ok(Ended::Exit(code)),
    };
    let raw = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let program = raw.ok_or_else(|| io::Error::other("the program has no process id"))?;
    let mut brood = Brood { program, exit: None, ended_at: None, kill_from: None };
    loop {
        let gone = brood.reap()?;
        let (asked, now) = (bell.asked.load(Ordering::Relaxed), Instant::now());
        let until = if gone { brood.listen(asked, now) } else { brood.step(orders, asked, now) };
        match until {
            Some(until) => bell.wait(until.wake)?,
            None => return Ok(brood.ended(asked)),
        }
    }
}

/// Starts the program in a process group of its own, or says why it cannot.
fn start(argv: &[OsString]) -> Result<Child, u8> {
    let started = Command::new(&argv[0]).args(&argv[1..]).process_group(0).spawn();
    started.map_err(|error| {
        let name = argv[0].to_string_lossy();
        say(&format!("cannot start {name}: {error}"));
        match error.kind() {
            ErrorKind::NotFound => NOT_FOUND,
            _ => NOT_EXECUTABLE,
        }
    })
}

/// The program and everything that descends from it.
struct Brood {
    program: Pid,
    /// The program's exit code, once it has ended.
    exit: Option<u8>,
    /// When that was seen.
    ended_at: Option<Instant>,
    /// From when on everything is killed, once everything was asked to end.
    kill_from: Option<Instant>,
}

/// When to look again.
struct Until {
    wake: Option<Instant>,
}

impl Brood {
    /// Takes the exit codes of all who have ended; true if nobody is left.
    fn reap(&mut self) -> io::Result<bool> {
        loop {
            match process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.program => self.exit = Some(code(status)),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return Ok(false),
                Err(Errno::CHILD) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// When the program was first seen to have ended.
    fn seen(&mut self, now: Instant) -> Option<Instant> {
        self.exit.map(|_| *self.ended_at.get_or_insert(now))
    }

    /// Whether to wait, now that nobody is left, for word that the program was not alone in being asked to end.
    fn listen(&mut self, asked: bool, now: Instant) -> Option<Until> {
        let until = self.seen(now)? + ECHO;
        let suspect = self.exit.is_some_and(|code| ASKED.contains(&code));
        (suspect && !asked && now < until).then_some(Until { wake: Some(until) })
    }

    fn ended(&self, asked: bool) -> Ended {
        match self.exit {
            Some(code) if !asked => Ended::Exit(code),
            _ => Ended::Asked,
        }
    }

    /// Does what is due; none if what is left cannot even be killed.
    fn step(&mut self, orders: &Orders, asked: bool, now: Instant) -> Option<Until> {
        let drain_until = self.seen(now).map(|ended| ended + orders.drain);
        let drained = drain_until.is_some_and(|until| until <= now);
        if self.kill_from.is_none() && (asked || drained) {
            self.ask();
            self.kill_from = Some(now + orders.grace);
        }
        let Some(kill_from) = self.kill_from else {
            return Some(Until { wake: drain_until });
        };
        if now < kill_from {
            return Some(Until { wake: Some(kill_from) });
        }
        // Killing a child hands its own children to us: round by round nobody escapes, and a child of ours
        // keeps its number until we reap it, so that no stranger is hit.
        for child in proc::children(process::getpid()) {
            send(process::kill_process(child, Signal::KILL));
        }
        (now < kill_from + KILL_MAX).then_some(Until { wake: Some(now + KILL_ROUND) })
    }

    /// Asks everybody within reach to end: the program's group, and who left it.
    fn ask(&self) {
        let mut grouped = self.exit.is_none();
        for child in proc::children(process::getpid()) {
            if process::getpgid(Some(child)) == Ok(self.program) {
                grouped = true;
            } else {
                send(process::kill_process(child, Signal::TERM));
            }
        }
        if grouped {
            send(process::kill_process_group(self.program, Signal::TERM));
        }
    }
}

/// A signal to one who has just ended is as good as delivered.
fn send(sent: Result<(), Errno>) {
    if let Err(error) = sent
        && error != Errno::SRCH
    {
        say(&format!("cannot send a signal: {error}"));
    }
}

/// An exit code as shells give it: 128 and the signal for who was killed by one.
fn code(status: WaitStatus) -> u8 {
    let killed = status.terminating_signal().map(|signal| 128 + signal);
    let code = status.exit_status().or(killed).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}

#[cfg(test)]
mod tests;
