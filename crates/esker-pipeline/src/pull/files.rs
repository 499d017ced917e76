//! Small files that go with a pull: read whole, up to a limit.

use std::io::Read as _;
use std::path::Path;

use crate::open;

/// A file's text; why not, if it cannot be had.
pub(super) fn text(path: &Path, max: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = open::regular(path).map_err(|error| error.to_string())?;
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > max {
        return Err(format!("it is larger than {max} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
