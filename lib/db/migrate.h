/*
 * Migrations: the numbered files of schemas/sql.
 *
 *	NNNN_name.up.sql, NNNN_name.down.sql		for both back ends
 *	NNNN_name.sqlite.up.sql …			for one (postgres, sqlite)
 *	sqlite.dialect, postgres.dialect		lines "word = text"
 *
 * In a migration @word@ stands for the text the back end's dialect gives it. The table
 * schema_migrations holds number, name and checksum of what was applied.
 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "base/buf.h"
#include "base/err.h"

enum { MIGRATION_NAME_MAX = 64 };

struct migration {
	int number;
	char name[MIGRATION_NAME_MAX];
	char *up, *down;   /* expanded; "" where this back end needs nothing */
	char checksum[17]; /* of up and down */
};

struct migrations {
	struct migration *v;
	size_t n;
};

struct migration_file {
	int number;
	char name[MIGRATION_NAME_MAX];
	char backend[16]; /* "" both */
	bool down;
};

/* Takes the name of a file apart. Returns false when it is no migration's. */
bool migration_file_parse(const char *file, struct migration_file *out);

/*
 * Replaces each @word@ of text by the dialect's ("word = text" lines). Returns 0, or -1
 * with ERR_USAGE for a word the dialect does not have.
 */
int migration_expand(
	const char *dialect, const char *text, struct buf *out, struct err *err);

/*
 * Reads the migrations of dir for a back end, in order of number from 1 without gaps.
 * ERR_IO: unreadable; ERR_USAGE: a number missing or twice, half a pair, an unknown
 * word.
 */
int migrations_load(
	struct migrations *m, const char *dir, const char *backend, struct err *err);
void migrations_release(struct migrations *m);

/* The folder of the migrations that came with floatline. ERR_IO when there is none. */
int migrations_dir(char *dir, size_t size, struct err *err);

#endif
