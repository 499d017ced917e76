//! Keys kept elsewhere mean the same as those kept here.

use std::sync::Mutex;
use std::sync::mpsc;

use super::*;
use crate::kv::Store;
use crate::local::Local;

fn here() -> Kv {
    Kv { store: Store::Local(Arc::default()) }
}

fn asked(kept: &Kv) -> Kv {
    let kept = kept.clone();
    let carry: Carry = Arc::new(move |_, question| answer(&kept, question));
    let member = Member {
        node: "000102030405060708090a0b0c0d0e0f".parse().unwrap(),
        name: "n".to_owned(),
        control: "tcp://127.0.0.1:1".to_owned(),
        bulk: "tcp://127.0.0.1:1".to_owned(),
        cpus: 1,
        memory: 1 << 20,
        free: 64,
    };
    Kv { store: Store::Asked(Arc::new(Asked { member, carry })) }
}

#[test]
fn keys_elsewhere_mean_what_keys_here_mean() {
    let kept = here();
    let kv = asked(&kept);
    assert!(kv.cas("a/1", b"one", 0).unwrap());
    assert!(!kv.cas("a/1", b"two", 0).unwrap(), "it is there");
    let first = kv.get("a/1").unwrap().unwrap();
    assert_eq!(
        (first.value.as_slice(), Some(&first)),
        (&b"one"[..], kept.get("a/1").unwrap().as_ref())
    );
    kv.put("a/2", b"two").unwrap();
    assert_eq!(kv.list("a/").unwrap(), kept.list("a/").unwrap());
    let ops = [
        Op::Put { key: "b".to_owned(), value: b"b".to_vec() },
        Op::Expect { key: "a/1".to_owned(), index: 0 },
    ];
    assert_eq!(kv.txn(&ops).unwrap(), Err(1));
    assert_eq!(kv.get("b").unwrap(), None, "nothing of it was done");
    kv.delete("a/1").unwrap();
    assert_eq!(kept.list("a/").unwrap().len(), 1);
    assert_eq!(kv.put("b", &[0xff]).unwrap_err().code, Code::BadRequest);
}

#[test]
fn a_watch_tells_what_is_there_and_each_change() {
    let kept = here();
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let watch = asked(&kept).watch(Target::Prefix("s/".to_owned()), move |pairs| {
        let _ = tell.lock().unwrap().send(pairs.len());
    });
    let watch = watch.unwrap();
    let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(next(), 0);
    kept.put("s/1", b"x").unwrap();
    assert_eq!(next(), 1);
    kept.delete("s/1").unwrap();
    assert_eq!(next(), 0);
    drop(watch);
}

#[test]
fn what_asks_nothing_is_refused() {
    let kept = here();
    for bad in [&b""[..], b"{}", b"[]", b"{\"get\":1}", b"{\"eat\":\"a\"}", b"\xff\xff"] {
        assert_eq!(answer(&kept, bad).unwrap_err().code, Code::BadRequest);
    }
    let long = format!("{{\"get\":{:?}}}", "k".repeat(10_000));
    assert_eq!(answer(&kept, long.as_bytes()).unwrap_err().code, Code::BadRequest);
    let local = Local::default();
    let much = "x".repeat(500_000);
    for number in 0..10 {
        local.txn(&[Op::Put { key: format!("k/{number}"), value: much.clone().into_bytes() }]);
    }
    let kept = Kv { store: Store::Local(Arc::new(local)) };
    assert_eq!(answer(&kept, b"{\"list\":\"k/\"}").unwrap_err().code, Code::TooLarge);
}
