//! A service that panics takes the process with it, loudly.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::desk::{Ask, Office, SOON};

/// Set for the process that is to die.
const DOOMED: &str = "ESKER_BUS_TEST_PANIC";

#[test]
fn a_panic_ends_the_process_with_its_message() {
    if std::env::var_os(DOOMED).is_some() {
        let office = Office::new();
        let outcome = office.caller().call_blocking(&Ask::<false>::new("PANIC", ""), SOON);
        unreachable!("the process went on: {outcome:?}");
    }
    let name = "panics::a_panic_ends_the_process_with_its_message";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(DOOMED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the desk was asked to panic"), "{said}");
    assert!(output.status.signal().is_some(), "{:?}", output.status);
}
