//! Frames in one message, and what is no such message.

use super::*;

fn frames(parts: &[&str]) -> Frames {
    parts.iter().map(|part| Bytes::copy_from_slice(part.as_bytes())).collect()
}

#[test]
fn what_was_joined_is_split_again() {
    for parts in [&["=====esker/1 HELLO m\n"][..], &["=====esker/1 PUT m\n", "", "body"]] {
        let frames = frames(parts);
        assert_eq!(split(&join(&frames)).unwrap(), frames);
    }
    assert_eq!(&join(&frames(&["ab", ""]))[..], b"\x02\0\0\0ab\0\0\0\0");
}

#[test]
fn what_is_no_message_is_refused() {
    let head = join(&frames(&["=====esker/1 HELLO m\n"]));
    let cut = head.slice(..head.len() - 1);
    let more = Bytes::from([&head[..], b"\x01\0\0"].concat());
    let long = Bytes::from_static(b"\xff\xff\xff\xff=====esker/1 HELLO m");
    for bad in [cut, more, long] {
        assert!(split(&bad).unwrap_err().message.contains("its length before it"));
    }
    let many = join(&frames(&["=====esker/1 PUT m\n"; FRAMES_MAX + 1]));
    assert!(split(&many).unwrap_err().message.contains("up to 16 frames"));
    for bad in [Bytes::new(), join(&frames(&["=get=raw/a"])), join(&frames(&["", "x"]))] {
        assert!(split(&bad).unwrap_err().message.contains("no head"));
    }
}
