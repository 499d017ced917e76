"""Puts as fast as it can, all answered: storm.py REQUESTS_PORT COUNT [RESOURCE].

Ten resources in turn, or one, whose contents are then the numbers from 0.
"""

import sys

import zmq

PATIENCE_MS = 60_000
UNDER_WAY = 200


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    one = sys.argv[3] if len(sys.argv) > 3 else None
    dealer = zmq.Context().socket(zmq.DEALER)
    dealer.setsockopt(zmq.LINGER, 0)
    dealer.connect(f"tcp://127.0.0.1:{port}")
    sent = answered = 0
    while answered < count:
        while sent < count and sent - answered < UNDER_WAY:
            head = f"=====esker/1 PUT {one or f'storm/{sent % 10}'}\n".encode()
            content = f"{sent}\n" if one else f"content {sent}\n" * 20
            dealer.send_multipart([b"", head, content.encode()])
            sent += 1
        assert dealer.poll(PATIENCE_MS), "no answer"
        _, head = dealer.recv_multipart()
        assert head.startswith(b"=====esker/1 OK"), head
        answered += 1


if __name__ == "__main__":
    main()
