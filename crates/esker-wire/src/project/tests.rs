//! Files as resources and back, and what a project says of itself.

use proptest::prelude::*;

use super::*;

#[test]
fn what_a_project_says_is_read_again() {
    let tool = |name: &str, path: &str, hash: &str| Tool {
        name: name.to_owned(),
        path: path.to_owned(),
        hash: hash.to_owned(),
    };
    let about = About {
        engine: "esker 0.1.0".to_owned(),
        host: "here".to_owned(),
        tools: vec![tool("python3", "/usr/bin/python3", "ab12"), tool("gone", "", "")],
        executable: vec!["a b.sh".to_owned()],
        left_out: vec![("big.bin".to_owned(), "9000000 bytes".to_owned())],
    };
    assert_eq!(About::from_bytes(&about.to_bytes()), Ok(about));
    assert!(About::from_bytes(b"=====other\n").is_err());
}

#[test]
fn plain_paths_stay_readable() {
    assert_eq!(resource("lib/cond.py").map(|name| name.to_string()), Ok("file/lib/cond.py".into()));
    assert_eq!(resource(".env").map(|name| name.to_string()), Ok("file/%2Eenv".into()));
    assert_eq!(path(&"raw/plan".parse().expect("a name")), None);
}

proptest! {
    #[test]
    fn a_path_comes_back(parts in proptest::collection::vec("[^/\0]{1,12}", 1..4)) {
        let text = parts.join("/");
        if let Ok(name) = resource(&text) {
            prop_assert_eq!(path(&name), Some(text));
        }
    }
}
