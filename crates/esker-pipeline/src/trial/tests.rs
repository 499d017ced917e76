//! Trials: a program's word, and what it may not do.

use super::*;
use crate::stub::supervisor;

fn tried(script: &str, timeout: Duration) -> (Ended, String) {
    let argv = ["sh", "-c", script].map(str::to_owned);
    let dir = tempfile::tempdir().unwrap();
    let trial = Trial {
        esker: &supervisor(),
        dir: dir.path(),
        argv: &argv,
        env: vec![("ESKER_REVISION".into(), "abc".into())],
        stdin: Bytes::from_static(b"content"),
        timeout,
    };
    run(trial).unwrap()
}

#[test]
fn how_it_ends_is_told() {
    let long = Duration::from_secs(60);
    assert_eq!(tried("grep -q content", long).0, Ended::Exited(0));
    assert_eq!(tried("grep -q other", long).0, Ended::Exited(1));
    let (ended, words) = tried("echo $ESKER_REVISION >&2; exit 125", long);
    assert_eq!((ended, words.as_str()), (Ended::Exited(125), "abc\n"));
    assert_eq!(tried("exec no-such-program", long).0, Ended::Exited(127));
    let (ended, _) = tried("sleep 100", Duration::from_millis(50));
    assert!(matches!(ended, Ended::Stopped(why) if why.contains("did not end within 50ms")));
}
