#!/usr/bin/env bash
# For cron: the files of a directory into a database, one run at a time, a line per run in
# a log. What was stored before is stored again without change. Status of the pipeline.
#
#   nightly.sh DIR DB LOG [MODEL-DIR]     e.g.  15 2 * * * nightly.sh /data sqlite:/var/lib/f.db /var/log/f.log
set -uo pipefail
[ $# -ge 3 ] || { sed -n '2,5p' "$0"; exit 2; }
exec 9>"$3.lock" || { echo "nightly: cannot write the lock '$3.lock'" >&2; exit 3; }
flock -n 9 || { echo "nightly: another run has the lock $3.lock" >&2; exit 3; }

start=$SECONDS status=0
"$(dirname "$(readlink -f "$0")")/load-dataset.sh" "$1" "$2" ${4:+"$4"} >"$3.last" 2>&1 || status=$?
[ $status -eq 0 ] || tail -n 20 "$3.last" >&2
printf '%(%FT%TZ)T %s into %s: status %d, %d s, %s\n' -1 "$1" "$2" $status $((SECONDS - start)) \
	"$(tail -n 1 "$3.last")" >>"$3"
exit $status
