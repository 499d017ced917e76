"""Changes a live model at random, many times: python3 drive_model.py ADDRESS MODEL COUNT SEED

Each change is a PUT of its own, of a few operations on a small tree, so that dicts and leaves replace one another; many are under way at once.
Prints how many were answered, and how fast.
"""

import random
import sys
import time

import zmq

SET, DELETE, DICT, CLEAR = 1, 2, 3, 4
UNDER_WAY = 256


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def text(value):
    data = value.encode()
    return varint(len(data)) + data


def path(keys):
    return varint(0) + varint(len(keys)) + b"".join(text(key) for key in keys)


def value(pick):
    kind = pick.randrange(6)
    if kind == 0:
        return bytes([pick.randrange(3)])
    if kind == 1:
        number = pick.randrange(-(2**60), 2**60) >> pick.randrange(60)
        return b"\x03" + varint(2 * number if number >= 0 else -2 * number - 1)
    if kind == 2:
        return b"\x05" + pick.randbytes(6) + b"\x00\x40"
    if kind == 3:
        return b"\x07" + varint(3) + pick.randbytes(3)
    if kind == 4:
        return b"\x08" + varint(2) + b"\x00" + b"\x06" + text("ä" * pick.randrange(4))
    return b"\x06" + text("state %d" % pick.randrange(1000))


def operation(pick):
    keys = ["section %d" % pick.randrange(20), "row %d" % pick.randrange(200)]
    keys += ["field %d" % pick.randrange(6), "__proto__", ""][: pick.randrange(4)]
    kind = pick.choices((SET, DELETE, DICT, CLEAR), (90, 6, 3, 1))[0]
    return bytes([kind]) + path(keys) + (value(pick) if kind == SET else b"")


def main(address, model, count, seed):
    pick = random.Random(seed)
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(address)
    head = ("=====esker/1 PUT %s\n" % model).encode()
    begun, sent, answered = time.monotonic(), 0, 0
    while answered < count:
        while sent < count and sent - answered < UNDER_WAY:
            body = b"".join(operation(pick) for _ in range(1 + pick.randrange(3)))
            socket.send_multipart([b"", head, body])
            sent += 1
        if not socket.poll(10_000):
            sys.exit("no answer within 10 s, after %d" % answered)
        reply = socket.recv_multipart()
        if not reply[1].startswith(b"=====esker/1 OK"):
            sys.exit(reply[1].decode())
        answered += 1
    print("%d changes, %.0f a second" % (answered, answered / (time.monotonic() - begun)))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
