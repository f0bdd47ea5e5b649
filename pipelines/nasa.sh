#!/usr/bin/env bash
# Foretells the end of life (1.4 Ah) of the NASA ageing cells, and prints the table of the
# README. Another chemistry than ours; a cycle is taken for a day.
#
#   nasa.sh [DATA]     ($FLOATLINE_DATA, or ../shared/data)
#
# The twin's law of fade follows each cycle's capacity. Before that, it believes what the
# other cells did: their life and the bend of their fade (by regression of the log of the
# fade on the log of the cycle) go into the battery model, nothing of the cell's own.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
data=${1:-${FLOATLINE_DATA:-$here/../../shared/data}}/nasa
[ -d "$data" ] || { echo "nasa.sh: no recorded data in '$data'" >&2; exit 3; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cells=("$data"/*.csv)
[ ${#cells[@]} -ge 2 ] || { echo "nasa.sh: a cell is foretold from the others, and there are no others in '$data'" >&2; exit 1; }

# Capacity by cycle, as ingest reads it: "cycle Ah".
capacities() {
	floatline ingest -q -m nasa "$1" | floatline decode -q --kind capacity_test |
		jq -r '[(.ts | fromdateiso8601) / 86400 - 10957, .measured_capacity_ah] | @tsv'
}

# The battery model with the prior of some cells' capacities (files of cycle and Ah): of
# C = C0 (1 - 0.2 (n/L)^p) the mean p and ln L.
prior() {
	awk '
		function fit() {
			if (n < 3) return
			slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
			p += slope; life += sx / n - sy / n / slope; cells++
			n = sx = sy = sxx = sxy = 0
		}
		FNR == 1 { fit(); new = $2 }
		$2 < 0.98 * new {
			x = log($1); y = log((1 - $2 / new) / 0.2)
			n++; sx += x; sy += y; sxx += x * x; sxy += x * y
		}
		END {
			fit()
			# the model file has the scale of a Weibull life of shape 4, whose
			# median is 0.9124 of it
			printf "ageing_exponent = %.3f\nweibull_scale_years = %.5f\n", \
				p / cells, exp(life / cells) / 365.25 / 0.912444
		}' "$@" >"$tmp/prior"
	sed -e '/^ageing_exponent\|^weibull_scale_years/d' -e "/^\[ageing\]/r $tmp/prior" \
		"$here/../schemas/models/nasa-18650.ini"
}

# What the twin says after the first CYCLES of a cell: its last remaining life.
foretell() { # CSV MODEL CYCLES
	local part
	part=$tmp/$(basename "$1")
	head -n $(($3 + 1)) "$1" >"$part"
	floatline ingest -q -m nasa "$part" | floatline decode -q |
		jq -c 'if .kind == "battery" then .installed = "2000-01-01T00:00:00Z" else . end' |
		floatline encode -q -o "$tmp/tests.fl"
	floatline ingest -q -m "$here/nasa-voltage.ini" --only telemetry "$part" -o "$tmp/samples.fl"
	floatline twin -q --rul-every 1d -m "$2" -i "$tmp/tests.fl" -i "$tmp/samples.fl" |
		floatline decode -q --kind rul | tail -n 1
}

# Where a straight line through the first CYCLES reaches 1.4 Ah.
straight() { # CYCLES <capacities
	awk -v most="$1" '$1 <= most { n++; x += $1; y += $2; xx += $1 * $1; xy += $1 * $2 }
		END { b = (n * xy - x * y) / (n * xx - x * x); printf "%.0f", (1.4 - (y - b * x) / n) / b }'
}

# One cell, with its whole life known, is too few to train on: how train says so.
refusal() { # CSV END
	if floatline ingest -q -m "$here/nasa-voltage.ini" "$1" | floatline decode -q |
		jq -c --argjson eol "$2" 'if .kind == "telemetry" then
			., {kind: "truth", ts, battery, unit: 0, censored: false,
				rul_days: ($eol - (.ts | fromdateiso8601) / 86400 + 10957)} else . end' |
		floatline encode -q | floatline featurize -q --windows 24 --max-gap 1d |
		floatline train -q --out "$tmp/model" 2>"$tmp/said"; then
		echo "nasa.sh: train made a model of one cell" >&2
		return 1
	fi
	grep '^train: too few batteries' "$tmp/said" >"$tmp/refusal" || { cat "$tmp/said" >&2; return 1; }
	printf '\n> %s\n' "$(cat "$tmp/refusal")"
}

for cell in "${cells[@]}"; do capacities "$cell" >"$tmp/$(basename "$cell" .csv)"; done
printf '| cell, told by | from cycle | end foretold (90 %% interval) | true end | error | of a straight line |\n|---|---|---|---|---|---|\n'
for cell in "${cells[@]}"; do
	name=$(basename "$cell" .csv) others=()
	for other in "${cells[@]}"; do
		[ "$other" = "$cell" ] || others+=("$tmp/$(basename "$other" .csv)")
	done
	prior "${others[@]}" >"$tmp/prior.ini"
	end=$(awk '$2 < 1.4 { print $1; exit }' "$tmp/$name")
	for from in 60 80 100; do
		foretell "$cell" "$tmp/prior.ini" $from | jq -r --arg name "$name" --argjson from $from \
			--argjson eol "$end" --argjson line "$(straight $from <"$tmp/$name")" \
			--arg others "$(basename -a "${others[@]}" | paste -sd ' ')" '
			($from + .rul_days | round) as $at
			| "| \($name), \($others) | \($from) | \($at) (\($from + .lower_days | round) to \($from + .upper_days | round)) | \($eol) | \($at - $eol) | \($line - $eol) |"'
	done
done
refusal "${cells[0]}" "$end"
