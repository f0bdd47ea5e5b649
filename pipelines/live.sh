#!/usr/bin/env bash
# A live fleet: judged as it comes, published for subscribers, and stored.
#
#   live.sh DB [ADDRESS [MODEL-DIR [BATTERIES]]]     (tcp://*:5556, no model, 24)
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
model=()
[ -z "${3:-}" ] || model=(--model "$3")
[ -z "${3:-}" ] || [ -f "$3/model.json" ] || { echo "live: no model in '$3'" >&2; exit 2; }
set -m # the programs get a process group of their own, named after the first

floatline simulate --live --interval 1s --batteries "${4:-24}" |
	floatline featurize |
	floatline twin |
	floatline predict "${model[@]}" |
	floatline alert |
	floatline broadcast --bind "${2:-tcp://*:5556}" -o - |
	floatline store --db "$1" &
# A signal to this script stops the source; the others end each after the one before.
set +m
source=$(jobs -p)
trap 'kill -TERM "$source" || :; wait %1; exit $?' TERM INT HUP
wait %1
