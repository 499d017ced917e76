//! Clients that know nothing of us: libzmq's REQ, DEALER and SUB.

use crate::desk::Office;
use crate::python;

/// Runs a script with the request and the event address; expects it to say `well`.
fn check(script: &str) {
    let office = Office::new();
    let prelude = "
requests, events = sys.argv[1:]
context = zmq.Context()
def connect(kind, address=requests):
    socket = context.socket(kind)
    socket.setsockopt(zmq.RCVTIMEO, 20000)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(address)
    return socket
def ask(socket, *frames):
    socket.send_multipart(frames)
    return socket.recv_multipart()
def expect(was, wanted):
    assert was == wanted, (was, wanted)
";
    let script = format!("{prelude}\n{script}\nprint('well')");
    let args = [&*office.server.requests()[0], &*office.server.events()[0]];
    assert_eq!(python::run(&script, &args), "well\n");
}

#[test]
fn req() {
    check(
        r"
req = connect(zmq.REQ)
expect(ask(req, b'=====PUT raw qplan\n\tx'), [b'OK'])
expect(ask(req, b'=====GET raw qplan'), [b'=====raw qplan\n\tabcde\n=====data'])
expect(ask(req, b'')[0][:6], b'ERROR:')
expect(ask(req, b'\xff\xfe')[0][:6], b'ERROR:')
expect(ask(req, b'=====esker/1 SAY a b\n\tid: x 1\n', b'', b'\0\xff'), [b'=====esker/1 OK\n\tid: x 1\n\tsaid: a b\n', b'', b'\0\xff'])
",
    );
}

#[test]
fn many_req_at_once() {
    check(
        r"
reqs = [connect(zmq.REQ) for _ in range(300)]
for turn in range(3):
    for n, req in enumerate(reqs):
        req.send(b'=====esker/1 SAY %d' % n)
    for n, req in enumerate(reqs):
        expect(req.recv(), b'=====esker/1 OK\n\tsaid: %d\n' % n)
",
    );
}

#[test]
fn dealer_with_an_envelope() {
    check(
        r"
dealer = connect(zmq.DEALER)
for n in range(1000):
    dealer.send_multipart([b'%d' % n, b'hop', b'', b'=====esker/1 SAY %d' % n, b'%d' % n])
for n in range(1000):
    expect(dealer.recv_multipart(), [b'%d' % n, b'hop', b'', b'=====esker/1 OK\n\tsaid: %d\n' % n, b'%d' % n])
",
    );
}

#[test]
fn fifty_thousand_in_order() {
    check(
        r"
dealer = connect(zmq.DEALER)
body = bytes(range(256)) * 20
sent = got = 0
while got < 50000:
    while sent < 50000 and sent - got < 500:
        dealer.send_multipart([b'', b'=====esker/1 SAY %d' % sent, body[:sent * 7 % 5000]])
        sent += 1
    expect(dealer.recv_multipart(), [b'', b'=====esker/1 OK\n\tsaid: %d\n' % got, body[:got * 7 % 5000]])
    got += 1
",
    );
}

#[test]
fn bare_dealer() {
    check(
        r"
dealer = connect(zmq.DEALER)
for n in range(1000):
    dealer.send_multipart([b'=====esker/1 SAY x\n\tid: %d' % n, b''])
for n in range(1000):
    expect(dealer.recv_multipart(), [b'=====esker/1 OK\n\tid: %d\n\tsaid: x\n' % n, b''])
expect(ask(dealer, b'=====GET a'), [b'=====a\n\tabcde\n=====data'])
",
    );
}

#[test]
fn more_than_allowed_at_once_is_answered_busy_and_in_full() {
    check(
        r"
dealer = connect(zmq.DEALER)
dealer.setsockopt(zmq.SNDHWM, 0)
for n in range(5000):
    dealer.send_multipart([b'', b'=====esker/1 SAY %d' % n, bytes(2000)])
replies = [dealer.recv_multipart()[1] for n in range(5000)]
good = [reply for reply in replies if reply.startswith(b'=====esker/1 OK')]
busy = [reply for reply in replies if reply.startswith(b'=====esker/1 ERROR busy\n')]
expect(len(good) + len(busy), 5000)
assert len(good) >= 1000, len(good)
",
    );
}

#[test]
fn sub_hears_of_a_put() {
    check(
        r"
ours, seeds = connect(zmq.SUB, events), connect(zmq.SUB, events)
ours.subscribe(b'esker/1 ')
seeds.subscribe(b'=====raw qplan')
expect(ours.recv_multipart()[0], b'esker/1 ')
req = connect(zmq.REQ)
while True:
    expect(ask(req, b'=====PUT raw qplan\n\tx'), [b'OK'])
    if seeds.poll(100):
        break
expect(seeds.recv_multipart(), [b'=====raw qplan'])
for seq in range(1, 100):
    ask(req, b'=====esker/1 PUT raw/a')
    topic = b'esker/1 '
    while topic == b'esker/1 ':
        topic, head = ours.recv_multipart()
    expect((topic, head.endswith(b'\tseq: %d\n' % seq)), (b'esker/1 raw/a', True))
",
    );
}
