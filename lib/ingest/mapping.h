/*
 * A mapping: how the columns of a foreign file become the fields of one record kind.
 * An INI file, see floatline-mapping(5). Everything a column is not mapped to is named
 * under [ignore]: dropped by decision, never by silence.
 */
#ifndef INGEST_MAPPING_H
#define INGEST_MAPPING_H

#include "ingest/clock.h"
#include "record/schema.h"

enum {
	MAP_NAME_SIZE = 96, /* a column name */
	MAP_TARGETS_MAX = 96,
	MAP_LIST_MAX = 128,
	MAP_TABLES_MAX = 8,
	MAP_SENTINELS_MAX = 8,
	MAP_CARRY_MAX = 8,
};

/* One column to one field: value * factor + offset. */
struct map_target {
	char column[MAP_NAME_SIZE];
	int field; /* of the kind */
	int bit;   /* BITS: the bit a true value sets */
	int table; /* 'via': index of a table, -1 none */
	double factor, offset;
	int64_t carry_ms; /* > 0: last value is carried as long as this */
};
struct map_sentinels {
	char column[MAP_NAME_SIZE]; /* "*": every numeric column */
	int n;
	double v[MAP_SENTINELS_MAX];
};
struct map_constant {
	int field;
	char text[MAP_NAME_SIZE];
};
struct map_word {
	int field, value;
	char word[MAP_NAME_SIZE]; /* as the file writes it */
};
/* A file that translates identities: key column to value column. */
struct map_table {
	char name[32], file[64], key[MAP_NAME_SIZE], value[MAP_NAME_SIZE];
};

struct mapping {
	char name[64];
	int kind;
	const struct kind_info *info;
	char delimiter; /* 0: ',' */
	bool ndjson;
	bool partial; /* completes other records: identity and ts may be missing */
	struct clock_spec clock;
	char time_column[MAP_NAME_SIZE], key_column[MAP_NAME_SIZE];
	char id_column[MAP_NAME_SIZE], id_constant[CODE_MAX + 1];
	char id_file[MAP_NAME_SIZE]; /* glob with one {}: the code's {} */
	char id_code[CODE_MAX + 1];
	int id_table;
	char model[CODE_MAX + 1];
	int64_t join_ms; /* classic layout: how old a string's sample may be */
	int ntargets, nignored, nconstants, nwords, nsentinels, ntables;
	struct map_target targets[MAP_TARGETS_MAX];
	char ignored[MAP_LIST_MAX][MAP_NAME_SIZE];
	struct map_constant constants[MAP_LIST_MAX];
	struct map_word words[MAP_LIST_MAX];
	struct map_sentinels sentinels[MAP_LIST_MAX];
	struct map_table tables[MAP_TABLES_MAX];
};

/*
 * Reads a mapping from INI text. Returns 0, or -1 with ERR_USAGE naming 'name', line
 * and key.
 */
int mapping_parse(
	struct mapping *m, const char *name, const char *text, struct err *err);
/* Reads the file at path. As mapping_parse; ERR_IO when it cannot be read. */
int mapping_load(struct mapping *m, const char *path, struct err *err);
/* A path where there is one of that name, else the bundled schemas/mappings/NAME.ini.
 */
int mapping_named(struct mapping *m, const char *name, struct err *err);
/*
 * The bundled mapping of schemas/mappings whose columns are exactly these. Returns 0,
 * or -1 with ERR_USAGE: none, or more than one.
 */
int mapping_detect(struct mapping *m, const struct str *columns, int n,
	const char *source, struct err *err);
/* What the mapping does with a column: 1 uses it, 0 ignores it, -1 does not know it. */
int mapping_column(const struct mapping *m, struct str column);
/* Field that names who a record is about ("battery", "string", "code" …), or -1. */
int identity_field(const struct kind_info *info);

#endif
