#!/usr/bin/env bash
# Foretells the end of life (1.4 Ah) of the NASA ageing cells, and prints the table of the
# README. Another chemistry than ours; a cycle is taken for a day.
#
#   nasa.sh [DATA]     ($FLOATLINE_DATA, or ../shared/data)
#
# The twin's law of fade follows each cycle's capacity. Before that, it believes what the
# other cells did (twin --fit-fade): their life, the bend of their fade and the error of
# their capacities, which lasts some cycles after a rest; nothing of the cell's own.
# Beside it a straight line by least squares through the same cycles.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
data=${1:-${FLOATLINE_DATA:-$here/../../shared/data}}/nasa
[ -d "$data" ] || { echo "nasa.sh: no recorded data in '$data'" >&2; exit 3; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cells=("$data"/*.csv)
[ ${#cells[@]} -ge 2 ] || { echo "nasa.sh: a cell is foretold from the others, and there are no others in '$data'" >&2; exit 1; }

# A cell, new at cycle 0. The end of life is a capacity as it was measured, in a room of
# 24 degC: none of it is brought to 25.
cell() { # CSV
	floatline ingest -q -m nasa "$1" | floatline decode -q | jq -c '
		if .kind == "battery" then .installed = "2000-01-01T00:00:00Z"
		elif .kind == "capacity_test" then .ambient_c = null else . end' |
		floatline encode -q -o "$2"
}

# Capacity by cycle.
capacities() { # FL
	floatline decode -q -i "$1" --kind capacity_test |
		jq -r '[(.ts | fromdateiso8601) / 86400 - 10957, .measured_capacity_ah] | @tsv'
}

# What the twin says after the first CYCLES of a cell: its last remaining life.
foretell() { # CSV MODEL CYCLES
	local part
	part=$tmp/$(basename "$1")
	head -n $(($3 + 1)) "$1" >"$part"
	cell "$part" "$tmp/tests.fl"
	floatline ingest -q -m "$here/nasa-voltage.ini" --only telemetry "$part" -o "$tmp/samples.fl"
	floatline twin -q --rul-every 1d -m "$2" -i "$tmp/tests.fl" -i "$tmp/samples.fl" |
		floatline decode -q --kind rul | tail -n 1
}

# Where a straight line through the first CYCLES reaches 1.4 Ah.
straight() { # CYCLES <capacities
	awk -v most="$1" '$1 <= most { n++; x += $1; y += $2; xx += $1 * $1; xy += $1 * $2 }
		END { b = (n * xy - x * y) / (n * xx - x * x); printf "%.0f", (1.4 - (y - b * x) / n) / b }'
}

# The rows of one cell whose end of life is known, or is over the cycles it has.
rows() { # NAME OTHERS
	local cycles end from
	cycles=$(awk 'END { print $1 }' "$tmp/$1.tsv")
	end=$(awk '$2 < 1.4 { print $1; exit }' "$tmp/$1.tsv")
	for from in 60 80 100; do
		[ "$from" -lt "${end:-$cycles}" ] || break
		foretell "$data/$1.csv" "$tmp/prior.ini" $from | jq -r --arg name "$1" --arg others "$2" \
			--argjson from $from --argjson eol "${end:-null}" --argjson cycles "$cycles" \
			--argjson line "$(straight $from <"$tmp/$1.tsv")" '
			($from + .rul_days | round) as $at
			| "| \($name), \($others) | \($from) | \($at) (\($from + .lower_days | round) to \($from + .upper_days | round)) | \(
				$eol // "over \($cycles)") | \(if $eol then $at - $eol else "" end) | \(
				if $eol then $line - $eol else "" end) |"'
	done
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

for csv in "${cells[@]}"; do
	name=$(basename "$csv" .csv)
	cell "$csv" "$tmp/$name.fl"
	capacities "$tmp/$name.fl" >"$tmp/$name.tsv"
done
printf '| cell, told by | from cycle | end foretold (90 %% interval) | true end | error | of a straight line |\n|---|---|---|---|---|---|\n'
for csv in "${cells[@]}"; do
	name=$(basename "$csv" .csv) names=() others=()
	for other in "${cells[@]}"; do
		[ "$other" != "$csv" ] || continue
		names+=("$(basename "$other" .csv)")
		others+=(-i "$tmp/$(basename "$other" .csv).fl")
	done
	floatline twin -q -m nasa-18650 --fit-fade "$tmp/prior.ini" "${others[@]}" >"$tmp/fade"
	rows "$name" "${names[*]}"
done
end=$(awk '{ at = $1 } $2 < 1.4 { exit } END { print at }' "$tmp/$(basename "${cells[0]}" .csv).tsv")
refusal "${cells[0]}" "$end"
