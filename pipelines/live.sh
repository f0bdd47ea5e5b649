#!/usr/bin/env bash
# A live fleet: judged as it comes, published for subscribers, and stored.
#
#   live.sh DB [ADDRESS [MODEL-DIR [BATTERIES]]]     (tcp://*:5556, no model, 24)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
trap : TERM INT # the programs end by themselves, each after the one before it
model=()
[ -z "${3:-}" ] || model=(--model "$3")

floatline simulate --live --interval 1s --batteries "${4:-24}" |
	floatline featurize |
	floatline twin |
	floatline predict "${model[@]}" |
	floatline alert |
	floatline broadcast --bind "${2:-tcp://*:5556}" -o - |
	floatline store --db "$1"
