"""Fills a live model with rows, says so, and after a line of input changes it at a steady rate:

python3 bench_driver.py ADDRESS MODEL ROWS UPDATES_A_SECOND UPDATES_A_TRANSACTION SECONDS
"""

import sys
import time

import zmq

FIELDS = ("state", "tries", "host", "since", "progress", "note")


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def text(value):
    data = value.encode()
    return varint(len(data)) + data


def update(row, field, number):
    keys = ("tasks", "task %06d" % row, field)
    return b"\x01\x00\x03" + b"".join(map(text, keys)) + b"\x06" + text("value %d" % number)


def main(address, model, rows, rate, size, seconds):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.sndhwm = socket.rcvhwm = 0
    socket.connect(address)
    head = ("=====esker/1 PUT %s\n" % model).encode()
    waiting = 0

    def put(body):
        socket.send_multipart([b"", head, body])

    def reply():
        frames = socket.recv_multipart()
        if not frames[1].startswith(b"=====esker/1 OK"):
            sys.exit(frames[1].decode())
        return frames[1]

    put(b"".join(update(row, field, row) for row in range(rows) for field in FIELDS))
    reply()
    print("filled", flush=True)
    sys.stdin.readline()
    begun, sent, total, last = time.monotonic(), 0, rate * seconds, b""
    while sent < total or waiting:
        due = min(total, int((time.monotonic() - begun) * rate))
        while sent + size <= due and waiting < 900:
            # Rows and fields far from one another, as many things change at once.
            put(b"".join(update(n * 7919 % rows, FIELDS[n % 6], n) for n in range(sent, sent + size)))
            sent, waiting = sent + size, waiting + 1
        if not socket.poll(1):
            continue
        while waiting and socket.poll(0):
            last, waiting = reply(), waiting - 1
    took = time.monotonic() - begun
    seq = [line for line in last.decode().split("\n") if line.startswith("\tseq: ")][0][6:]
    print("%s was the last transaction, %d updates in %.1f s, %.0f a second" % (seq, sent, took, sent / took), flush=True)


main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7]))
