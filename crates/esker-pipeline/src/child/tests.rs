//! Real programs, well and badly behaved, below a real supervisor.

use std::fs;
use std::sync::mpsc::channel;

use crate::stub::supervisor;

use super::*;

fn program(script: &str) -> Program {
    Program {
        timeout: Duration::from_secs(60),
        grace: Duration::from_millis(200),
        output_max: 1_000_000,
        ..Program::new(["sh", "-c", script].map(str::to_owned).to_vec())
    }
}

fn mailbox() -> Mailbox {
    let (post, mail) = channel();
    Mailbox { post, mail }
}

fn run_with(program: &Program, stdin: &str) -> Finished {
    let esker = supervisor();
    let order = Order {
        esker: &esker,
        dir: &std::env::temp_dir(),
        program,
        env: vec![("ESKER_STAGE".into(), "test".into())],
        says: &|_| {},
        stdin: Bytes::copy_from_slice(stdin.as_bytes()).into(),
    };
    run(&order, &mailbox()).unwrap()
}

fn run_script(script: &str) -> Finished {
    run_with(&program(script), "")
}

/// Waits until a process is gone.
fn assert_gone(pid: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let path = format!("/proc/{}/stat", pid.trim());
    while let Ok(stat) = fs::read_to_string(&path) {
        let zombie = stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z"));
        if zombie {
            return;
        }
        assert!(Instant::now() < deadline, "{pid} still lives: {stat}");
        thread::yield_now();
    }
}

#[test]
fn input_and_output_pass_through() {
    let finished = run_with(&program("cat; echo oops >&2"), "a\nb\n");
    assert_eq!(finished.end, End::Exited(0));
    assert_eq!(finished.stdout, b"a\nb\n");
    assert_eq!(finished.stderr, b"oops\n");
}

#[test]
fn exit_codes_and_signals_are_told() {
    assert_eq!(run_script("exit 3").end, End::Exited(3));
    assert_eq!(run_script("kill -9 $$").end, End::Exited(137));
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let mut missing = program("");
    missing.argv = vec!["no-such-program".to_owned()];
    let finished = run_with(&missing, "");
    assert_eq!(finished.end, End::Exited(127));
    let said = String::from_utf8_lossy(&finished.stderr).into_owned();
    assert!(said.contains("cannot start no-such-program"), "{said}");
}

#[test]
fn only_declared_variables_are_passed() {
    let mut printing = program("env");
    printing.env = vec!["CARGO_MANIFEST_DIR".to_owned()];
    let finished = run_with(&printing, "");
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(text.contains("ESKER_STAGE=test"), "{text}");
    assert!(text.contains("CARGO_MANIFEST_DIR="), "{text}");
    assert!(!text.contains("CARGO_PKG_NAME="), "{text}");
}

#[test]
fn a_program_may_close_its_input_early() {
    let much = "line\n".repeat(1_000_000);
    let finished = run_with(&program("head -n 1"), &much);
    assert_eq!(finished.end, End::Exited(0));
    assert_eq!(finished.stdout, b"line\n");
}

#[test]
fn a_program_that_hangs_is_killed_with_all_it_started() {
    let mut hanging = program("trap '' TERM; sleep 1000 & echo $! >&2; wait; sleep 1000");
    hanging.timeout = Duration::from_millis(500);
    let began = Instant::now();
    let finished = run_with(&hanging, "");
    assert_eq!(finished.end, End::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_gone(&String::from_utf8_lossy(&finished.stderr));
}

#[test]
fn too_much_output_stops_the_program() {
    let finished = run_script("yes");
    assert_eq!(finished.end, End::TooMuch);
    assert!(finished.stdout.is_empty());
}

#[test]
fn of_endless_errors_the_end_is_kept() {
    let finished = run_script("yes 0123456789 | head -c 100000000 >&2; echo last >&2; exit 1");
    assert_eq!(finished.end, End::Exited(1));
    assert_eq!(finished.stderr.len(), STDERR_MAX);
    assert!(finished.stderr.ends_with(b"last\n"));
}

#[test]
fn a_daemon_does_not_outlive_the_run() {
    let script = "(setsid sh -c 'trap \"\" TERM HUP; echo $$ >&2; exec >&- 2>&-; sleep 1000' &) ; \
                  sleep 0.2; echo done";
    let finished = run_script(script);
    assert_eq!(finished.end, End::Exited(0));
    assert_eq!(finished.stdout, b"done\n");
    let pid = String::from_utf8_lossy(&finished.stderr).into_owned();
    assert!(!pid.trim().is_empty());
    assert_gone(&pid);
}

#[test]
fn what_a_program_leaves_behind_may_finish_its_output() {
    let finished = run_script("(sleep 0.3; echo late) & echo early");
    assert_eq!(finished.end, End::Exited(0));
    assert_eq!(finished.stdout, b"early\nlate\n");
}

#[test]
fn the_engine_can_stop_a_run() {
    let esker = supervisor();
    let mut endless = program("echo $$ >&2; sleep 1000");
    endless.grace = Duration::from_secs(30);
    let order = Order {
        esker: &esker,
        dir: &std::env::temp_dir(),
        program: &endless,
        env: Vec::new(),
        says: &|_| {},
        stdin: Bytes::new().into(),
    };
    let mailbox = mailbox();
    mailbox.post.send(Mail::Stop).unwrap();
    let finished = run(&order, &mailbox).unwrap();
    assert_eq!(finished.end, End::Stopped);
}

#[test]
fn a_supervisor_that_is_asked_to_end_says_so() {
    // A program may end well when it is asked to; what it has printed by then may be half of it.
    let script = "trap 'echo half; exit 0' TERM; kill -TERM $PPID; while :; do sleep 0.1; done";
    assert_eq!(run_script(script).end, End::Interrupted);
    // The signal may come to the program first.
    let script = "(sleep 0.1; kill -TERM $PPID) & kill -TERM $$";
    assert_eq!(run_script(script).end, End::Interrupted);
    // A program that ends itself, or says what others die of, was not asked by us.
    assert_eq!(run_script("kill -TERM $$").end, End::Exited(143));
    assert_eq!(run_script("exit 130").end, End::Exited(130));
}

#[test]
fn what_a_terminal_sends_to_the_engine_reaches_no_supervisor() {
    let finished = run_script("cut -d ' ' -f 1,5 < /proc/$PPID/stat");
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    let (pid, group) = text.trim().split_once(' ').unwrap();
    assert_eq!(pid, group, "it leads a group of its own");
}

#[test]
fn output_that_is_held_open_from_outside_is_no_output() {
    assert_eq!(end_with_output_held(program("")), End::Unclosed);
    let mut grep = program("exit 1");
    grep.ok_exit = vec![1];
    assert_eq!(end_with_output_held(grep), End::Unclosed);
    assert_eq!(end_with_output_held(program("exit 2")), End::Exited(2));
}

/// How a program ends whose output somebody holds open who is none of its own.
fn end_with_output_held(mut program: Program) -> End {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let script = format!(
        "echo part; echo $$ > {place}/new; mv {place}/new {place}/pid; \
         until [ -e {place}/go ]; do sleep 0.01; done; {}",
        program.argv[2]
    );
    program.argv[2] = script;
    let running = thread::spawn(move || run_with(&program, ""));
    let deadline = Instant::now() + Duration::from_secs(20);
    let pid = loop {
        if let Ok(pid) = fs::read_to_string(folder.path().join("pid")) {
            break pid;
        }
        assert!(Instant::now() < deadline, "the program did not start");
        thread::yield_now();
    };
    let output = format!("/proc/{}/fd/1", pid.trim());
    let held = fs::OpenOptions::new().write(true).open(output).unwrap();
    fs::write(folder.path().join("go"), "").unwrap();
    let finished = running.join().unwrap();
    drop(held);
    finished.end
}

#[test]
fn a_program_dies_with_the_engine() {
    // A supervisor stands in for the engine: it is killed, and the one below it must notice.
    let esker = supervisor();
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = format!(
        "{esker} supervise --grace-ms 100 --drain-ms 100 --parent $$ -- \
         sh -c 'trap \"\" TERM; echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 1000'",
        esker = esker.display(),
        pid = pid_file.display(),
    );
    let mut engine = Command::new("sh").args(["-c", &format!("{script}; true")]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let pid = loop {
        if let Ok(pid) = fs::read_to_string(&pid_file) {
            break pid;
        }
        assert!(Instant::now() < deadline, "the program did not start");
        thread::yield_now();
    };
    engine.kill().unwrap();
    engine.wait().unwrap();
    assert_gone(&pid);
}
