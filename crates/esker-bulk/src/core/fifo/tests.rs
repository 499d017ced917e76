//! What is asked for stays, whatever passes through.

use std::collections::HashMap;

use super::*;

/// A cache of so many equal entries.
struct Cache {
    fifo: Fifo,
    entries: HashMap<u32, u8>,
    room: usize,
    hits: u32,
}

impl Cache {
    fn new(room: usize) -> Self {
        Self { fifo: Fifo::default(), entries: HashMap::new(), room, hits: 0 }
    }

    fn ask(&mut self, entry: u32) {
        if let Some(asked) = self.entries.get_mut(&entry) {
            *asked = (*asked + 1).min(ASKED_MAX);
            self.hits += 1;
            return;
        }
        while self.entries.len() >= self.room {
            let entries = &mut self.entries;
            let gone = self.fifo.next(|entry, _, set| {
                let asked = entries.get_mut(&entry)?;
                let seen = Seen { hash: u64::from(entry), asked: *asked };
                if let Some(set) = set {
                    *asked = set;
                }
                Some(seen)
            });
            self.entries.remove(&gone.expect("somebody has to go"));
        }
        self.entries.insert(entry, 0);
        self.fifo.push((entry, 0), u64::from(entry), 1);
    }
}

#[test]
fn what_is_asked_for_again_and_again_survives_a_scan() {
    let mut cache = Cache::new(100);
    for _ in 0..5 {
        (0..50).for_each(|entry| cache.ask(entry));
    }
    (1000..100_000).for_each(|entry| cache.ask(entry));
    let before = cache.hits;
    (0..50).for_each(|entry| cache.ask(entry));
    assert!(cache.hits - before >= 45, "{} of 50 are there", cache.hits - before);
}

#[test]
fn what_comes_back_soon_is_kept_longer() {
    let mut cache = Cache::new(20);
    (0..30).for_each(|entry| cache.ask(entry));
    // The first were forgotten, and are remembered to have been there.
    (0..5).for_each(|entry| cache.ask(entry));
    (100..118).for_each(|entry| cache.ask(entry));
    let kept = (0..5).filter(|entry| cache.entries.contains_key(entry)).count();
    assert!(kept >= 4, "{kept} of 5");
}

#[test]
fn turns_of_what_is_gone_are_let_go() {
    let mut fifo = Fifo::default();
    for entry in 0..100 {
        fifo.push((entry, entry), u64::from(entry), 10);
    }
    fifo.sweep(|entry, ticket| entry == ticket && entry % 2 == 0);
    assert_eq!(fifo.turns(), 50);
    let mut left = Vec::new();
    while let Some(entry) = fifo.next(|entry, _, _| Some(Seen { hash: u64::from(entry), asked: 0 }))
    {
        left.push(entry);
    }
    assert_eq!(left.len(), 50);
    assert_eq!((fifo.small_bytes, fifo.main_bytes), (0, 0));
}
