//! What is written is read, whatever its length and wherever it is.

use bytes::Bytes;
use esker_bulk::client::Init;

use crate::cluster::{MIB, World};

fn noise(count: usize, seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(2) + 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect::<Vec<u8>>().into()
}

fn id(number: usize) -> Bytes {
    format!("k{number}").into()
}

fn worlds() -> [World; 2] {
    [World::here(256 * MIB), World::listed(3, 256 * MIB)]
}

#[test]
fn whatever_its_length_it_is_read_as_it_was_written() {
    for world in worlds() {
        let client = world.client();
        client.block_on(async {
            for (number, size) in [0, 1, 100, 5_000, 1_000_000, 4_194_304, 4_194_305, 21_000_000]
                .into_iter()
                .enumerate()
            {
                for bytes in [noise(size, 1), Bytes::from(vec![b'x'; size])] {
                    client.set(id(number), bytes.clone()).await.expect("set");
                    let read = client.get(id(number)).await.expect("read").expect("there");
                    assert!(read == bytes, "{size} bytes");
                    assert_eq!(client.stat(id(number)).await, Ok(Some(size as u64)));
                    if size > 10 {
                        let range = client.get_range(id(number), size as u64 - 7, 99).await;
                        assert_eq!(
                            range,
                            Ok(Some(bytes.slice(size - 7..))),
                            "the end of {size} bytes"
                        );
                        let range = client.get_range(id(number), size as u64 / 2, 5).await;
                        assert_eq!(range, Ok(Some(bytes.slice(size / 2..size / 2 + 5))));
                    }
                }
            }
            assert_eq!(client.get("absent").await, Ok(None));
            assert_eq!(client.get_range("absent", 0, 1).await, Ok(None));
            assert_eq!(client.remove_all(vec![id(0), id(7), "absent".into()]).await, Ok(2));
            assert_eq!(client.get(id(7)).await, Ok(None));
        });
    }
}

#[test]
fn many_at_once_are_spread_and_found() {
    let world = World::listed(3, 256 * MIB);
    let client = world.client();
    let items =
        |from: usize| (from..from + 20_000).map(|number| (id(number), noise(100, number as u64)));
    client.block_on(async {
        client.set_all(items(0).collect()).await.expect("set");
        let ids: Vec<Bytes> = items(0).map(|(id, _)| id).collect();
        let found = client.get_all(ids).await.expect("read");
        for ((id, bytes), found) in items(0).zip(found) {
            assert_eq!(found, Some(bytes), "{id:?}");
        }
        let first = client.list("k1", "", 3).await.expect("ids");
        let first: Vec<&[u8]> = first.iter().map(|(id, _)| id.as_ref()).collect();
        assert_eq!(first, [&b"k1"[..], b"k10", b"k100"]);
    });
    let counts: Vec<u64> =
        (0..3).map(|at| world.standing(at)["entries"].as_u64().expect("a number")).collect();
    assert!(counts.iter().all(|count| (6_000..7_400).contains(count)), "{counts:?}");
}

#[test]
fn what_is_added_by_many_is_there_once_and_in_each_ones_order() {
    for world in worlds() {
        let clients: Vec<_> = (0..4).map(|_| world.client()).collect();
        std::thread::scope(|scope| {
            for (who, client) in clients.iter().enumerate() {
                scope.spawn(move || {
                    client.block_on(async {
                        for number in 0..200 {
                            let line = format!("{who} {number}\n");
                            client.append(format!("log{}", number % 3), line).await.expect("added");
                        }
                    });
                });
            }
        });
        let mut all = 0;
        for log in 0..3 {
            let text = clients[0]
                .block_on(clients[0].get(format!("log{log}")))
                .expect("read")
                .expect("there");
            let text = String::from_utf8(text.to_vec()).expect("UTF-8");
            for who in 0..4 {
                let theirs = text.lines().filter_map(|line| line.strip_prefix(&format!("{who} ")));
                let numbers: Vec<u32> =
                    theirs.map(|number| number.parse().expect("a number")).collect();
                assert!(numbers.is_sorted(), "{numbers:?}");
                all += numbers.len();
            }
        }
        assert_eq!(all, 800);
    }
}

#[test]
fn long_additions_are_told_their_length() {
    for world in worlds() {
        let client = world.client();
        client.block_on(async {
            let long = noise(9_000_000, 3);
            let items = vec![
                ("a".into(), "12".into()),
                ("b".into(), long.clone()),
                ("a".into(), "345".into()),
            ];
            assert_eq!(client.append_all(items).await, Ok(vec![2, 9_000_000, 5]));
            assert_eq!(client.get("a").await, Ok(Some("12345".into())));
            assert!(client.get("b").await.expect("read") == Some(long));
        });
    }
}

#[test]
fn a_space_begins_with_its_ids() {
    let world = World::here(64 * MIB);
    let client = world.client();
    client.block_on(async {
        let init = Init::default();
        client.init_numbered("s/p-{}", 1_000_000, &init).await.expect("begun");
        client.init_numbered("s/p-{}", 1_000_000, &init).await.expect("begun already");
        assert_eq!(client.get("s/p-5").await, Ok(Some(Bytes::new())));
        assert_eq!(client.get("s/p-1000000").await, Ok(None));
        let other = client.init_numbered("s/p-{}", 7, &init).await.unwrap_err();
        assert!(other.to_string().contains("another one"), "{other}");
        client.append("s/p-5", "x").await.expect("added");
        assert_eq!(client.get("s/p-5").await, Ok(Some("x".into())));
        client.seal("s", &[]).await.expect("sealed");
        let late = client.append("s/p-5", "y").await.unwrap_err();
        assert!(late.to_string().contains("sealed"), "{late}");
        client.drop_space("s").await.expect("dropped");
        assert_eq!(client.get("s/p-5").await, Ok(None));

        let list: Vec<Bytes> = (0..1000).map(|number| format!("l/{number}").into()).collect();
        client.init(&list, &init).await.expect("begun");
        assert_eq!(client.get("l/999").await, Ok(Some(Bytes::new())));
        assert_eq!(client.get("l/1000").await, Ok(None));
        let mixed = client.init(&["a/1".into(), "b/1".into()], &init).await.unwrap_err();
        assert!(mixed.to_string().contains("same space"), "{mixed}");
        let twice = client.init(&["c/1".into(), "c/1".into()], &init).await.unwrap_err();
        assert!(twice.to_string().contains("twice"), "{twice}");
        client.drop_space("l").await.expect("dropped");
    });
    let ledger = &world.standing(0)["ledger"];
    for class in ["cached", "pinned", "staged", "notes", "flight", "disk"] {
        assert_eq!(ledger[class], 0, "{class}: {ledger}");
    }
}

#[test]
fn what_is_no_id_is_refused_before_it_is_sent() {
    let world = World::here(64 * MIB);
    let client = world.client();
    client.block_on(async {
        for id in ["", "a\nb", "a\0b", &"x".repeat(1025)] {
            let fault = client.set(id.to_owned(), "x").await.unwrap_err();
            assert!(fault.to_string().contains("is no id"), "{fault}");
            assert!(client.get(id.to_owned()).await.is_err());
        }
        assert!(client.get(Bytes::from_static(b"\xff")).await.is_err());
    });
}
