"""Makes what is worth sorting: a table of readings of sensors, or records of 100 bytes as gensort makes them."""

import random
import sys

PLACES = ["Altdorf", "Brig", "Chur", '"Davos, Dorf"', '"Elm ""im Tal"""']


def readings(count):
    """Readings as CSV, in no order; some have commas, quotes or newlines in a field."""
    print("time,place,value,note")
    for number in range(count):
        day = f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        time = f"{random.randint(0, 23):02}:{random.randint(0, 59):02}"
        note = '"checked\nby hand"' if number % 1000 == 0 else ""
        print(f"{day}T{time},{random.choice(PLACES)},{random.uniform(-20, 30):.2f},{note}")


def records(count):
    """Records of ten bytes of key and ninety of anything."""
    for number in range(count):
        sys.stdout.buffer.write(random.randbytes(10) + b"%088d\r\n" % number)


if __name__ == "__main__":
    what, count = sys.argv[1:]
    random.seed(1)
    {"readings": readings, "records": records}[what](int(count))
