//! Sessions: what they hold nobody else does, and they know when they may not hold it any more.

use std::time::{Duration, Instant};

use esker_cluster::cluster::Cluster;
use esker_cluster::join::{Join, Roster};
use esker_cluster::session::Terms;
use esker_wire::fault::Code;
use serde_json::Value;

use crate::consul::Running;
use crate::world::{join, member, options, until};

fn held_by_one(a: &Cluster, b: &Cluster) {
    let (first, second) =
        (a.session(&Terms::named("a")).unwrap(), b.session(&Terms::named("b")).unwrap());
    assert!(first.acquire("lease/x", b"first").unwrap());
    assert!(first.acquire("lease/x", b"again").unwrap(), "who holds it may say so again");
    assert!(!second.acquire("lease/x", b"second").unwrap());
    let pair = b.kv().get("lease/x").unwrap().unwrap();
    assert_eq!((pair.session.as_deref(), &pair.value[..]), (Some(first.id()), &b"again"[..]));
    assert!(!second.release("lease/x", b"").unwrap());
    assert!(first.release("lease/x", b"free").unwrap());
    until("a lock that was let go", || second.acquire("lease/x", b"second").unwrap());
    drop(second);
    until("a lock whose session ended", || first.acquire("lease/x", b"first").unwrap());
    assert_eq!(first.lost_since(), None);
}

#[test]
fn one_session_holds_a_key() {
    let consul = Running::start(1, 1);
    held_by_one(&join(&consul.agent(0).join()), &join(&consul.agent(1).join()));
    let given = Roster::Given(vec![member(1, "127.0.0.1:5060")]);
    let alone = Cluster::join(&Join::Static(given), options()).unwrap();
    held_by_one(&alone, &alone.clone());
}

#[test]
fn a_session_that_was_ended_knows_it() {
    let consul = Running::start(1, 0);
    let cluster = join(&consul.agent(0).join());
    let session = cluster.session(&Terms::named("a")).unwrap();
    assert!(session.acquire("lease/x", b"1").unwrap());
    let path = format!("/v1/session/destroy/{}", session.id());
    assert_eq!(consul.http(0, "PUT", &path, &Value::Null).0, 200);
    let fault = session.acquire("lease/y", b"1").unwrap_err();
    assert!(fault.code == Code::Gone && fault.message.contains("lease/y"), "{fault}");
    until("the session to know", || session.lost_since().is_some());
    assert_eq!(session.acquire("lease/x", b"1").unwrap_err().code, Code::Gone);
}

#[test]
fn a_session_counts_on_no_more_than_its_time() {
    let consul = Running::start(1, 0);
    let cluster = join(&consul.agent(0).join());
    let begun = std::time::SystemTime::now();
    let session = cluster.session(&Terms::named("a")).unwrap();
    consul.signal(0, "STOP");
    let stopped = Instant::now();
    until("the session to be given up", || session.lost_since().is_some());
    let lasted = stopped.elapsed();
    assert!(lasted < Duration::from_secs(15), "{lasted:?}");
    assert!(session.lost_since().unwrap() >= begun + Duration::from_secs(10));
    consul.signal(0, "CONT");
    let mut short = Terms::named("b");
    short.ttl = Duration::from_secs(1);
    assert_eq!(cluster.session(&short).err().unwrap().code, Code::BadRequest);
}
