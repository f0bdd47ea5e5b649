#!/usr/bin/env bash
# Ninety days of one string of 24 batteries, simulated, judged, stored and summed up.
#
#   demo.sh [DIR]     (./demo)
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
mkdir -p "${1:-demo}"
cd "${1:-demo}"
rm -f demo.db* ledger.ndjson unused.ndjson

[ -s model/model.json ] || "$here/train.sh" model 486 365 2>train.log ||
	{ status=$?; cat train.log >&2; exit $status; }
floatline simulate --batteries 24 --days 90 --interval 1m --seed 7 --ledger ledger.ndjson -q |
	floatline featurize --ledger ledger.ndjson -q |
	floatline twin --ledger ledger.ndjson --reject unused.ndjson -q |
	floatline predict --model model --ledger ledger.ndjson -q |
	floatline alert --ledger ledger.ndjson -q |
	floatline store --db sqlite:demo.db --ledger ledger.ndjson -q
floatline ledger ledger.ndjson | tail -n 1
sqlite3 -readonly demo.db <"$here/summary.sql"
