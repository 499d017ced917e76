//! Plain ZeroMQ clients: pyzmq, which is libzmq.

use std::process::Command;

/// Runs a Python script with `zmq` imported and these arguments; it must end well.
pub(crate) fn run(script: &str, args: &[&str]) -> String {
    let python = std::env::var("ESKER_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_zmq = Command::new(&python).args(["-c", "import zmq"]).output();
    assert!(
        has_zmq.is_ok_and(|output| output.status.success()),
        "{python} cannot import zmq: install pyzmq, or name a Python that has it in ESKER_PYTHON"
    );
    let output = Command::new(&python)
        .args(["-c", &format!("import sys, time, zmq\n{script}")])
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}
