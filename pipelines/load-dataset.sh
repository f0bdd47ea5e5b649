#!/usr/bin/env bash
# A dataset directory (or CSV files) through all filters into a database; every row is
# accounted for. Running it again changes nothing.
#
#   load-dataset.sh DIR DB [MODEL-DIR]     e.g.  load-dataset.sh classic-90d sqlite:classic.db
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 2 ] || { sed -n '2,5p' "$0"; exit 2; }
ledger=$(mktemp) model=()
trap 'rm -f "$ledger"' EXIT
[ $# -lt 3 ] || model=(--model "$3")

floatline ingest --ledger "$ledger" "$1" |
	floatline featurize --ledger "$ledger" |
	floatline twin --ledger "$ledger" |
	floatline predict "${model[@]}" --ledger "$ledger" |
	floatline alert --ledger "$ledger" |
	floatline store --db "$2" --ledger "$ledger"
floatline ledger "$ledger"
