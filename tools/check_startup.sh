#!/bin/bash
# What the wrapper adds to the start of a program, as a ratio that a busy machine does not change much: kache that hands an
# empty program's command line on, against that program alone, in turns; the best of several rounds.
#   tools/check_startup.sh BUILD [LIMIT]
set -euo pipefail
build=$(realpath "${1:?the build directory}") limit=${2:-2.5}
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cp "$build/bench/floor" "$lab/rustc"
best=
for _ in 1 2 3 4 5; do
  ratio=$(KACHE_DISABLED=1 HOME=$lab "$build/bench/paired" 200 - -- "$build/bin/kache" "$lab/rustc" -- "$build/bench/floor" | grep -oE '[0-9]+\.[0-9]+' | tail -1)
  if [ -z "$best" ] || awk "BEGIN {exit !($ratio < $best)}"; then best=$ratio; fi
done
echo "start of the wrapper: $best times the floor (at most $limit)"
awk "BEGIN {exit !($best <= $limit)}" || { echo "the wrapper has become slow to start" >&2; exit 1; }
