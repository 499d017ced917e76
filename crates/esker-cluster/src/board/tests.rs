//! What is posted, and who is told.

use std::time::Duration;

use esker_wire::member::NodeId;

use super::*;

fn member(number: u8) -> Member {
    let address = format!("tcp://h{number}:1");
    let node = NodeId::from_bytes([number; 16]);
    let (control, bulk) = (address.clone(), address);
    Member { node, name: "n".to_owned(), control, bulk, cpus: 1, memory: 1, free: 64 }
}

#[test]
fn versions_grow_with_members_alone_and_warnings_keep_their_moment() {
    let board = Board::new(Membership::nobody());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let subscription =
        board.subscribe(Arc::new(move |now| hears.lock().unwrap().push(now.version)));
    let trouble = |text: &str| Troubles::from([(Trouble::Away, text.to_owned())]);
    board.post(vec![member(1)], Origin::Told, &Troubles::new());
    board.post(vec![member(1)], Origin::Told, &Troubles::new());
    board.post(vec![member(1)], Origin::Told, &trouble("gone"));
    let (first, since) = (board.current().warnings[0].since, board.current().since);
    board.post(vec![member(1)], Origin::Told, &trouble("still gone"));
    let now = board.current();
    assert_eq!((now.warnings[0].since, &now.warnings[0].message[..]), (first, "still gone"));
    assert_eq!((now.version, now.since), (1, since));
    board.post(vec![member(1), member(2)], Origin::Told, &Troubles::new());
    assert_eq!(board.current().version, 2);
    assert_eq!(*heard.lock().unwrap(), [1, 1, 1, 2]);
    drop(subscription);
    board.post(Vec::new(), Origin::Told, &Troubles::new());
    assert_eq!(heard.lock().unwrap().len(), 4);
    assert!(now.get(member(1).node).is_some() && now.get(member(2).node).is_none());
}

#[test]
fn waiting_ends_with_the_change_or_the_deadline() {
    let board = Board::new(Membership::nobody());
    let poster = Arc::clone(&board);
    let thread = std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(60);
        poster.wait_for(|now| now.members.len() == 1, until).is_ok()
    });
    board.post(vec![member(1)], Origin::Told, &Troubles::new());
    assert!(thread.join().unwrap());
    let late = board.wait_for(|now| now.members.is_empty(), Instant::now());
    assert_eq!(late.unwrap_err().members.len(), 1);
}
