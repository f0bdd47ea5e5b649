#!/usr/bin/env bash
# A dataset directory (or CSV files) through all filters into a database; every row is
# accounted for. Running it again changes nothing.
#
#   load-dataset.sh DIR DB [MODEL-DIR]     e.g.  load-dataset.sh classic-90d sqlite:classic.db
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 2 ] || { sed -n '2,5p' "$0"; exit 2; }
model=()
[ -z "${3:-}" ] || model=(--model "$3")
[ -z "${3:-}" ] || [ -f "$3/model.json" ] || { echo "load-dataset: no model in '$3'" >&2; exit 2; }
ledger=$(mktemp)
trap 'rm -f "$ledger"' EXIT

floatline ingest --ledger "$ledger" "$1" |
	floatline featurize --ledger "$ledger" |
	floatline twin --ledger "$ledger" |
	floatline predict "${model[@]}" --ledger "$ledger" |
	floatline alert --ledger "$ledger" |
	floatline store --db "$2" --ledger "$ledger"
floatline ledger "$ledger"
