"""Runs `ESKER init` on a terminal of its own and types the answers; prints what the terminal showed."""

import os
import pty
import sys

program, answers = sys.argv[1:3]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program, [program, "init"])
os.write(terminal, answers.encode())
shown = b""
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # the other side is closed
        break
    if not part:
        break
    shown += part
_, status = os.waitpid(pid, 0)
print(shown.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(status))
