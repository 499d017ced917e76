//! Messages of many frames in one: each frame with its length before it, in 4 bytes, little-endian.

use bytes::{Bytes, BytesMut};
use esker_bus::service::Frames;
use esker_wire::fault::Fault;
use esker_wire::message::Message;

/// The bytes of a length.
const LENGTH: usize = 4;

/// The most frames of what a browser says: a head, and few bodies.
const FRAMES_MAX: usize = 16;

/// One message of many frames.
pub(super) fn join(frames: &[Bytes]) -> Bytes {
    let size = frames.iter().map(|frame| LENGTH + frame.len()).sum();
    let mut joined = BytesMut::with_capacity(size);
    for frame in frames {
        let length = u32::try_from(frame.len()).expect("the bus passes no such frames");
        joined.extend_from_slice(&length.to_le_bytes());
        joined.extend_from_slice(frame);
    }
    joined.freeze()
}

/// The frames of a request.
///
/// # Errors
/// `bad-request` if lengths and bytes do not fit, or if it is no message of ours.
pub(super) fn split(message: &Bytes) -> Result<Frames, Fault> {
    let mut frames = Frames::new();
    let mut rest = message.clone();
    while !rest.is_empty() {
        let length = rest.first_chunk::<LENGTH>().map(|length| u32::from_le_bytes(*length));
        let length = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        if frames.len() == FRAMES_MAX || rest.len().saturating_sub(LENGTH) < length {
            let text = format!(
                "cannot read the message: it is up to {FRAMES_MAX} frames, each with its length before it in 4 bytes"
            );
            return Err(Fault::bad_request(text));
        }
        drop(rest.split_to(LENGTH));
        frames.push(rest.split_to(length));
    }
    if frames.first().is_some_and(|head| Message::is_ours(head)) {
        Ok(frames)
    } else {
        Err(Fault::bad_request(
            "the message begins with no head, such as `=====esker/1 HELLO project`",
        ))
    }
}

#[cfg(test)]
mod tests;
