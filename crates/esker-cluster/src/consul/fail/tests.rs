//! What people are told, and what is tried again.

use super::*;

const ASKED: Asked<'_> = Asked {
    what: "write key \"esker/a\"",
    place: "h:8500",
    rule: "key_prefix \"esker/\" { policy = \"write\" }",
};

fn failure(status: u16, said: &str) -> (Kind, Code, String) {
    let Failure { kind, fault } = of_status(&ASKED, status, said.as_bytes());
    assert!(fault.message.starts_with("cannot write key \"esker/a\": Consul at h:8500"), "{fault}");
    (kind, fault.code, fault.to_string())
}

#[test]
fn answers_mean_what_can_be_done() {
    for (status, said, kind, code, hint) in [
        (403, "Permission denied", Kind::Refused, Code::NotWritable, "key_prefix \"esker/\""),
        (403, "ACL not found", Kind::Refused, Code::NotWritable, "does not know the token"),
        (404, "", Kind::Missing, Code::NotFound, "nothing more"),
        (413, "Value too large", Kind::Other, Code::TooLarge, "smaller"),
        (429, "Too many", Kind::Other, Code::Busy, "less often"),
        (500, "No cluster leader", Kind::Leaderless, Code::Unavailable, "more than half"),
        (500, "rpc error: No known Consul servers", Kind::Leaderless, Code::Unavailable, "servers"),
        (
            500,
            "The ACL system is currently in legacy mode.",
            Kind::Starting,
            Code::Busy,
            "starting",
        ),
        (500, "boom\n\u{7}", Kind::Other, Code::Unavailable, "answers 500: boom"),
        (400, "Bad", Kind::Other, Code::BadRequest, "answers 400"),
    ] {
        let found = failure(status, said);
        assert_eq!((found.0, found.1), (kind, code), "{status} {said}");
        assert!(found.2.contains(hint), "{}", found.2);
    }
}

#[test]
fn only_what_was_surely_not_done_is_tried_again() {
    let passes = |status, said: &str| of_status(&ASKED, status, said.as_bytes()).passes();
    assert!(passes(500, "No cluster leader") && passes(500, "in legacy mode"));
    for said in ["rpc error making call: EOF", "leadership lost while committing log", ""] {
        assert!(!passes(500, said), "{said}");
    }
    assert!(!passes(403, "legacy mode") && !of_silence(&ASKED, "", true).passes());
}

#[test]
fn what_is_said_is_bounded() {
    let told = failure(500, &"x\u{1b}".repeat(1 << 20)).2;
    assert!(told.len() < 400 && !told.contains('\u{1b}'), "{told}");
}
