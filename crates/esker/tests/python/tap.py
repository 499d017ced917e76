"""A tap that says what it is told to: the lines of `say`, beside itself.

A line `!exit N`, `!kill` or `!say TEXT` makes it end so, or write to standard error. What it is given is told in
`given`, a line of JSON a run.
"""

import json
import os
import pathlib
import signal
import sys

HERE = pathlib.Path(__file__).parent
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
given = {name: json.loads(pathlib.Path(path).read_text()) for name, path in options.items()}
with (HERE / "given").open("a") as log:
    print(json.dumps(given), file=log)
for line in (HERE / "say").read_text().splitlines():
    word, _, rest = line.partition(" ")
    if word == "!exit":
        sys.stdout.flush()
        os._exit(int(rest))
    elif word == "!kill":
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "!say":
        print(rest.replace("TOKEN", given["--config"]["api_token"]), file=sys.stderr, flush=True)
    else:
        print(line)
