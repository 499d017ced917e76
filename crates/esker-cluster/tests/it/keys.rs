//! Keys and values: the same in Consul and in one process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use esker_cluster::cluster::Cluster;
use esker_cluster::join::{Join, Roster};
use esker_cluster::kv::{KEY_MAX, Kv, OPS_MAX, Op, Target, VALUE_MAX};
use esker_wire::fault::Code;

use crate::consul::Running;
use crate::world::{PATIENCE, join, member, options};

fn alone() -> Cluster {
    let given = Roster::Given(vec![member(1, "127.0.0.1:5060")]);
    Cluster::join(&Join::Static(given), options()).unwrap()
}

/// Has the same done by both.
fn by_both(check: impl Fn(&Kv)) {
    let consul = Running::start(1, 1);
    check(&join(&consul.agent(1).join()).kv());
    check(&alone().kv());
}

fn put(key: &str, value: &[u8]) -> Op {
    Op::Put { key: key.to_owned(), value: value.to_vec() }
}

#[test]
fn keys_hold_values_until_their_bounds() {
    by_both(|kv| {
        assert_eq!(kv.get("a").unwrap(), None);
        kv.put("a", b"").unwrap();
        assert_eq!(kv.get("a").unwrap().unwrap().value, b"");
        let odd = "ns/ä b?c&d=#%2e/+;";
        kv.put(odd, &[0, 255, 10]).unwrap();
        assert_eq!(kv.get(odd).unwrap().unwrap().value, [0, 255, 10]);
        kv.put("ns/1", b"one").unwrap();
        let keys = |prefix: &str| -> Vec<String> {
            kv.list(prefix).unwrap().into_iter().map(|pair| pair.key).collect()
        };
        assert_eq!(keys("ns/"), ["ns/1", odd]);
        assert_eq!(keys("nothing"), [""; 0]);
        assert_eq!(keys("").len(), 3);
        kv.delete("ns/1").unwrap();
        kv.delete("ns/1").unwrap();
        assert_eq!(keys("ns/"), [odd]);

        let largest = vec![7; VALUE_MAX];
        kv.put("large", &largest).unwrap();
        assert_eq!(kv.get("large").unwrap().unwrap().value, largest);
        let fault = kv.put("large", &vec![7; VALUE_MAX + 1]).unwrap_err();
        assert!(fault.code == Code::TooLarge && fault.message.contains("\"large\""), "{fault}");
        for bad in ["", "/a", "a\nb", &"a".repeat(KEY_MAX + 1)] {
            assert_eq!(kv.get(bad).unwrap_err().code, Code::BadRequest, "{bad:?}");
        }
        kv.put(&"a".repeat(KEY_MAX), b"1").unwrap();
    });
}

#[test]
fn several_keys_change_together_or_not_at_all() {
    by_both(|kv| {
        let all: Vec<Op> = (0..OPS_MAX).map(|n| put(&format!("t/{n}"), b"1")).collect();
        assert_eq!(kv.txn(&all).unwrap(), Ok(()));
        assert_eq!(kv.list("t/").unwrap().len(), OPS_MAX);
        let more: Vec<Op> = (0..=OPS_MAX).map(|n| put(&format!("u/{n}"), b"1")).collect();
        assert_eq!(kv.txn(&more).unwrap_err().code, Code::TooLarge);
        let index = kv.get("t/1").unwrap().unwrap().index;
        let key = || "t/1".to_owned();
        let fresh = Op::Expect { key: "v".to_owned(), index: 0 };
        let same = Op::Cas { key: key(), value: b"2".to_vec(), index };
        let ops = [fresh, put("v", b"1"), same, Op::Delete { key: "t/2".to_owned() }];
        assert_eq!(kv.txn(&ops).unwrap(), Ok(()));
        assert_eq!(kv.get("t/1").unwrap().unwrap().value, b"2");
        assert_eq!(kv.get("t/2").unwrap(), None);
        // Again: now there is `v`, and nothing of it is done.
        assert_eq!(kv.txn(&ops).unwrap(), Err(0));
        let late = [put("w", b"1"), Op::Expect { key: key(), index }];
        assert_eq!(kv.txn(&late).unwrap(), Err(1));
        assert_eq!(kv.get("w").unwrap(), None);
        assert_eq!(kv.txn(&[]).unwrap(), Ok(()));
    });
}

#[test]
fn what_consul_would_not_take_at_once_is_not_sent() {
    let consul = Running::start(1, 0);
    let kv = join(&consul.agent(0).join()).kv();
    let large = vec![b'x'; VALUE_MAX / 2];
    let fault = kv.txn(&[put("a", &large), put("b", &large)]).unwrap_err();
    assert!(fault.code == Code::TooLarge && fault.hint.contains("in parts"), "{fault}");
    let fits = vec![b'x'; VALUE_MAX * 3 / 8 - 200];
    assert_eq!(kv.txn(&[put("a", &fits), put("b", &fits)]).unwrap(), Ok(()));
}

#[test]
fn of_those_who_change_a_key_at_once_one_wins() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 25;
    by_both(|kv| {
        kv.put("counter", b"0").unwrap();
        let (wins, barrier) = (AtomicUsize::new(0), Barrier::new(THREADS));
        for round in 0..ROUNDS {
            let before = kv.get("counter").unwrap().unwrap();
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (before, wins, barrier) = (&before, &wins, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        let value = format!("{round} by {thread}");
                        let won = kv.cas("counter", value.as_bytes(), before.index).unwrap();
                        wins.fetch_add(usize::from(won), Ordering::SeqCst);
                    });
                }
            });
            assert_eq!(wins.load(Ordering::SeqCst), round + 1);
        }
        assert!(kv.cas("fresh", b"1", 0).unwrap());
        assert!(!kv.cas("fresh", b"2", 0).unwrap());
    });
}

#[test]
fn a_watch_tells_what_is_there_and_each_change() {
    by_both(|kv| {
        let (send, told) = mpsc::channel();
        let target = Target::Prefix("config/".to_owned());
        let tell = move |pairs: &[esker_cluster::kv::Pair]| {
            let pairs = pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone()));
            drop(send.send(pairs.collect::<Vec<_>>()));
        };
        let watch = kv.watch(target, tell).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), []);
        for value in [b"1", b"2", b"3"] {
            kv.put("config/max-memory", value).unwrap();
            let put = Instant::now();
            let heard = told.recv_timeout(PATIENCE).unwrap();
            assert_eq!(heard, [("config/max-memory".to_owned(), value.to_vec())]);
            assert!(put.elapsed() < Duration::from_secs(1), "{:?}", put.elapsed());
        }
        // What is not watched is not told, and what is the same neither.
        kv.put("other", b"1").unwrap();
        kv.delete("config/max-memory").unwrap();
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), []);
        drop(watch);
        kv.put("config/b", b"1").unwrap();
        assert!(told.recv_timeout(Duration::from_secs(30)).is_err(), "nothing after its end");
    });
}

#[test]
fn a_watch_goes_on_when_consul_is_back() {
    let mut consul = Running::start(1, 0);
    let cluster = join(&consul.agent(0).join());
    let kv = cluster.kv();
    kv.put("a", b"1").unwrap();
    let (send, told) = mpsc::channel();
    let tell = move |pairs: &[esker_cluster::kv::Pair]| drop(send.send(pairs.to_vec()));
    let _watch = kv.watch(Target::Key("a".to_owned()), tell).unwrap();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap()[0].value, b"1");
    consul.kill(0);
    let fault = kv.get("a").unwrap_err();
    assert!(fault.code == Code::Unavailable && fault.message.contains("\"esker/a\""), "{fault}");
    consul.revive(0);
    let kv = Arc::new(kv);
    crate::world::until("a write", || kv.put("a", b"2").is_ok());
    let mut heard = told.recv_timeout(PATIENCE).unwrap();
    while heard.first().is_none_or(|pair| pair.value != b"2") {
        heard = told.recv_timeout(PATIENCE).unwrap();
    }
}
