//! What a transaction may be; nothing that passes here can fail later.

use std::collections::BTreeSet;

use esker_wire::fault::{Code, Fault};

use crate::op::{Act, Op};
use crate::path;
use crate::section::Junctions;
use crate::value::{LISTS_MAX, VALUE_MAX, VALUES_MAX};

/// The most operations of a transaction.
pub const TRANSACTION_OPS_MAX: usize = 1_000_000;

/// The most bytes of a transaction.
pub const TRANSACTION_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The most sections a transaction touches: a header counts frames in 16 bits.
pub const TRANSACTION_SECTIONS_MAX: usize = 60_000;

/// Holds a transaction against the limits that any model of these junctions has.
///
/// # Errors
/// `bad-request` or `too-large`, naming the path and the limit.
pub fn check(ops: &[Op], junctions: &Junctions) -> Result<(), Fault> {
    let too_large = |what: String| Err(Fault::new(Code::TooLarge, what));
    if ops.len() > TRANSACTION_OPS_MAX {
        let count = ops.len();
        return too_large(format!(
            "a transaction has {count} operations, {TRANSACTION_OPS_MAX} are allowed"
        ));
    }
    let mut bytes = 0;
    let mut sections = BTreeSet::new();
    for op in ops {
        let section = check_one(op, junctions)?;
        bytes += op.size();
        // Few operations cannot touch too many.
        if ops.len() > TRANSACTION_SECTIONS_MAX {
            sections.insert(section);
        }
    }
    if bytes > TRANSACTION_BYTES_MAX || sections.len() > TRANSACTION_SECTIONS_MAX {
        return too_large(format!(
            "a transaction has {bytes} bytes in {} sections, {TRANSACTION_BYTES_MAX} in \
             {TRANSACTION_SECTIONS_MAX} are allowed",
            sections.len()
        ));
    }
    Ok(())
}

/// The section of an operation that is within the limits.
fn check_one<'a>(op: &'a Op, junctions: &Junctions) -> Result<&'a [path::Key], Fault> {
    let told = || clip(&path::to_json(&op.path));
    let too_large = |what: String| Fault::new(Code::TooLarge, format!("{what}, at {}", told()));
    path::check(&op.path).map_err(|error| too_large(error.to_string()))?;
    if let Act::Set(value) = &op.act {
        let size = value.size();
        if size > VALUE_MAX {
            return Err(too_large(format!("a leaf has {size} bytes, {VALUE_MAX} are allowed")));
        }
        let values = value.values();
        if values > VALUES_MAX {
            return Err(too_large(format!("a leaf has {values} values, {VALUES_MAX} are allowed")));
        }
        if value.lists() > LISTS_MAX {
            return Err(too_large(format!("more than {LISTS_MAX} lists in lists")));
        }
    }
    junctions.section(&op.path).ok_or_else(|| {
        let text = format!("the dict at {} cannot be changed itself", told());
        Fault::bad_request(text).hint("change what is in it")
    })
}

/// The beginning of a text that may be long.
pub(super) fn clip(text: &str) -> String {
    const MOST: usize = 100;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let begin: String = text.chars().take(MOST).collect();
    format!("{begin}…")
}
