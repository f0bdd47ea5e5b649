#!/usr/bin/env bash
# A live fleet: judged as it comes, published for subscribers, and stored.
#
#   live.sh [OPTION]... DB           e.g.  live.sh --model model sqlite:live.db
#
#   --batteries N         how many are simulated (24)
#   --fleet FILE          of this fleet file (simulate's own)
#   --model DIR           foretell remaining life by this model (by the twin alone)
#   --bind ENDPOINT       publish here (tcp://*:5556)
#   --snapshot ENDPOINT   tell subscribers who come late the state of the feed here
#   --into ENDPOINT       take what people decide from bridge --into here, as ipc:///run/floatline/in
#   --help                say this
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; }
words=$(getopt -n live -o h -l batteries:,fleet:,model:,bind:,snapshot:,into:,help -- "$@") || exit 2
eval set -- "$words"
fleet=(--batteries 24) model=() publish=(--bind 'tcp://*:5556') into=()
while [ "$1" != -- ]; do
	case $1 in
	-h | --help) usage && exit ;;
	--batteries | --fleet) fleet+=("$1" "$2") ;;
	--model) model=("$1" "$2") ;;
	--bind | --snapshot) publish+=("$1" "$2") ;;
	--into) into=(-i "pull:@$2") ;;
	esac
	shift 2
done
[ $# -eq 2 ] || { usage; exit 2; }
[ ${#model[@]} -eq 0 ] || [ -f "${model[1]}/model.json" ] || { echo "live: no model in '${model[1]}'" >&2; exit 2; }
set -m # the programs get a process group of their own, named after the first
floatline simulate --live --interval 1s "${fleet[@]}" |
	floatline featurize -i - "${into[@]}" |
	floatline twin |
	floatline predict "${model[@]}" |
	floatline alert |
	floatline broadcast "${publish[@]}" -o - |
	floatline store --db "$2" &
set +m # a signal ends the source, and so the rest; all at once where a socket never ends
source=$(jobs -p)
trap 'kill -TERM -- "${into:+-}$source" || :; wait %1; exit $?' TERM INT HUP
wait %1
