//! Any frame is a message of ours, of the first clients, or is refused; none makes a reader panic.
#![no_main]

use bytes::Bytes;
use esker_wire::event::Event;
use esker_wire::message::{Message, Request};
use esker_wire::pruned::PruneRecord;
use esker_wire::record::RunRecord;
use esker_wire::seed::SeedRequest;
use esker_wire::snapshot::{
    Diff, Gc, Get, List, Log, Move, Prune, Put, Resolve, Stat, Tag, Upload, Why,
};
use libfuzzer_sys::fuzz_target;

fn read<R: Request>(message: &Message) {
    if let Ok(request) = R::from_message(message) {
        let frames = request.to_message().to_frames();
        let again = Message::from_frames(&frames).expect("what we write can be read");
        assert!(R::from_message(&again).is_ok());
    }
    drop(esker_wire::message::answer::<R>(message));
}

fuzz_target!(|frame: &[u8]| {
    drop(SeedRequest::from_frame(frame));
    drop(RunRecord::from_bytes(frame));
    drop(PruneRecord::from_bytes(frame));
    let head = Bytes::from([b"=====esker/1 ", frame].concat());
    let frames = [Bytes::from_static(b"esker/1 x/y"), head];
    drop(Event::from_frames(&frames));
    let Ok(message) = Message::from_frames(&frames[1..]) else {
        return;
    };
    read::<Put>(&message);
    read::<Get>(&message);
    read::<List>(&message);
    read::<Stat>(&message);
    read::<Log>(&message);
    read::<Diff>(&message);
    read::<Why>(&message);
    read::<Resolve>(&message);
    read::<Tag>(&message);
    read::<Upload>(&message);
    read::<Gc>(&message);
    read::<Move>(&message);
    read::<Prune>(&message);
});
