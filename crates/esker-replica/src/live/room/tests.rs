//! Waiting for room.

use std::sync::mpsc;

use super::*;

#[test]
fn who_finds_no_room_waits_until_there_is_some() {
    let room = Arc::new(Room::default());
    // However much it is, it may go alone.
    let alone = room.take(2 * BYTES_MAX);
    let (told, came) = mpsc::channel();
    let waiting = Arc::clone(&room);
    let thread = std::thread::spawn(move || {
        let taken = [waiting.take(BYTES_MAX / 2), waiting.take(BYTES_MAX / 2)];
        told.send(taken.len()).unwrap();
    });
    assert!(came.try_recv().is_err());
    drop(alone);
    assert_eq!(came.recv().unwrap(), 2);
    thread.join().unwrap();
    assert_eq!(*room.lock(), 0);
}
