//! More than fits: what is kept goes to disk and comes back, what may be forgotten is, and nothing is beyond its limit.

use bytes::Bytes;
use esker_bulk::client::Init;
use tokio::task::JoinSet;

use crate::cluster::{MIB, World};

/// Noise that only one number makes.
fn bytes(number: usize, size: usize) -> Bytes {
    let mut state = number as u64 + 1;
    let mut noise = Vec::with_capacity(size + 8);
    while noise.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    noise.truncate(size);
    noise.into()
}

fn memory(world: &World) -> u64 {
    let ledger = &world.standing(0)["ledger"];
    let count = |class: &str| ledger[class].as_u64().expect("a number");
    count("cached") + count("pinned") + count("staged") + count("notes")
}

#[test]
fn ten_times_the_memory_is_kept_and_read_again() {
    let world = World::here(16 * MIB);
    let client = world.client();
    client.block_on(async {
        client.init_numbered("s/{}", 100, &Init::default()).await.expect("begun");
        for number in 0..1600 {
            let id = format!("s/{}", number % 100);
            client.append(id, bytes(number, 100_000)).await.expect("kept");
            assert!(memory(&world) <= 16 * MIB);
        }
        for id in 0..100 {
            let read = client.get(format!("s/{id}")).await.expect("read").expect("there");
            let all: Vec<u8> = (0..16).flat_map(|turn| bytes(turn * 100 + id, 100_000)).collect();
            assert!(read == all, "s/{id}");
        }
        client.drop_space("s").await.expect("dropped");
    });
    assert_eq!(world.standing(0)["ledger"]["disk"], 0);
    // The file that is written to now is held by the worker; those that nobody needs are gone.
    let files = std::fs::read_dir(world.folder.path().join("spill")).expect("the folder").count();
    assert!(files <= 1, "{files} files");
}

#[test]
fn a_cache_stays_within_its_memory_and_says_nothing_wrong() {
    let world = World::here(8 * MIB);
    let client = world.client();
    client.block_on(async {
        for number in 0..4000 {
            client.set(format!("k{number}"), bytes(number, 10_000)).await.expect("set");
            assert!(memory(&world) <= 8 * MIB);
        }
        let mut there = 0;
        for number in 0..4000 {
            if let Some(read) = client.get(format!("k{number}")).await.expect("read") {
                assert!(read == bytes(number, 10_000));
                there += 1;
            }
        }
        assert!(there > 600, "{there} are there");
    });
}

#[test]
fn less_memory_is_taken_to_heart_at_once() {
    let world = World::here(64 * MIB);
    let client = world.client();
    client.block_on(async {
        for number in 0..400 {
            client.set(format!("k{number}"), bytes(number, 100_000)).await.expect("set");
        }
    });
    assert!(memory(&world) > 40_000_000);
    world.workers[0].budget().set(MIB).expect("taken");
    assert!(memory(&world) <= MIB);
    let fault = world.workers[0].budget().set(17).unwrap_err();
    assert!(fault.to_string().contains("17 bytes"), "{fault}");
}

#[test]
fn thousands_at_once_wait_for_each_other_and_none_is_refused() {
    let world = World::listed(1, 64 * MIB);
    let client = world.client();
    client.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..5000 {
            let client = client.clone();
            drop(tasks.spawn(async move { client.append("many", "x").await }));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("no panic").expect("appended");
        }
        assert_eq!(client.stat("many").await, Ok(Some(5000)));
    });
}
