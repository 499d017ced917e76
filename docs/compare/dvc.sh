#!/bin/sh
# What DVC does in the four cases of docs/compare.md: sh docs/compare/dvc.sh, with dvc in the path
# (python3 -m venv v && v/bin/pip install dvc). Works in a folder of its own, and ends what it has started.
set -u
export DVC_NO_ANALYTICS=1
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1

# Shows a command, runs it, and shows what it says and how it ends.
run() {
    echo "\$ $*"
    sh -c "$*" 2>&1 | sed "s|$here/||g; s|$here||g; s|[^ ]*/bin/dvc|dvc|; /^\$/d"
}

echo "== $(dvc --version)"
dvc init --quiet --no-scm
printf '1\n2\n' > raw.txt
cat > dvc.yaml <<'YAML'
stages:
  make:
    cmd: sh make.sh > out.txt
    deps: [raw.txt, make.sh]
    outs: [out.txt]
  check:
    cmd: sh check.sh
    deps: [out.txt, check.sh]
YAML
echo 'cat raw.txt' > make.sh
echo '! grep -n "[^0-9]" out.txt' > check.sh
dvc repro --quiet

echo "== half an output"
echo 'head -n 1 raw.txt; exit 1' > make.sh
run "dvc repro make; echo exit \$?"
run cat out.txt

echo "== an orphan"
echo 'sleep 300; cat raw.txt' > make.sh
dvc repro --quiet make 2> /dev/null &
dvc=$!
until child=$(ps -eo pid=,args= | awk '$2 == "sleep" && $3 == 300 { print $1 }') && [ -n "$child" ]; do sleep 0.1; done
echo '$ dvc repro make &'
echo '$ kill -9 %1'
kill -9 $dvc
wait $dvc 2> /dev/null
sleep 1
export CHILD="$child"
run 'ps -o args= -p $CHILD'
kill "$child"
rm -f .dvc/tmp/rwlock

echo "== a second run"
echo 'sleep 20; cat raw.txt' > make.sh
echo '$ dvc repro make &'
dvc repro --quiet make &
dvc=$!
until [ -s .dvc/tmp/rwlock ]; do sleep 0.1; done
sleep 1
run "dvc repro make; echo exit \$?"
echo '3' >> raw.txt
run "dvc add raw.txt; echo exit \$?"
wait $dvc

echo "== bad data"
echo 'cat raw.txt' > make.sh
echo 'oops' > raw.txt
run "dvc repro; echo exit \$?"
run cat out.txt
run "grep -A 3 'outs:' dvc.lock"
