#!/usr/bin/env bash
# A live fleet behind the dashboard: a month of history, then the present, until Ctrl-C.
#
#   demo-live.sh [OPTION]... [DIR]       in ./demo-live unless told
#
#   --batteries N            how many (1944)
#   --fleet FILE             of this fleet file (a fleet whose strings are replaced in time)
#   --listen ADDRESS:PORT    where the dashboard is (127.0.0.1:8080)
#   --help                   say this
#
# Each start makes the fleet anew, with a new password for the admin; the model that was
# trained at the first start stays. Features go out once a day: so the history is made sooner.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; }
words=$(getopt -n demo-live -o h -l batteries:,fleet:,listen:,help -- "$@") || exit 2
eval set -- "$words"
batteries=1944 fleet=$here/../schemas/fleet/maintained.ini listen=127.0.0.1:8080
while [ "$1" != -- ]; do
	case $1 in
	-h | --help) usage && exit ;;
	--batteries) batteries=$2 ;;
	--fleet) fleet=$(readlink -f "$2") ;;
	--listen) listen=$2 ;;
	esac
	shift 2
done
[ $# -le 2 ] || { usage; exit 2; }
mkdir -p "${2:-demo-live}"
cd "${2:-demo-live}"
rm -f live.db* ./*.log

# Names of sockets are short, so they are not in the demo's folder.
run=$(mktemp -d) jobs=()
# shellcheck disable=SC2317
end() {
	trap '' INT TERM HUP
	[ ${#jobs[@]} -eq 0 ] || kill -TERM -- "${jobs[@]}" 2>>end.log || :
	wait
	rm -rf "$run"
}
trap end EXIT
# What was asked for is no failure: the end by a signal is how this ends.
trap 'echo; echo "ending"; exit 0' INT TERM HUP

say_log() {
	echo "demo-live: $1 has ended:" >&2
	tail -n 5 "$2" >&2
	exit 3
}

# What a log said last of how far it is, on a line of the terminal; without one, no more.
say_progress() {
	[ ! -t 1 ] || printf '\r\033[K%.70s' "${1:+  $({ grep -E ' s (left|to go)$' "$1" || echo ...; } | tail -n 1 | sed 's/^[a-z]*: //')}"
}

[ -s model/model.json ] || {
	echo "training a small model, once"
	set -m
	# Not on the blocks of the fleet below, whose seed is 1.
	"$here/train.sh" model 486 365 /dev/null 7 2>train.log &
	jobs=("-$!")
	set +m
	while kill -0 -- "${jobs[0]}" 2>>end.log; do
		say_progress train.log
		sleep 1
	done
	wait "${jobs[0]#-}" || { cat train.log >&2; exit 1; }
	jobs=()
}
[ -e models/production ] || {
	floatline predict register model --registry models >>train.log 2>&1
	floatline predict promote --registry models >>train.log 2>&1
}
say_progress ""

echo "making 30 days of history of $batteries batteries"
begun=$(date +%s)000
set -m # each a process group of its own: Ctrl-C is for this script, which ends them in turn
floatline simulate -q --progress --live --interval 15s --batteries "$batteries" --fleet "$fleet" --seed 1 --backfill 30d@1h 2>>pipeline.log |
	floatline featurize -q --every 1d -i - -i "pull:@ipc://$run/in" |
	floatline twin -q |
	floatline predict -q --registry models --watch |
	floatline alert -q |
	floatline broadcast -q --bind "ipc://$run/feed" --snapshot "ipc://$run/snapshot" -o - |
	floatline store -q --db sqlite:live.db 2>>pipeline.log &
source=$(jobs -p %1)
jobs+=("-$source") # all of them: the second has a socket to read, which never ends
set +m

# The newest of one battery says how far the history has come.
is_live() {
	[ -n "$(sqlite3 -readonly -cmd '.timeout 5000' live.db "SELECT 1 FROM telemetry
		WHERE run = (SELECT min(id) FROM run) AND battery = (SELECT min(id) FROM battery)
		AND ts >= $begun LIMIT 1" 2>>wait.log)" ]
}
until is_live; do
	jobs %1 >/dev/null 2>&1 || say_log "the pipeline" pipeline.log
	say_progress pipeline.log
	sleep 1
done
say_progress ""

password=$(head -c 12 /dev/urandom | base64 | tr '+/' 'xy')
floatline bridge user add admin --role admin --db sqlite:live.db <<<"$password" 2>bridge.log
set -m
floatline bridge --db sqlite:live.db --listen "$listen" --models models --simulations "$run/drills" --fleet "$fleet" --into "push:ipc://$run/in" \
	--feed "sub:ipc://$run/feed?snapshot=ipc://$run/snapshot" 2>>bridge.log &
jobs+=($!)
set +m
until grep -q 'listening on' bridge.log; do
	kill -0 "${jobs[1]}" 2>>end.log || say_log bridge bridge.log
	sleep 0.2
done

echo
echo "The dashboard: $(sed -n 's/.*listening on //p' bridge.log | sed 's/127\.0\.0\.1/localhost/')"
echo "User admin, password $password"
echo "Ctrl-C ends it."
wait -n || :
kill -0 "${jobs[1]}" 2>>end.log && say_log "the pipeline" pipeline.log
say_log bridge bridge.log
