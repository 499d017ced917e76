"""Puts as fast as it can: storm.py REQUESTS_PORT COUNT. Ten resources in turn, all answered."""

import sys

import zmq

PATIENCE_MS = 60_000
UNDER_WAY = 200


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    dealer = zmq.Context().socket(zmq.DEALER)
    dealer.setsockopt(zmq.LINGER, 0)
    dealer.connect(f"tcp://127.0.0.1:{port}")
    sent = answered = 0
    while answered < count:
        while sent < count and sent - answered < UNDER_WAY:
            head = f"=====esker/1 PUT storm/{sent % 10}\n".encode()
            dealer.send_multipart([b"", head, f"content {sent}\n".encode() * 20])
            sent += 1
        assert dealer.poll(PATIENCE_MS), "no answer"
        _, head = dealer.recv_multipart()
        assert head.startswith(b"=====esker/1 OK"), head
        answered += 1


if __name__ == "__main__":
    main()
