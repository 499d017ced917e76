//! What waits, and what is let go.

use super::*;

async fn place() -> OwnedSemaphorePermit {
    Arc::new(tokio::sync::Semaphore::new(1)).acquire_owned().await.expect("never closed")
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
}

fn event(section: &str, size: usize) -> [Bytes; 3] {
    let topic = Bytes::from(format!("esker-sync/1 m\0{section}\0"));
    [topic, Bytes::from_static(b"header"), vec![7; size].into()]
}

fn all() -> Filter {
    Filter::read(&vec![Bytes::from_static(b"=====esker/1 FOLLOW m\n")]).unwrap()
}

fn drained(outbox: &Outbox) -> usize {
    std::iter::from_fn(|| outbox.try_next()).count()
}

#[test]
fn nothing_is_told_before_it_was_asked_for() {
    run(async {
        let (listeners, outbox) = (Listeners::default(), Arc::new(Outbox::default()));
        let listening = listeners.join(&outbox);
        listeners.tell(&event("a", 1));
        assert_eq!(drained(&outbox), 0);
        outbox.follow(all(), &vec![Bytes::from_static(b"ok")], place().await);
        listeners.tell(&event("a", 1));
        assert_eq!(&outbox.next().await.0[..], b"\x02\0\0\0ok", "the reply comes first");
        assert_eq!(drained(&outbox), 1);
        drop(listening);
        listeners.tell(&event("a", 1));
        assert_eq!(drained(&outbox), 0, "it has gone");
    });
}

#[test]
fn a_slow_one_loses_events_but_no_replies_until_it_has_room() {
    run(async {
        let outbox = Outbox::default();
        outbox.follow(all(), &Frames::new(), place().await);
        let mut joined = None;
        let large = event("a", WAITING_MAX / 4);
        for _ in 0..10 {
            outbox.tell(&large, &mut joined);
        }
        outbox.reply(&vec![Bytes::from_static(b"reply")], place().await);
        let kept: Vec<_> = std::iter::from_fn(|| outbox.try_next()).collect();
        assert_eq!(
            kept.len(),
            1 + 4 + 1,
            "the reply to FOLLOW, what there was room for, the reply"
        );
        outbox.tell(&large, &mut joined);
        assert_eq!(drained(&outbox), 1, "there is room again");
    });
}

#[test]
fn all_share_the_bytes_of_an_event() {
    run(async {
        let listeners = Listeners::default();
        let two = [Arc::new(Outbox::default()), Arc::new(Outbox::default())];
        let listening = two.each_ref().map(|outbox| listeners.join(outbox));
        for outbox in &two {
            outbox.follow(all(), &Frames::new(), place().await);
            drop(outbox.try_next());
        }
        listeners.tell(&event("a", 100));
        let told = two.each_ref().map(|outbox| outbox.try_next().expect("told").0);
        assert_eq!(told[0].as_ptr(), told[1].as_ptr());
        drop(listening);
    });
}
