"""Fetches the data set seattle-weather.csv from the npm package vega-datasets and prints it.

The package is fetched with npm itself, so that whatever registry or proxy npm is set up for is used.
Exit code 75 (EX_TEMPFAIL) tells esker that trying again later may help.
"""

import os
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "vega-datasets@2.11.0"
MEMBER = "package/data/seattle-weather.csv"
EX_TEMPFAIL = 75


def main() -> int:
    scratch = os.environ.get("ESKER_SCRATCH") or tempfile.mkdtemp()
    pack = subprocess.run(
        ["npm", "pack", PACKAGE, "--silent", "--pack-destination", scratch],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if pack.returncode != 0:
        print(f"npm cannot fetch {PACKAGE}", file=sys.stderr)
        return EX_TEMPFAIL
    archive = os.path.join(scratch, pack.stdout.split()[-1])
    with tarfile.open(archive) as package:
        data = package.extractfile(MEMBER)
        if data is None:
            print(f"{PACKAGE} has no {MEMBER}", file=sys.stderr)
            return 1
        sys.stdout.buffer.write(data.read())
    return 0


if __name__ == "__main__":
    sys.exit(main())
