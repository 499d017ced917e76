//! Clients of a worker that mean harm: each is refused with a reason, the worker takes no memory for what is only
//! claimed, and whoever is honest is served meanwhile.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_wire::bulk::{Ask, Codec, HEAD_SIZE, Head, Part, Reply, Request, Status, Store, hash};
use serde_json::Value;

use crate::listed::Listed;
use crate::model_hostile::most_memory_kb;
use crate::model_network::noise;

/// How long a hostile client waits for an answer.
const DEADLINE: Duration = Duration::from_secs(20);
/// What ten times as much of it may take of the worker's memory beyond the first, in kilobytes.
const MEMORY_MAX: u64 = 8 * 1024;

/// A message made of its parts, with a sum that is right: an operation, how many items it says it has, its table and
/// what follows.
fn message(op: u8, count: u16, table: &[u8], rest: &[u8]) -> Bytes {
    let mut frame = vec![0; HEAD_SIZE];
    frame[..4].copy_from_slice(b"EBK\x01");
    frame[4] = op;
    frame[30..32].copy_from_slice(&count.to_le_bytes());
    frame[48..52].copy_from_slice(&(table.len() as u32).to_le_bytes());
    frame.extend_from_slice(table);
    summed(frame, rest)
}

/// Puts in the sum of what is there so far, and adds what follows.
fn summed(mut frame: Vec<u8>, rest: &[u8]) -> Bytes {
    let sum = crc32c::crc32c_append(crc32c::crc32c(&frame[..52]), &frame[HEAD_SIZE..]);
    frame[52..56].copy_from_slice(&sum.to_le_bytes());
    frame.extend_from_slice(rest);
    frame.into()
}

fn get(id: &[u8]) -> Bytes {
    message(2, 1, &[&(id.len() as u16).to_le_bytes()[..], id].concat(), b"")
}

/// A SET of an id whose part says this of itself.
fn set(codec: u8, (raw, stored): (u32, u32), crc: u32, bytes: &[u8]) -> Bytes {
    let id = b"k";
    let numbers = [raw, stored, crc].map(u32::to_le_bytes).concat();
    message(3, 1, &[&[1, 0, codec, 0][..], &numbers, id].concat(), bytes)
}

fn hashes(all: &[u64]) -> Request {
    Request::Share(all.iter().flat_map(|one| one.to_le_bytes()).collect())
}

/// Messages that are nonsense, each with why it is.
fn nonsense() -> Vec<(&'static str, Vec<Bytes>)> {
    let whole = get(b"k");
    let changed = |at: usize, to: u8| {
        let mut frame = whole.to_vec();
        frame[at] = to;
        frame
    };
    let text = noise(7, 5_000);
    let sum = crc32c::crc32c(b"abc");
    let one = |why, frame: Bytes| (why, vec![frame]);
    vec![
        one("noise", text.into()),
        one("HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        one("nothing", Bytes::new()),
        one("half a head", whole.slice(..40)),
        one("another version", changed(3, 2).into()),
        one("a wrong sum", changed(HEAD_SIZE, 9).into()),
        one("no such operation", summed(changed(4, 200), b"")),
        one("no such status", summed(changed(7, 77), b"")),
        one("items that are not there", message(2, u16::MAX, b"\x01\0k", b"")),
        one("a table of 4 GB", summed(changed(51, 0xff), b"")),
        one("an id without a character", get(b"")),
        one("an id with a NUL", get(b"a\0b")),
        one("an id that is no UTF-8", get(b"\xff\xfe")),
        one("an id of 1,025 bytes", get(&[b'x'; 1_025])),
        one("an id longer than the table", message(2, 1, b"\xff\xffk", b"")),
        one("a content that is not there", set(0, (3, 3), sum, b"")),
        one("a content that is cut", set(0, (3, 3), sum, b"ab")),
        one("more than is said", set(0, (3, 3), sum, b"abcd")),
        one("another content than is said", set(0, (3, 3), sum, b"abd")),
        one("a content of 4 GB", set(0, (u32::MAX, u32::MAX), sum, b"abc")),
        one("3 bytes that are 4 GB", set(1, (u32::MAX, 3), sum, b"abc")),
        one("compressed to the same size", set(1, (3, 3), sum, b"abc")),
        one("compressed as nobody does", set(9, (3, 3), sum, b"abc")),
        one("hashes that are no numbers", message(9, 1, &7_u32.to_le_bytes(), b"1234567")),
        one("a space that is no text", message(8, 1, &2_u32.to_le_bytes(), b"\xff\xff")),
        ("five thousand frames", vec![whole.clone(); 5_000]),
        ("a space that nobody has begun", {
            let head = Head {
                space: hash(b"s"),
                generation: 7,
                epoch: 7,
                ..Head::new(Request::Drop.op())
            };
            Ask { head, request: Request::Drop }.to_frames()
        }),
        ("hashes that fall", Ask::new(hashes(&[2, 1])).to_frames()),
    ]
}

/// What a worker says to a message: why it is refused.
async fn refused(caller: &Caller, frames: Vec<Bytes>) -> Result<(Status, String), String> {
    let answer = caller.exchange(frames, DEADLINE).await.map_err(|fault| fault.to_string())?;
    match Reply::from_frames(&answer) {
        Ok((_, Reply::Refused(status, fault))) => Ok((status, fault.message)),
        other => Err(format!("{other:?}")),
    }
}

fn caller(bus: &Bus, address: &str) -> Caller {
    let (requests, events) = (address.to_owned(), address.to_owned());
    bus.caller(&Endpoint::Tcp { requests, events })
}

/// Says that it is over when it is dropped, also by a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Eight who do this at once.
fn crowd<F: Future<Output = ()> + Send + 'static>(
    bus: &Bus,
    address: &str,
    run: impl Fn(Caller) -> F,
) {
    bus.block_on(async {
        let each: Vec<_> = (0..8).map(|_| tokio::spawn(run(caller(bus, address)))).collect();
        for one in each {
            one.await.expect("it is refused each time");
        }
    });
}

#[test]
fn nonsense_is_refused_with_a_reason_and_costs_nothing() {
    let listed = Listed::start();
    let bus = Bus::start().expect("a bus");
    let address = listed.control();
    listed.world.ok_with(&["cache", "set", "kept", "--join", Listed::JOIN], b"kept");
    let before = most_memory_kb(listed.worker.pid());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _over = Over(&is_over);
        scope.spawn(|| {
            // Whoever is honest is served all the while, and at once.
            let honest = caller(&bus, &address);
            while !is_over.load(SeqCst) {
                let asked = honest.exchange(Ask::new(Request::Hello).to_frames(), DEADLINE);
                let answer = bus.block_on(asked).expect("an answer");
                assert!(matches!(Reply::from_frames(&answer), Ok((_, Reply::Text(_)))));
            }
        });
        for (why, frames) in nonsense() {
            let told = bus.block_on(refused(&caller(&bus, &address), frames));
            let (status, text) = told.unwrap_or_else(|other| panic!("{why}: {other}"));
            assert_ne!(status, Status::Done, "{why}");
            assert!(text.len() > 10, "{why}: {text:?}");
        }
        // And all of it, again and again, from many at once.
        let rounds = |count: usize| {
            crowd(&bus, &address, move |caller| async move {
                for round in 0..count {
                    for (why, frames) in nonsense() {
                        let told = refused(&caller, frames).await;
                        assert!(told.is_ok(), "{why}, round {round}: {told:?}");
                    }
                }
            });
            most_memory_kb(listed.worker.pid())
        };
        // What a crowd takes, whatever it asks, is taken once.
        let (before, after) = (rounds(5), rounds(50));
        assert!(after - before <= MEMORY_MAX, "{before} kB, and then {after} kB, for nonsense");
    });
    let all = most_memory_kb(listed.worker.pid()) - before;
    assert!(all <= 3 * MEMORY_MAX, "{all} kB were taken for nonsense");
    assert_eq!(listed.world.ok(&["cache", "get", "kept", "--join", Listed::JOIN]), "kept");
}

/// A content that says it becomes small and does not, and one that becomes less than it says: whoever reads them is
/// told, and takes no memory for them.
#[test]
fn what_lies_about_what_it_becomes_is_told_to_who_reads_it() {
    let listed = Listed::start();
    let bus = Bus::start().expect("a bus");
    let caller = caller(&bus, &listed.control());
    listed.world.ok_with(&["cache", "set", "kept", "--join", Listed::JOIN], b"kept");
    let bomb: Vec<u8> =
        [&[0x1f, b'a', 1, 0][..], &[0xff; 16_000], &[0x10, 0x50, 1, 2, 3, 4, 5]].concat();
    // The version of the table that the worker has: it was made anew when the list told its address.
    let asked = caller.exchange(Ask::new(Request::Status).to_frames(), DEADLINE);
    let answer = bus.block_on(asked).expect("an answer");
    let Ok((_, Reply::Text(standing))) = Reply::from_frames(&answer) else { panic!("{answer:?}") };
    let standing: Value = serde_json::from_slice(&standing).expect("JSON");
    let generation = standing["table"].as_u64().and_then(|it| u32::try_from(it).ok());
    let generation = generation.expect("a version");
    for (id, raw) in [("bomb", 20_000), ("less", 4_000_000)] {
        let part = Part {
            crc: crc32c::crc32c(&bomb),
            bytes: bomb.clone().into(),
            codec: Codec::Lz4,
            raw,
            label: esker_wire::bulk::Label::default(),
        };
        let request = Request::Set(vec![Store { id: id.into(), part }]);
        let head = Head { space: hash(b""), generation, ..Head::new(request.op()) };
        let answer = bus.block_on(caller.exchange(Ask { head, request }.to_frames(), DEADLINE));
        let (_, reply) = Reply::from_frames(&answer.expect("an answer")).expect("a reply");
        assert!(matches!(reply, Reply::Stored(_)), "{reply:?}");
        let told = listed.world.fails(1, &["cache", "get", id, "--join", Listed::JOIN]);
        assert!(told.contains("damaged") || told.contains("corrupt"), "{told}");
    }
    assert_eq!(listed.world.ok(&["cache", "get", "kept", "--join", Listed::JOIN]), "kept");
}
