//! Which commits the store has: what every part that reads its history begins with.

use std::time::Duration;

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::Resolve;

/// How long the store may take to answer those who only look.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// The newest commit of a branch, if there is one.
pub(crate) fn newest(caller: &Caller, branch: Branch) -> Result<Option<Revision>, Fault> {
    resolve(caller, branch, At::head())
}

/// The commit that a version means on a branch, if there is one.
pub(crate) fn resolve(caller: &Caller, branch: Branch, at: At) -> Result<Option<Revision>, Fault> {
    match caller.call_blocking(&Resolve { at, branch, zone: None }, DEADLINE) {
        Ok(resolved) => Ok(Some(resolved.revision)),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
