/*
 * lib/db alone: puts N minutes of 24 jars, in order of time, into the database of the
 * URL and prints rows and seconds. "telemetry" or "twin" says which rows.
 *
 *	build/tests/bench/db_bench sqlite:/tmp/x.db telemetry 129600 schemas/sql
 */
#include "base/now.h"
#include "db/db.h"
#include "record/schema.h"

#include <stdio.h>
#include <stdlib.h>

enum { JARS = 24, COMMIT_ROWS = 250000, COMMIT_BYTES = 40 << 20 };

static double seconds(void)
{
	return (double)now_steady_ns() / 1e9;
}

static void fill(union rec_any *r, int kind, int64_t minute, int jar, char *code)
{
	record_clear(kind_info(kind), r);
	struct str s = {
		code, (uint32_t)sprintf(code, "DC-CNX-01-UPS-01-S1-J%02d", jar)};
	int64_t ts = INT64_C(1735689600000) + minute * MINUTE_MS;
	float wave = (float)((minute * 7 + jar * 13) % 1000) / 1000;
	if (kind == KIND_telemetry) {
		r->telemetry.ts = ts;
		r->telemetry.battery = s;
		r->telemetry.voltage_v = 13.5f + wave / 10;
		r->telemetry.current_a = wave;
		r->telemetry.temperature_c = 25 + wave;
		r->telemetry.resistance_mohm = 3.5f + wave;
		r->telemetry.mode = mode_float;
		r->telemetry.quality = 0;
		return;
	}
	r->twin_state.ts = ts;
	r->twin_state.battery = s;
	r->twin_state.unit = 0;
	for (float *f = &r->twin_state.soc_pct; f <= &r->twin_state.nis; f++)
		*f = wave * 97.123456f;
	r->twin_state.observable = 5;
	r->twin_state.reset = twin_reset_none;
}

static int load(struct db *db, int kind, int64_t minutes, struct err *err)
{
	static union rec_any rec;
	char code[64];
	for (int64_t m = 0; m < minutes; m++) {
		for (int j = 1; j <= JARS; j++) {
			fill(&rec, kind, m, j, code);
			if (db_put(db, kind, &rec, err) < 0)
				return -1;
		}
		if ((db_pending_rows(db) >= COMMIT_ROWS ||
			    db_pending_bytes(db) >= COMMIT_BYTES) &&
			db_commit(db, err) < 0)
			return -1;
	}
	return db_commit(db, err);
}

int main(int argc, char **argv)
{
	struct err err = {0};
	if (argc != 5) {
		fprintf(stderr, "usage: db_bench URL telemetry|twin MINUTES DIR\n");
		return 2;
	}
	int kind = strcmp(argv[2], "twin") == 0 ? KIND_twin_state : KIND_telemetry;
	double start = seconds();
	struct db *db = db_open(argv[1], DB_CREATE, &err);
	int r = db && db_ready(db, argv[4], &err) == 0 && db_set_run(db, "", &err) == 0
			? load(db, kind, strtoll(argv[3], NULL, 10), &err)
			: -1;
	int64_t rows = db ? db_committed_rows(db) : 0;
	db_close(db);
	if (r < 0)
		fprintf(stderr, "db_bench: %s\n", err.msg);
	else
		printf("%lld rows in %.2f s\n", (long long)rows, seconds() - start);
	return r < 0 ? 3 : 0;
}
