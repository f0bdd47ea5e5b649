#!/usr/bin/env bash
# Draws what is to be judged by eye: the twin on recorded batteries, the simulator's fleet.
#
#   validate-plots.sh DIR [DATA]     (SVG files; $FLOATLINE_DATA, or ../shared/data)
#
# Without recorded data it draws the simulated plots alone. The recorded batteries are
# drawn with the models of validate.sh: a BBOXX day with one identified from the other
# days, UB121000 with one from itself. The filter starts 15 % wrong. Needs gnuplot.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,9p' "$0" >&2; exit 2; }
command -v gnuplot >/dev/null || { echo "validate-plots.sh: no gnuplot (Debian: gnuplot-nox)" >&2; exit 3; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
data=${2:-${FLOATLINE_DATA:-$here/../../shared/data}}
[ ! -d "$data" ] || data=$(cd "$data" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# plot NAME TITLE < the gnuplot commands that differ
plot() {
	{
		printf 'set terminal svg size 960,540 font "sans,13" background "white"\n'
		printf 'set output "%s/%s.svg"\nset title "%s"\n' "$out" "$1" "$2"
		printf 'set datafile separator comma\nset key below\nset grid lc rgb "#dddddd"\n'
		cat
	} | gnuplot
	echo "$1.svg: $2"
}

# points MODEL [ERROR] < stream: hours since the load, and the columns of --points.
points() {
	floatline twin -q -m "$1" --evaluate --points --start-error "${2:-0}" |
		TZ=UTC awk -F, -v OFS=, 'NR == 1 { next }
			NF < 2 { first = 0; print ""; next }
			{ gsub(/[TZ]/, " ", $2); t = $2; sub(/\..*/, "", t); gsub(/[-:]/, " ", t); s = mktime(t)
			  if (!first) first = s
			  print (s - first) / 3600, $3, $4, $5, $6, $7 }'
}

# discharge NAME TITLE: both plots of the points in NAME.csv.
discharge() {
	plot "$1-voltage" "$2: voltage, measured and by the model alone" <<-END
		set xlabel "hours since the load came"; set ylabel "V"
		plot "$1.csv" using 1:2 with points pt 7 ps 0.25 lc rgb "#888888" title "measured",\\
			"" using 1:3 with lines lw 2 lc rgb "#cc0000" title "open loop: current in, voltage out, no correction"
	END
	plot "$1-soc" "$2: state of charge, started 15 % wrong" <<-END
		set xlabel "hours since the load came"; set ylabel "%"; set yrange [-5:110]
		plot "$1.csv" using 1:(\$5 - 1.645 * \$6):(\$5 + 1.645 * \$6) with filledcurves fc rgb "#c6d9f1" title "90 % band",\\
			"" using 1:5 with lines lw 2 lc rgb "#3465a4" title "filter",\\
			"" using 1:4 with lines lw 2 dt 2 lc rgb "#000000" title "reference: charge taken out"
	END
}

recorded() {
	local days=("$data"/bboxx/*.csv)
	floatline ingest -q -m bboxx "${days[@]:1}" | floatline twin -q -m agm-12v-17 --fit others.ini >/dev/null
	floatline ingest -q -m bboxx "${days[0]}" | points ./others.ini -15 >bboxx.csv
	discharge bboxx "BBOXX 17 Ah, a day the model has not seen"
	floatline ingest -q -m ub121000 "$data"/ub121000/*.csv >run
	floatline twin -q -m gpl12-100 --fit itself.ini -i run >/dev/null
	points ./itself.ini -15 <run >ub121000.csv
	discharge ub121000 "UB121000 100 Ah, its model identified from this run"
}

# A string's blocks through eleven years, by the truth.
fleet_life() {
	floatline simulate -q --batteries 24 --start 2014-01-01 --days 4000 --interval 1h \
		--truth --truth-interval 30d |
		floatline decode -q -k truth --fields battery,unit,ts,soh_pct,resistance_mohm --csv |
		sort -t, -k1,1 -k2,2n -k3,3 -s |
		awk -F, -v OFS=, '/^battery/ { next }
			$1 FS $2 != last { if (last) print ""; last = $1 FS $2 }
			{ print substr($3, 1, 10), $4, $5 }' >life
	plot fleet-life "A simulated string through eleven years, blocks replaced when found below 80 %" <<-END
		set xdata time; set timefmt "%Y-%m-%d"; set format x "%Y"; unset key
		set ylabel "capacity at 25 degC and the 10 h rate, % of rated"; set yrange [50:115]
		plot "life" using 1:2 with lines lc rgb "#3465a4", 80 with lines lc rgb "#cc0000" dt 2
	END
	plot fleet-resistance "The same string: ohmic resistance against capacity" <<-END
		set xlabel "capacity, % of rated"; set ylabel "ohmic resistance at 25 degC, mohm"; unset key
		set xrange [50:115]; plot "life" using 2:3 with points pt 7 ps 0.2 lc rgb "#3465a4"
	END
}

# Float current of strings against the temperature of their blocks, and the law.
float_current() {
	floatline simulate -q --batteries 216 --start 2026-01-01 --days 90 --interval 1h \
		--scenario high_temperature:all:start=+20d:value=12:rate=0.01 >site
	floatline decode -q -k telemetry --fields ts,battery,temperature_c,mode --csv -i site |
		awk -F, -v OFS=, 'NR > 1 && $4 == "float" && $3 != "" {
			k = $1 FS substr($2, 1, match($2, /-J[0-9]+$/) - 1); t[k] += $3; n[k]++ }
			END { for (k in t) print k, t[k] / n[k] }' | sort >temperature
	floatline decode -q -k string_telemetry --fields ts,string,float_current_a,mode --csv -i site |
		awk -F, -v OFS=, 'NR > 1 && $4 == "float" && $3 != "" { print $1, $2, $3 * 1000 }' | sort |
		awk -F, -v OFS=, 'NR == FNR { t[$1 FS $2] = $3; next }
			($1 FS $2) in t && FNR % 3 == 0 { print t[$1 FS $2], $3 }' temperature - >pairs
	plot float-current "Float current of nine simulated strings whose room warms slowly by 12 K" <<-END
		set xlabel "mean temperature of the string's blocks, degC"; set ylabel "float current, mA"
		set logscale y; set yrange [5:500]
		plot "pairs" using 1:2 with points pt 7 ps 0.2 lc rgb "#3465a4" title "string, hourly, the charger compensating",\\
			20 * 2 ** ((x - 25) / 11.6) lw 2 lc rgb "#cc0000" title "a new block held at 13.65 V: 20 mA at 25 degC, doubling per 11.6 K"
	END
}

if [ -d "$data/bboxx" ]; then recorded; else
	echo "validate-plots.sh: no recorded data in '$data': the simulated plots alone" >&2
fi
fleet_life
float_current
