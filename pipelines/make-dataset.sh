#!/usr/bin/env bash
# A whole dataset directory in the classic layout: a simulated fleet with the features,
# estimates, predictions and alerts that the other programs make of it.
#
#   make-dataset.sh DIR MODEL-DIR|- [option of simulate ...]
#                                   e.g.  make-dataset.sh set - --batteries 24 --days 90
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 2 ] || { sed -n '2,6p' "$0"; exit 2; }
dir=$1 model=()
[ "$2" = - ] || model=(--model "$2")
[ "$2" = - ] || [ -f "$2/model.json" ] || { echo "make-dataset: no model in '$2'" >&2; exit 2; }
shift 2

floatline simulate -q --truth "$@" |
	floatline featurize -q |
	floatline twin -q |
	floatline predict -q "${model[@]}" |
	floatline alert -q |
	floatline decode --dataset "$dir"
