//! Lines in pieces, and lines that say nothing.

use super::*;

fn heard(pieces: &[&str]) -> Vec<Said> {
    let (mut hearing, mut all) = (Hearing::default(), Vec::new());
    for piece in pieces {
        hearing.hear(piece.as_bytes(), |said| all.push(said));
    }
    all
}

#[test]
fn lines_are_heard_whole() {
    let pieces = ["note\nesker: prog", "ress 40/100 reading\r\nesker: warning ", "old data\nend"];
    let expected =
        [Said::Progress("40/100 reading".to_owned()), Said::Warning("old data".to_owned())];
    assert_eq!(heard(&pieces), expected);
    assert_eq!(heard(&["esker: progress 12.5%\n"]), [Said::Progress("12.5%".to_owned())]);
}

#[test]
fn what_says_nothing_is_not_heard() {
    for line in [
        "esker: progress\n",
        "esker: progress soon\n",
        "esker: progress 1/x\n",
        "esker: warning \n",
        " esker: warning x\n",
        "esker: other x\n",
        "esker: warning unfinished",
    ] {
        assert_eq!(heard(&[line]), [], "{line:?}");
    }
    assert_eq!(heard(&["esker: warning a\u{1b}[31mb\n"]), [Said::Warning("a[31mb".to_owned())]);
}

#[test]
fn much_is_heard_in_part() {
    let long = format!("esker: warning {}\n", "x".repeat(5000));
    assert!(matches!(&heard(&[&long])[..], [Said::Warning(text)] if text.len() < LINE_MAX));
    let many = "esker: warning again\nesker: progress 1/2\n".repeat(1000);
    let all = heard(&[&many]);
    let warnings = all.iter().filter(|said| matches!(said, Said::Warning(_))).count();
    assert_eq!(warnings, WARNINGS_MAX);
    assert!(all.len() < 100, "progress is thinned out");
}
