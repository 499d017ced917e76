//! What git may do, and what is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Git, complaint};

fn git(folder: &TempDir) -> Git {
    let dir = folder.path().to_owned();
    Git { dir, silence_max: Duration::from_secs(60), halt: Arc::new(|| false) }
}

/// Git with an alias that runs a shell, which stands for anything that takes its time.
fn shell(git: &Git, script: &str) -> Result<super::Ran, crate::error::Error> {
    git.run(&["init", "--bare", "-q"], String::new(), &mut |_| {}).unwrap();
    git.ask(&["config", "alias.script", &format!("!{script}")], String::new()).unwrap();
    git.run(&["script"], String::new(), &mut |_| {})
}

/// How many processes have this on their command lines.
fn processes(text: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(text)).count()
}

#[test]
fn a_users_own_ssh_is_used() {
    let folder = TempDir::new().unwrap();
    let git = git(&folder);
    shell(&git, "true").unwrap();
    git.ask(&["config", "core.sshCommand", "echo mine >&2; false"], String::new()).unwrap();
    let error = git.ask(&["fetch", "host:data"], String::new()).unwrap_err();
    assert!(error.to_string().contains("mine"), "{error}");
}

#[test]
fn a_silent_program_is_stopped_with_all_it_started() {
    let folder = TempDir::new().unwrap();
    let git = Git { silence_max: Duration::from_millis(300), ..git(&folder) };
    let begun = Instant::now();
    let marker = format!("1000.{}", std::process::id());
    let error = shell(&git, &format!("sleep {marker} & sleep {marker}; true")).unwrap_err();
    assert!(error.to_string().contains("said nothing"), "{error}");
    while processes(&marker) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "something goes on");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_run_is_broken_off_when_told() {
    let folder = TempDir::new().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&over);
    let halted = Git { halt: Arc::new(move || seen.load(Ordering::SeqCst)), ..git(&folder) };
    shell(&git(&folder), "echo it works >&2").unwrap();
    git(&folder)
        .ask(&["config", "alias.script", "!echo begun >&2; sleep 1000"], String::new())
        .unwrap();
    let error = halted
        .run(&["script"], String::new(), &mut |line| {
            over.store(line == "begun", Ordering::SeqCst);
        })
        .unwrap_err();
    assert!(error.to_string().contains("was to end"), "{error}");
}

#[test]
fn what_is_left_behind_does_not_hold_up() {
    let folder = TempDir::new().unwrap();
    let begun = Instant::now();
    let ran = shell(&git(&folder), "(sleep 100 &) ; echo out; echo err >&2").unwrap();
    assert!(ran.success && begun.elapsed() < Duration::from_secs(50));
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n", "err\n"));
}

#[test]
fn a_complaint_is_what_tells_why() {
    let ssh = "git@host: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n\n\
               Please make sure you have the correct access rights\nand the repository exists.\n";
    assert_eq!(
        complaint(ssh),
        "git@host: Permission denied (publickey).; fatal: Could not read from remote repository."
    );
    let hook = "Enumerating objects: 3, done.\rWriting objects: 100% (3/3)\nremote: the disk is full        \n\
                To /srv/a\n ! [remote rejected] main -> main (hook declined)\nerror: failed to push some refs to '/srv/a'\n";
    assert_eq!(complaint(hook), "remote: the disk is full");
    assert_eq!(complaint(""), "git failed without a word");
    assert_eq!(complaint(&"fatal: x".repeat(100)).chars().count(), 401);
}
