"""A replica in plain Python: sync_client.py REQUESTS_ADDRESS MODEL [SECTION…]. It follows; to each line on its standard input, a JSON
list of paths, it prints a line of JSON: where it is, and the digests there. All of docs/sync.md that it needs is in python/esker, which was written from that page alone.
"""

import json
import logging
import sys

import esker

logging.basicConfig(level=logging.INFO, format="%(message)s")
address, model, *sections = sys.argv[1:]
paths = [json.loads(section) for section in sections] or None
with esker.follow(address, model, sections=paths) as m:
    told: list[int] = []
    m.on_change(lambda changes: told.append(len(changes)))
    print("here", flush=True)
    for line in sys.stdin:
        replica = m._replica
        where = {"state": m.state, "epoch": str(m.epoch), "seq": m.seq, "digest": m.digest, "changes": sum(told)}
        where |= {"refused": replica.refused, "losses": replica.losses, "repairs": replica.repairs, "copies": replica.copies}
        where |= {"digests": [m.digest_of(path) or "gone" for path in json.loads(line)]}
        print(json.dumps(where), flush=True)
