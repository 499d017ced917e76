//! Programs that run beside this one for as long as it wants them, and never longer than it runs itself.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, kill_process};

/// How long a program may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(3);
/// How much longer who supervises it may take.
const MARGIN: Duration = Duration::from_secs(3);
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A program that runs beside this one, below `esker supervise`: it ends when this is dropped, and when this process
/// is killed.
#[derive(Debug)]
pub struct Beside {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Beside {
    /// Starts a program; what it prints goes to a file.
    ///
    /// # Errors
    /// If the file cannot be written, or there is nobody to supervise it. A program that does not exist ends at once.
    pub fn start(program: impl AsRef<OsStr>, args: &[String], log: &Path) -> io::Result<Self> {
        let out = File::create(log)?;
        let (name, number) = (program.as_ref().to_string_lossy().into_owned(), |time: Duration| {
            time.as_millis().to_string()
        });
        let mut orders: Vec<OsString> = ["supervise", "--grace-ms"].map(OsString::from).to_vec();
        orders.extend([number(GRACE), "--drain-ms".into(), number(GRACE)].map(OsString::from));
        orders
            .extend(["--parent".into(), getpid().as_raw_nonzero().to_string()].map(OsString::from));
        orders.push("--".into());
        orders.push(program.as_ref().to_owned());
        orders.extend(args.iter().map(OsString::from));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(orders).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        // A Ctrl-C is for this process, which ends the others in their order.
        command.process_group(0);
        Ok(Self { name, log: log.to_owned(), child: command.spawn()? })
    }

    /// Whether it has ended, and how.
    ///
    /// # Errors
    /// If that cannot be told.
    pub fn ended(&mut self) -> io::Result<Option<String>> {
        let ended = self.child.try_wait()?;
        Ok(ended.map(|status| format!("{} has ended: {status}", self.name)))
    }

    /// Where what it prints goes.
    pub fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let (Some(pid), Ok(None)) = (pid, self.child.try_wait()) {
            // It has ended if it cannot be asked.
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + GRACE + MARGIN;
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK);
        }
        // Killing who supervises it leaves it to the kernel, which kills what is below.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
