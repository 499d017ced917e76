//! What it means when Consul does not do as asked: pure.

use esker_wire::fault::{Code, Fault};

/// How much of what Consul says is repeated.
const SAID_MAX: usize = 200;

/// What failed, as somebody has to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) fault: Fault,
}

/// What somebody can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nobody answers.
    Unreachable,
    /// There is no leader: nothing was done, and it can be asked again.
    Leaderless,
    /// The ACL is not up yet: nothing was done, and it can be asked again.
    Starting,
    /// Not allowed.
    Refused,
    /// What was asked about is not there.
    Missing,
    /// Anything else.
    Other,
}

impl Failure {
    /// Whether nothing was done and the same request may soon be answered.
    pub(crate) fn passes(&self) -> bool {
        matches!(self.kind, Kind::Leaderless | Kind::Starting)
    }
}

/// What was asked, in words for people.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    /// As it stands after "cannot": `read key "esker/a"`.
    pub(crate) what: &'a str,
    /// Consul's place: HOST:PORT.
    pub(crate) place: &'a str,
    /// The rule of the ACL that allows it.
    pub(crate) rule: &'a str,
}

/// A request that got no answer.
pub(crate) fn of_silence(asked: &Asked<'_>, why: &str, is_late: bool) -> Failure {
    let Asked { what, place, .. } = asked;
    let message = format!("cannot {what}: Consul at {place} does not answer: {why}");
    let code = if is_late { Code::Timeout } else { Code::Unavailable };
    let fault = Fault::new(code, message).hint("is its agent running? `consul members` tells");
    Failure { kind: Kind::Unreachable, fault }
}

/// An answer that is not the one asked for.
pub(crate) fn of_status(asked: &Asked<'_>, status: u16, body: &[u8]) -> Failure {
    let Asked { what, place, rule } = asked;
    let said = said(body);
    let message = format!("cannot {what}: Consul at {place} answers {status}: {said}");
    let (kind, code, hint) = match status {
        403 if said.contains("ACL not found") => {
            let hint = "Consul does not know the token; is it another Consul's, or deleted?";
            (Kind::Refused, Code::NotWritable, hint.to_owned())
        }
        401 | 403 => {
            let hint = format!("the token's policy has to hold: {rule}");
            (Kind::Refused, Code::NotWritable, hint)
        }
        404 => (Kind::Missing, Code::NotFound, String::new()),
        413 => (Kind::Other, Code::TooLarge, "make it smaller".to_owned()),
        429 => (Kind::Other, Code::Busy, "ask less often".to_owned()),
        500.. if said.contains("legacy mode") => {
            let hint = "Consul's ACL is still starting; this passes within seconds";
            (Kind::Starting, Code::Busy, hint.to_owned())
        }
        500.. if said.contains("No cluster leader") || said.contains("No known Consul servers") => {
            let hint = "more than half of Consul's servers are gone or out of reach; nothing can be written or read until they are back";
            (Kind::Leaderless, Code::Unavailable, hint.to_owned())
        }
        500.. => (Kind::Other, Code::Unavailable, String::new()),
        _ => (Kind::Other, Code::BadRequest, String::new()),
    };
    Failure { kind, fault: Fault::new(code, message).hint(hint) }
}

/// An answer that cannot be read.
pub(crate) fn of_nonsense(asked: &Asked<'_>, why: &str) -> Failure {
    let Asked { what, place, .. } = asked;
    let message = format!("cannot {what}: what answers at {place} is not Consul: {why}");
    let fault = Fault::new(Code::Unavailable, message).hint("is that its port for HTTP (8500)?");
    Failure { kind: Kind::Other, fault }
}

/// What a body says, in one short line of printable characters.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let line: String = line.take(SAID_MAX).collect();
    if line.is_empty() { "nothing more".to_owned() } else { line }
}

#[cfg(test)]
mod tests;
