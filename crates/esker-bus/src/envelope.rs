//! What is around a request: the way back, its number, and refusals in the asker's own form.

use bytes::{Bytes, BytesMut};
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Message;
use esker_wire::seed;

use crate::service::Frames;

/// How many frames of a message are searched for the empty frame that ends its way back.
const HOPS_MAX: usize = 16;

/// The most frames of one message; each costs memory even if it is empty.
pub(crate) const FRAMES_MAX: usize = 16 * 1024;

/// What a frame costs besides its bytes.
const FRAME_COST: usize = 64;

/// Splits a message into the way back and the request; its first frames, so many, are the peer's identity and
/// begin the way.
///
/// A REQ socket puts an empty frame first, a proxy or a numbering client puts frames of its own before that
/// one; a bare DEALER puts nothing, and its first frame is the request's head. The way back goes before the
/// reply exactly as it came.
pub(crate) fn split(mut message: Frames, identity: usize) -> (Frames, Frames) {
    let rest = message.get(identity..).unwrap_or_default();
    let end = rest
        .iter()
        .take(HOPS_MAX)
        .take_while(|frame| !frame.starts_with(b"====="))
        .position(|frame| frame.is_empty());
    let way = match end {
        Some(end) if end + 1 < rest.len() => identity + end + 1,
        _ => identity.min(message.len()),
    };
    // The way keeps the room of the whole message, which the reply will need.
    let request = message.split_off(way);
    (message, request)
}

/// What a message takes of memory, roughly.
pub(crate) fn weight(frames: &[Bytes]) -> usize {
    size(frames).saturating_add(frames.len().saturating_mul(FRAME_COST))
}

/// The bytes of a message.
pub(crate) fn size(frames: &[Bytes]) -> usize {
    frames.iter().map(Bytes::len).sum()
}

/// Refuses what is over the limits.
///
/// # Errors
/// `too-large` with both numbers.
pub(crate) fn check_size(what: &str, frames: &[Bytes], message_max: usize) -> Result<(), Fault> {
    let bytes = size(frames);
    if bytes > message_max {
        let message = format!("the {what} has {bytes} bytes, {message_max} are allowed");
        return Err(Fault::new(Code::TooLarge, message).hint("send or ask for it in parts"));
    }
    if frames.len() > FRAMES_MAX {
        let count = frames.len();
        let message = format!("the {what} has {count} frames, {FRAMES_MAX} are allowed");
        return Err(Fault::new(Code::TooLarge, message));
    }
    Ok(())
}

/// The number a request of ours gave itself: the field `id` of its first section.
pub(crate) fn id(frames: &[Bytes]) -> Option<String> {
    let head = frames.first().filter(|head| Message::is_ours(head))?;
    let mut lines = head.split(|byte| *byte == b'\n').skip(1);
    let field = lines
        .by_ref()
        .take_while(|line| line.starts_with(b"\t"))
        .find_map(|line| line.strip_prefix(b"\tid:"))?;
    let text = std::str::from_utf8(field).ok()?;
    Some(text.strip_prefix(' ').unwrap_or(text).to_owned())
}

/// Puts a request's number into its reply, if both are of our form.
pub(crate) fn number(reply: Frames, id: Option<&str>) -> Frames {
    let (Some(id), Some(head)) = (id, reply.first().filter(|head| Message::is_ours(head))) else {
        return reply;
    };
    // A head may be long: the number is put in as text, and only the first section is looked through for another.
    let end = head.iter().position(|byte| *byte == b'\n').map_or(head.len(), |end| end + 1);
    let (first, rest) = head.split_at(end);
    let fields =
        rest.split_inclusive(|byte| *byte == b'\n').take_while(|line| line.starts_with(b"\t"));
    let mut numbered = BytesMut::with_capacity(head.len() + id.len() + 8);
    numbered.extend_from_slice(first.strip_suffix(b"\n").unwrap_or(first));
    numbered.extend_from_slice(b"\n\tid: ");
    numbered.extend_from_slice(id.replace('\0', " ").as_bytes());
    numbered.extend_from_slice(b"\n");
    let mut at = 0;
    for line in fields {
        at += line.len();
        if !line.starts_with(b"\tid:") {
            numbered.extend_from_slice(line);
        }
    }
    numbered.extend_from_slice(&rest[at..]);
    let mut reply = reply;
    reply[0] = numbered.freeze();
    reply
}

/// The reply that refuses a request, in the form of the request: ours, or the seeds'.
pub(crate) fn refusal(request: &[Bytes], fault: &Fault) -> Frames {
    match request.first() {
        Some(head) if Message::is_ours(head) => {
            let reply = Message::error(fault).to_frames();
            number(reply, id(request).as_deref())
        }
        _ => vec![seed::error(fault)],
    }
}

#[cfg(test)]
mod tests;
