//! What is said, and how often.

use std::error::Error as _;
use std::io;
use std::path::Path;

use super::Error;

/// Whoever prints an error and all that is beneath it says nothing twice.
#[test]
fn what_the_system_said_is_told_once() {
    let path = Path::new("/x");
    let full = || io::Error::other("full");
    for error in [Error::write(path)(full()), Error::read(path)(full())] {
        assert!(error.to_string().ends_with("/x: full"), "{error}");
        assert!(error.source().is_none());
    }
}
