load helper

# bats file_tags=slow

# The page in a browser, before a pipeline that runs: on SQLite and on PostgreSQL.

MODULES=$ROOT/build/browser

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	PATH=$BIN:$PATH
	[ -e "$MODULES/.made" ] || skip "no modules for the browser (make browser)"
	command -v chromium >/dev/null || skip "no chromium here"
}

teardown() {
	for pid in simulate twin bridge; do
		[ ! -s $pid.pid ] || kill "$(cat $pid.pid)" 2>/dev/null || true
	done
	[ ! -e own/pg ] || "$ROOT/scripts/pg" stop own
}

# A fleet with two days of history, from now on a sample a second, to $DB and $FEED.
fleet_to() {
	local publish ask
	publish=tcp://127.0.0.1:$(free_port)
	ask=tcp://127.0.0.1:$(free_port)
	DB=$1 FEED="sub:$publish?snapshot=$ask"
	mkfifo feed.in
	(echo "$BASHPID" >twin.pid && exec twin -q -i - -i "pull:@ipc://$PWD/in") <feed.in 2>pipe.log 3>&- | alert -q 2>>pipe.log 3>&- |
		broadcast -q --bind "$publish" --snapshot "$ask" -o - 2>>pipe.log 3>&- |
		store -q --db "$DB" 2>>pipe.log 3>&- &
	simulate -q --live --interval 1s --batteries 48 --backfill 2d@15m >feed.in 2>>pipe.log 3>&- &
	echo $! >simulate.pid
}

account() {
	echo "$1 has a password" | bridge user add "$1" --role "$2" --db "$DB"
}

answers() {
	curl -fsS -o health "http://127.0.0.1:$PORT/api/v1/health" 2>/dev/null
}

# What the browser's test may do to the programs behind the page.
commands() {
	cat >kill.sh <<-'END'
		kill "$(cat bridge.pid)"
		while kill -0 "$(cat bridge.pid)" 2>/dev/null; do sleep 0.05; done
	END
	cat >start.sh <<-END
		bridge --db '$DB' --listen 127.0.0.1:$PORT --feed '$FEED' --into 'push:ipc://$PWD/in' 2>>bridge.log >/dev/null 3>&- &
		echo \$! >bridge.pid
	END
	cat >stop.sh <<-'END'
		kill "$(cat simulate.pid)"
	END
}

drive() {
	PORT=$(free_port)
	commands
	bash start.sh
	wait_until 20 answers
	BROWSER_MODULES=$MODULES SHOTS=$ROOT/build/screenshots timeout 200 \
		node "$ROOT/tests/browser/live.mjs" "http://127.0.0.1:$PORT"
}

known() {
	bridge user list --db "$DB" >users 2>/dev/null
}

@test "live on SQLite: values move, decisions are seen, a lost bridge loses nothing, a stopped feed is seen" {
	fleet_to sqlite:f.db
	wait_until 30 known
	account vera viewer
	account emil engineer
	drive
}

@test "live on PostgreSQL: values move, decisions are seen, a lost bridge loses nothing, a stopped feed is seen" {
	find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | grep -q . || skip "no PostgreSQL here"
	mkdir own
	fleet_to "$("$ROOT/scripts/pg" start own)"
	wait_until 30 known
	account vera viewer
	account emil engineer
	drive
}
