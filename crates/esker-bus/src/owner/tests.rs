//! Batches, ticks and the end, without any socket.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::{broadcast, oneshot};

use super::{Outlets, run};
use crate::bus::Limits;
use crate::queue::{Back, Peer, Queue};
use crate::service::{Frames, Outcome, Service};

/// Notes what it is told to do; answers every request with itself and publishes it.
struct Notes {
    notes: Arc<Mutex<Vec<String>>>,
    /// How many it answers at a time.
    at_most: usize,
}

impl Service for Notes {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        self.notes.lock().unwrap().push(requests.len().to_string());
        let outcome = |request: &Frames| Outcome {
            events: vec![request.clone()],
            ..Outcome::reply(request.clone())
        };
        requests.iter().take(self.at_most).map(outcome).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        self.notes.lock().unwrap().push("tick".to_owned());
        vec![vec![Bytes::from_static(b"heartbeat")]]
    }
}

/// Has `count` requests, answered `at_most` at a time, of `bytes` each waiting when the service starts and is told to stop.
async fn check(limits: &Limits, (count, at_most): (usize, usize), bytes: usize, expected: &str) {
    let (queue, lines) = Queue::new(limits);
    let peer = Arc::new(Peer::default());
    let mut answers = Vec::new();
    for _ in 0..count {
        let (reply, answer) = oneshot::channel();
        let back = Back::Local(reply, peer.admit(count).unwrap());
        let request = vec![Bytes::from(vec![b'x'; bytes])];
        queue.push(request, back).await.unwrap();
        answers.push(answer);
    }
    queue.stop();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let (local, mut published) = broadcast::channel(100);
    let outlets = Outlets { publisher: None, local };
    let service = Notes { notes: Arc::clone(&notes), at_most };
    run(service, lines, (&outlets, &tokio::runtime::Handle::current()), limits);
    assert_eq!(notes.lock().unwrap().join(" "), expected);
    for answer in answers {
        let reply = answer.await.unwrap();
        assert!(reply.concat().starts_with(b"x") || reply.concat().starts_with(b"ERROR: "));
    }
    assert_eq!(published.recv().await.unwrap(), vec![Bytes::from_static(b"heartbeat")]);
    assert_eq!(published.len(), count);
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_waiting_is_one_batch_within_its_bounds() {
    let limits = Limits { batch_max: 3, batch_bytes_max: 1000, ..Limits::default() };
    check(&limits, (7, 100), 10, "tick 3 3 1").await;
    check(&limits, (5, 100), 600, "tick 2 2 1").await;
    check(&limits, (2, 100), 5000, "tick 1 1").await;
    check(&limits, (0, 100), 0, "tick").await;
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_over_the_limit_becomes_an_error() {
    let limits = Limits { message_max: 100, ..Limits::default() };
    check(&limits, (2, 100), 101, "tick 2").await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_service_may_answer_a_part_and_is_asked_the_rest_again() {
    let limits = Limits { batch_max: 5, ..Limits::default() };
    check(&limits, (7, 2), 10, "tick 5 5 3 1").await;
}

/// Answers the first request late and the others at once.
struct Slow {
    late: Option<std::sync::mpsc::Receiver<()>>,
}

impl Service for Slow {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let outcome = |request: &Frames| {
            let reply = request.clone();
            match self.late.take() {
                None => Outcome::reply(reply),
                Some(late) => {
                    let work = move || late.recv().map_or(Frames::new(), |()| reply);
                    Outcome { later: Some(Box::new(work)), ..Outcome::default() }
                }
            }
        };
        requests.iter().map(outcome).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

/// What takes long keeps nobody else waiting, and is answered before the service ends.
#[tokio::test]
async fn a_late_reply_hinders_nobody() {
    let limits = Limits::default();
    let (queue, lines) = Queue::new(&limits);
    let peer = Arc::new(Peer::default());
    let mut answers = Vec::new();
    for text in ["first", "second"] {
        let (reply, answer) = oneshot::channel();
        let back = Back::Local(reply, peer.admit(2).unwrap());
        queue.push(vec![Bytes::from(text)], back).await.unwrap();
        answers.push(answer);
    }
    queue.stop();
    let (go, late) = std::sync::mpsc::channel();
    let (local, _published) = broadcast::channel(100);
    let runtime = tokio::runtime::Handle::current();
    let owner = std::thread::spawn(move || {
        let outlets = Outlets { publisher: None, local };
        run(Slow { late: Some(late) }, lines, (&outlets, &runtime), &Limits::default());
    });
    let second = answers.pop().unwrap().await.unwrap();
    assert_eq!(second, vec![Bytes::from("second")]);
    go.send(()).unwrap();
    assert_eq!(answers.pop().unwrap().await.unwrap(), vec![Bytes::from("first")]);
    owner.join().unwrap();
}
