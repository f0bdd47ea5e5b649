/*
 * Schemas: what the fields of a kind are, as this build knows it (kind_info) and as a
 * stream declares it (struct schema). A reader maps one onto the other by field name,
 * so that programs of different versions mix in one pipeline.
 */
#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"
#include "record/kinds.h"

enum field_type {
	T_TIME,
	T_INT,
	T_LONG,
	T_F32,
	T_F64,
	T_ENUM,
	T_BITS,
	T_BOOL,
	T_CODE,
	T_TEXT,
	T_PAIRS,
	T_STRS,
	T_COUNTS,
	T_CHAIN,
	T_ANY, /* of a later version: carried and shown, not understood */
	T_COUNT
};

struct name_set {
	const char *name;
	int n;
	const char *const *words;
};

struct field_info {
	const char *name;
	enum field_type type;
	const char *unit;
	const struct name_set *names; /* ENUM, BITS; else the empty set */
	bool need;                    /* never nil */
	uint32_t offset;              /* in the C struct */
	const char *doc;
};

struct kind_info {
	int kind;
	const char *name;
	int version;
	int nfields;
	const struct field_info *fields;
	uint32_t size; /* of the C struct */
	uint32_t room; /* bytes its fields take at most, but for texts and lists … */
	uint32_t varied; /* … of which it has so many */
	const char *doc;
};

/* What this build knows of a kind; NULL for a kind it does not know (schema is not
 * listed). */
const struct kind_info *kind_info(int kind);
const struct kind_info *kind_by_name(struct str name);
/* All kinds in number order: for (i = 0; (k = kind_at(i)); i++). NULL past the last. */
const struct kind_info *kind_at(int i);
/* origin, end and schema records frame a stream; they have no schema record of their
 * own. */
bool kind_is_frame(int kind);
/* Index of the field, or -1. */
int field_index(const struct kind_info *k, struct str name);
/* The word's value, or -1. */
int name_value(const struct name_set *s, struct str word);
/* "time", "int" … as in a schema record. */
const char *field_type_name(enum field_type t);
/* The field named 'ts' of a decoded struct of kind k; TIME_NIL where it has none. */
int64_t record_ts(const struct kind_info *k, const void *rec);
/* Sets one field of the struct to missing. */
void field_clear(const struct field_info *f, void *rec);
/* Sets every field of the struct of kind k to missing. */
void record_clear(const struct kind_info *k, void *rec);

/* One field of a kind as a stream declares it. Strings are owned by the schema. */
struct schema_field {
	char *name;
	enum field_type type;
	char *unit;
	char **words; /* ENUM, BITS */
	int nwords;
	int to;           /* index in our kind_info, -1 unknown to us */
	int8_t remap[32]; /* their word -> ours, -1 unknown to us */
	int8_t unmap[32]; /* our word -> theirs, -1 not in the stream */
	bool remapped;    /* remap is not the identity */
};

struct schema {
	int kind;
	char *name;
	int version;
	int nfields;
	struct schema_field *fields;
	const struct kind_info *info; /* NULL: a kind unknown to this build */
	int ts_field, subject_field;  /* which tell when and about whom; -1 none */
	bool native; /* same fields, types and words as ours: no mapping needed */
	int8_t from[FIELDS_MAX]; /* our field -> theirs, -1 not in the stream */
	uint8_t *wire;           /* the schema record itself */
	size_t wire_len;
};

/*
 * Reads a whole schema record (msgpack bytes). Returns a new schema, or NULL with
 * ERR_DATA: malformed, over a bound, a field twice, a known field with another type, a
 * needed field missing.
 */
struct schema *schema_parse(const uint8_t *p, size_t n, struct err *err);
/* Our own schema of kind k. Returns a new schema, or NULL when out of memory. */
struct schema *schema_native(const struct kind_info *k, struct err *err);
void schema_free(struct schema *s);
/* Same declaration, byte for byte. */
bool schema_same(const struct schema *a, const struct schema *b);

#endif
