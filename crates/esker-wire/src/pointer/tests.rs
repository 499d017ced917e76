//! Pointers are those of git-lfs, to the byte, and nothing else is one.

use super::{ContentId, POINTER_LENGTHS, Pointer};

/// The example of git-lfs's own specification.
const EXAMPLE: &str = "version https://git-lfs.github.com/spec/v1\n\
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n\
    size 12345\n";

#[test]
fn a_pointer_of_git_lfs_is_read_and_written() {
    let pointer = Pointer::from_bytes(EXAMPLE.as_bytes()).expect("a pointer");
    assert_eq!(pointer.size, 12345);
    assert_eq!(pointer.to_bytes(), EXAMPLE);
    let id: ContentId = pointer.id.to_string().parse().expect("its own text");
    assert_eq!(id, pointer.id);
    assert_eq!(ContentId::from_digits(&id.digits()), Ok(id));
    for size in [0, u64::MAX] {
        let pointer = Pointer { size, ..pointer };
        let bytes = pointer.to_bytes();
        assert!(POINTER_LENGTHS.contains(&(bytes.len() as u64)), "{}", bytes.len());
        assert_eq!(Pointer::from_bytes(&bytes), Some(pointer));
    }
}

#[test]
fn what_is_not_exactly_one_is_a_content() {
    let cases = [
        EXAMPLE.replace("12345", "012345"),
        EXAMPLE.replace("12345", "-1"),
        EXAMPLE.replace("12345", "99999999999999999999"),
        EXAMPLE.replace("sha256:4d7a", "sha256:4D7A"),
        EXAMPLE.replace("sha256:4d7a", "sha1:4d7a"),
        EXAMPLE.replace("size", "sise"),
        EXAMPLE.replace("spec/v1", "spec/v2"),
        EXAMPLE.trim_end().to_owned(),
        format!("{EXAMPLE}x 1\n"),
        String::new(),
    ];
    for text in cases {
        assert_eq!(Pointer::from_bytes(text.as_bytes()), None, "{text}");
    }
    for text in ["", "sha256:", "sha256:12", &"0".repeat(64), &format!("sha256:{}", "é".repeat(32))]
    {
        assert!(text.parse::<ContentId>().is_err(), "{text}");
    }
}
