#!/usr/bin/env bash
# Measures a model on a fleet of another seed, which nothing of it has seen, against what
# else there is, and prints the tables of the README.
#
#   evaluate.sh MODEL-DIR TRAINING-STREAM [BATTERIES [DAYS [SEED [WARM-UP]]]]     (1944, 730, 2, 365)
#
# TRAINING-STREAM is what train.sh keeps: the rivals that learn learn from it. Only what
# comes after WARM-UP days is judged: in a year each string has had its test.
# Needs python3-sklearn, python3-xgboost and python3-msgpack: scripts/evaluate-deps.txt.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 2 ] || { sed -n '2,5p' "$0"; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

floatline simulate -q --batteries "${3:-1944}" --days "${4:-730}" --seed "${5:-2}" --interval 15m --truth |
	floatline featurize -q --windows 24 --every 1d |
	floatline twin -q --every 1d --refresh 1d |
	floatline predict -q --model "$1" --drop telemetry,string_telemetry,environment >"$tmp/seen.fl"
/usr/bin/python3 "$here/evaluate.py" "$1" "$2" "$tmp/seen.fl" "${6:-365}"
