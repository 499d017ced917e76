"""Sorts a file of CSV by its column "key" with DuckDB or Polars: ENGINE IN OUT MEMORY. Without files it tells its version."""

import sys

engine, *rest = sys.argv[1:]
if engine == "duckdb":
    import duckdb

    if not rest:
        print(duckdb.__version__)
        sys.exit()
    source, sink, memory = rest
    duckdb.execute("SET threads = 2")
    duckdb.execute(f"SET memory_limit = '{memory}B'")
    duckdb.execute(f"SET temp_directory = '{sink}.tmp'")
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{source}', header = true, all_varchar = true) ORDER BY key) TO '{sink}' (HEADER)"
    )
else:
    import os

    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars

    if not rest:
        print(polars.__version__)
        sys.exit()
    source, sink, memory = rest
    polars.scan_csv(source, infer_schema=False).sort("key").sink_csv(sink)
