"""The first way to keep snapshots, as a peer to measure against: seed_way.py FOLDER.

A REP socket; every PUT writes the file and runs `git add` and `git commit`, every GET runs `git rev-parse` and
`git show`. Prints its port when it listens.
"""

import subprocess
import sys
from pathlib import Path

import zmq


def git(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=True)
    return done.stdout


def main() -> None:
    folder = Path(sys.argv[1])
    git(folder, "init", "-q")
    git(folder, "config", "user.name", "peer")
    git(folder, "config", "user.email", "peer@localhost")
    socket = zmq.Context().socket(zmq.REP)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    print(port, flush=True)
    while True:
        head, _, rest = socket.recv().partition(b"\n")
        verb, _, name = head[5:].decode().partition(" ")
        path = folder / name.replace(" ", "_")
        if verb == "PUT":
            path.write_bytes(b"\n".join(line[1:] for line in rest.split(b"\n")))
            git(folder, "add", path.name)
            git(folder, "commit", "-q", "-m", name)
            socket.send(b"OK")
        else:
            version = git(folder, "rev-parse", "HEAD").strip()
            data = git(folder, "show", f"HEAD:{path.name}")
            lines = b"\n".join(b"\t" + line for line in data.split(b"\n"))
            socket.send(b"=====" + name.encode() + b"\n\t" + version + b"\n=====data\n" + lines)


if __name__ == "__main__":
    main()
