#!/bin/sh
# What Dagster does in the four cases of docs/compare.md: sh docs/compare/dagster.sh, with dagster in the path
# (python3 -m venv v && v/bin/pip install dagster). Works in a folder of its own, and ends what it has started.
set -u
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
mkdir home
printf 'telemetry:\n  enabled: false\n' > home/dagster.yaml
export DAGSTER_HOME="$here/home"

# Shows a command, runs it, and shows the last thing it says and how it ends.
run() {
    echo "\$ $*"
    sh -c "$*" 2>&1 | sed "s|$here/||g"
}

# Runs the asset, and shows of its log what tells how it ended.
materialize() {
    echo '$ dagster asset materialize -f assets.py --select out'
    dagster asset materialize -f assets.py --select out > log 2>&1
    code=$?
    grep -oE 'ASSET_MATERIALIZATION - .*|ASSET_CHECK_EVALUATION - .*|RUN_FAILURE - .*|^Error: .*' log | cut -c 1-110
    echo "exit $code"
}

echo "== $(dagster --version)"
printf '1\n2\n' > raw.txt
cat > assets.py <<'PYTHON'
import subprocess
import dagster as dg


@dg.asset
def out():
    with open("out.txt", "wb") as file:
        subprocess.run(["sh", "make.sh"], stdout=file, check=True)


@dg.asset_check(asset=out, blocking=True)
def are_numbers():
    lines = open("out.txt").read().split()
    return dg.AssetCheckResult(passed=all(line.isdigit() for line in lines))


defs = dg.Definitions([out], asset_checks=[are_numbers])
PYTHON

echo "== half an output"
echo 'head -n 1 raw.txt; exit 1' > make.sh
materialize
run cat out.txt

echo "== an orphan"
echo 'sleep 300; cat raw.txt' > make.sh
dagster asset materialize -f assets.py --select out > log 2>&1 &
dagster=$!
until child=$(ps -eo pid=,args= | awk '$2 == "sleep" && $3 == 300 { print $1 }') && [ -n "$child" ]; do sleep 0.1; done
echo '$ dagster asset materialize -f assets.py --select out &'
echo '$ kill -9 %1'
kill -9 $dagster
wait $dagster 2> /dev/null
sleep 1
export CHILD="$child"
run 'ps -o args= -p $CHILD'
kill "$child"

echo "== a second run"
# Each run says which it is; the first is slow after it has read its input.
cat > make.sh <<'SH'
text=$(cat raw.txt); name=$(cat name)
sleep "$(cat pause)"
echo "$text by the $name run"
SH
echo old > raw.txt; echo first > name; echo 25 > pause
dagster asset materialize -f assets.py --select out > log1 2>&1 &
first=$!
until ps -eo args= | grep -qx 'sleep 25'; do sleep 0.1; done
echo '$ dagster asset materialize -f assets.py --select out &    # reads "old", and takes its time'
echo new > raw.txt; echo second > name; echo 0 > pause
echo '$ echo new > raw.txt'
materialize
run cat out.txt
wait $first
echo '$ wait %1'
run cat out.txt

echo "== bad data"
echo 'cat raw.txt' > make.sh
echo 'oops' > raw.txt
materialize
run cat out.txt
