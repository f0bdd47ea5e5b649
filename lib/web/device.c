#include "web/device.h"

#include "db/query.h"
#include "web/cell.h"

/* How often a device's last visit is written: not with each sample. */
enum { SEEN_EVERY_MS = MINUTE_MS };

int device_add(struct db *db, const char *name, const char *sites, int64_t now,
	char token[REFRESH_TOKEN_SIZE], struct err *err)
{
	char hash[TOKEN_HASH_SIZE];
	int64_t changed = 0;
	if (refresh_token_make(token, hash, err) < 0 ||
		db_write(db,
			DB_QUERY("INSERT INTO device_token (name, sites, hash, "
				 "created) VALUES ($1, $2, $3, CAST($4 AS bigint)) ON "
				 "CONFLICT DO NOTHING",
				name, sites, hash, number(now).text),
			&changed, err) < 0)
		return -1;
	return changed > 0;
}

struct found {
	struct account *a;
	int64_t id, seen;
};

static int take(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct found *f = ctx;
	f->id = cell_int(cells[0]);
	f->seen = cell_time(cells[3]);
	str_copy(f->a->username, sizeof(f->a->username), str_of(cells[1]));
	str_copy(f->a->sites, sizeof(f->a->sites), str_of(cell_text(cells[2])));
	f->a->role = ROLE_VIEWER;
	return 0;
}

int device_check(struct db *db, struct str token, int64_t now, struct account *a,
	struct err *err)
{
	struct found f = {a, 0, TIME_NIL};
	char hash[TOKEN_HASH_SIZE];
	refresh_token_hash(token, hash);
	if (db_select(db,
		    DB_QUERY(
			    "SELECT id, name, sites, last_seen FROM device_token WHERE "
			    "hash = $1",
			    hash),
		    take, &f, err) < 0)
		return -1;
	if (!f.id)
		return 0;
	if (f.seen != TIME_NIL && now - f.seen < SEEN_EVERY_MS)
		return 1;
	return db_write(db,
		       DB_QUERY("UPDATE device_token SET last_seen = CAST($1 AS "
				"bigint) WHERE id = CAST($2 AS integer)",
			       number(now).text, number(f.id).text),
		       NULL, err) < 0
		       ? -1
		       : 1;
}
