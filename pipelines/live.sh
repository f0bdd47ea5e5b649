#!/usr/bin/env bash
# A live fleet: judged as it comes, published for subscribers, and stored.
#
#   live.sh DB [ADDRESS [MODEL-DIR [BATTERIES [INTO [SNAPSHOT]]]]]   (tcp://*:5556, none, 24)
# INTO, as ipc:///run/floatline/in: where bridge --into brings what people decide;
# SNAPSHOT: where subscribers who come late ask for the state of the feed.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,6p' "$0"; exit 2; }
model=()
[ -z "${3:-}" ] || model=(--model "$3")
[ -z "${3:-}" ] || [ -f "$3/model.json" ] || { echo "live: no model in '$3'" >&2; exit 2; }
set -m # the programs get a process group of their own, named after the first
floatline simulate --live --interval 1s --batteries "${4:-24}" |
	floatline featurize -i - ${5:+-i "pull:@$5"} |
	floatline twin |
	floatline predict "${model[@]}" |
	floatline alert |
	floatline broadcast --bind "${2:-tcp://*:5556}" ${6:+--snapshot "$6"} -o - |
	floatline store --db "$1" &
set +m # a signal ends the source, and so the rest; all at once where a socket never ends
source=$(jobs -p)
trap 'kill -TERM -- "${5:+-}$source" || :; wait %1; exit $?' TERM INT HUP
wait %1
