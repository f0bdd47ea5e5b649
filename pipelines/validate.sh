#!/usr/bin/env bash
# Measures the twin on recorded batteries and prints the table of the README.
#
#   validate.sh [DATA]               ($FLOATLINE_DATA, or ../shared/data)
#   validate.sh --plots DIR [DATA]   draws it instead, as SVG files: see validate-plots.sh
#
# A BBOXX day is measured with the battery model that comes along, identified from all of
# them, and with one identified from the other days alone, from a start that knows nothing
# of this battery; UB121000 is one run, so its model, identified from the
# same kind of start, is measured on what it was identified from.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ "${1:-}" != --plots ] || exec "$here/validate-plots.sh" "${@:2}"
data=${1:-${FLOATLINE_DATA:-$here/../../shared/data}}
[ -d "$data/bboxx" ] || { echo "validate.sh: no recorded data in '$data'" >&2; exit 3; }
days=("$data"/bboxx/*.csv)
[ ${#days[@]} -gt 1 ] || { echo "validate.sh: one day in '$data/bboxx': its model is identified from the others" >&2; exit 3; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

read_as() { floatline ingest -q -m "$1" "${@:2}"; }
fit() { floatline twin -q -m "$1" --fit "$tmp/$1.ini"; }
evaluate() { floatline twin -q -m "$1" --evaluate --start-error "$2" | grep ' SOC .* open loop '; }
# From lines of --evaluate to rows: roots of mean squares.
rows() {
	awk -v data="$1" '
		function rms(sum) { return n ? sqrt(sum / n) : 0 }
		{ n++; soc += $8^2; nis += $11; ahead += $14^2; held += $17^2; worst = $8 > worst ? $8 : worst }
		$20 != "-" { open += $20^2; opens++ }
		END {
			printf "| %s | SOC after the first hour, rmse of %d (worst); mean NIS | %.1f %% (%.1f); %.2f |\n", data, n, rms(soc), worst, nis / n
			printf "| %s | voltage 10 minutes ahead (last value held) | %.0f mV (%.0f) |\n", data, rms(ahead), rms(held)
			if (opens) printf "| %s | open loop over a discharge, SOC over 10 %% | %.0f mV |\n", data, sqrt(open / opens)
		}' "$2"
	times "$1" <"$2"
}
# The row of times to the cut-off: median of the errors at 25, 50 and 75 % discharged.
times() {
	awk -v data="$1" '
		{ for (i = 23; i <= NF; i++) { split($i, m, ":"); out += m[2] ~ /!/; e = m[2] + 0
			left[++k] = e < 0 ? -e : e } }
		END {
			for (i = 1; i <= k; i++) for (j = i; j > 1 && left[j] < left[j - 1]; j--) {
				t = left[j]; left[j] = left[j - 1]; left[j - 1] = t }
			printf "| %s | time to the cut-off, median error; 90 %% interval holds | %.0f %%; %d of %d |\n", data, (left[int((k + 1) / 2)] + left[int(k / 2) + 1]) / 2, k - out, k
		}'
}

for day in "${days[@]}"; do
	others=()
	for other in "${days[@]}"; do [ "$other" = "$day" ] || others+=("$other"); done
	read_as bboxx "${others[@]}" | fit agm-12v-17 >"$tmp/other-days"
	read_as bboxx "$day" >"$tmp/day"
	evaluate "$tmp/agm-12v-17.ini" -15 <"$tmp/day" >>"$tmp/bboxx"
	evaluate bboxx-17 -15 <"$tmp/day" >>"$tmp/bboxx-17"
done
read_as ub121000 "$data"/ub121000/*.csv >"$tmp/run"
fit gpl12-100 <"$tmp/run" >"$tmp/fit"
evaluate "$tmp/gpl12-100.ini" -15 <"$tmp/run" >"$tmp/ub121000"
read_as lead-acid-discharge "$data"/lead-acid-discharge/*.csv |
	evaluate generic-12v-85 0 >"$tmp/stepped"

printf '| data | quantity | measured |\n|---|---|---|\n'
rows "bboxx, its model bboxx-17" "$tmp/bboxx-17"
rows "bboxx, model from other days" "$tmp/bboxx"
rows "ub121000, model from itself" "$tmp/ub121000"
sed -nE 's/^(charge below|discharge above|rest after)(.*[a-z%]) +([0-9.]+ mV) .*/| ub121000 | open loop, \1\2 | \3 |/p
	s/^capacity: (.*)/| ub121000 | capacity | \1 |/p' "$tmp/fit"
rows "lead-acid-discharge, generic model" "$tmp/stepped"
cat "$tmp/bboxx" "$tmp/ub121000" "$tmp/stepped" | times "all three together"
