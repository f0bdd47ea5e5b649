#include "record/schema.h"

#include "record/mp.h"

#include <math.h>
#include <stdlib.h>

/* clang-format off */
#define KIND(number, name, version, doc)
#define FIELD(kind, name, type, unit, set, need, doc)
#define END_KIND(name)
#define NAMES(set) static const char *const words_##set[] = {
#define NAME(set, word) #word,
#define END_NAMES(set) }; static const struct name_set names_##set = \
	{#set, set##_count, words_##set};
#include "records.def"
#undef NAMES
#undef NAME
#undef END_NAMES
#undef KIND
#undef FIELD
#undef END_KIND

#define NAMES(set)
#define NAME(set, word)
#define END_NAMES(set)
#define NEED true
#define MAY false
static const struct name_set names_none = {"none", 0, NULL};
#define KIND(number, name, version, doc) static const struct field_info fields_##name[] = {
#define FIELD(kind, name, type, unit, set, need, doc) \
	{#name, T_##type, unit, &names_##set, need, (uint32_t)offsetof(struct rec_##kind, name), doc},
#define END_KIND(name) };
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND

/* Room on the wire and variability of a kind, as sums over its fields. */
enum {
	ROOM_TIME = MP_SCALAR_MAX, ROOM_INT = MP_SCALAR_MAX, ROOM_LONG = MP_SCALAR_MAX,
	ROOM_F32 = MP_SCALAR_MAX, ROOM_F64 = MP_SCALAR_MAX, ROOM_ENUM = MP_SCALAR_MAX,
	ROOM_BITS = MP_SCALAR_MAX, ROOM_BOOL = MP_SCALAR_MAX, ROOM_CODE = MP_SCALAR_MAX + CODE_MAX,
	ROOM_TEXT = MP_SCALAR_MAX, ROOM_PAIRS = MP_SCALAR_MAX, ROOM_STRS = MP_SCALAR_MAX,
	ROOM_COUNTS = MP_SCALAR_MAX, ROOM_CHAIN = MP_SCALAR_MAX,
	VARY_TIME = 0, VARY_INT = 0, VARY_LONG = 0, VARY_F32 = 0, VARY_F64 = 0, VARY_ENUM = 0,
	VARY_BITS = 0, VARY_BOOL = 0, VARY_CODE = 0, VARY_TEXT = 1, VARY_PAIRS = 1, VARY_STRS = 1,
	VARY_COUNTS = 1, VARY_CHAIN = 1,
};
#define KIND(number, name, version, doc) enum { room_##name = 0
#define FIELD(kind, name, type, unit, set, need, doc) + ROOM_##type
#define END_KIND(name) };
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND
#define KIND(number, name, version, doc) enum { varied_##name = 0
#define FIELD(kind, name, type, unit, set, need, doc) + VARY_##type
#define END_KIND(name) };
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND

#define KIND(number, name, version, doc) \
	static const struct kind_info info_##name = {number, #name, version, NFIELDS_##name, \
		fields_##name, (uint32_t)sizeof(struct rec_##name), room_##name, varied_##name, doc};
#define FIELD(kind, name, type, unit, set, need, doc)
#define END_KIND(name)
#include "records.def"
#undef KIND

static const struct kind_info *const by_number[KIND_MAX + 1] = {
#define KIND(number, name, version, doc) [number] = &info_##name,
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND
#undef NAMES
#undef NAME
#undef END_NAMES
};
/* clang-format on */

static const char *const type_names[T_COUNT] = {"time", "int", "long", "f32", "f64",
	"enum", "bits", "bool", "code", "text", "pairs", "strs", "counts", "chain",
	"any"};

const struct kind_info *kind_info(int kind)
{
	return kind >= 0 && kind <= KIND_MAX ? by_number[kind] : NULL;
}

const struct kind_info *kind_at(int i)
{
	for (int k = 0; k <= KIND_MAX; k++)
		if (by_number[k] && i-- == 0)
			return by_number[k];
	return NULL;
}

const struct kind_info *kind_by_name(struct str name)
{
	for (int k = 0; k <= KIND_MAX; k++)
		if (by_number[k] && str_is(name, by_number[k]->name))
			return by_number[k];
	return NULL;
}

bool kind_is_frame(int kind)
{
	return kind == KIND_schema || kind == KIND_origin || kind == KIND_end;
}

int field_index(const struct kind_info *k, struct str name)
{
	for (int i = 0; i < k->nfields; i++)
		if (str_is(name, k->fields[i].name))
			return i;
	return -1;
}

int name_value(const struct name_set *s, struct str word)
{
	for (int i = 0; s && i < s->n; i++)
		if (str_is(word, s->words[i]))
			return i;
	return -1;
}

const char *field_type_name(enum field_type t)
{
	return type_names[t];
}

int64_t record_ts(const struct kind_info *k, const void *rec)
{
	int64_t ts = TIME_NIL;
	int i = field_index(k, str_of("ts"));
	if (i >= 0)
		memcpy(&ts, (const char *)rec + k->fields[i].offset, sizeof(ts));
	return ts;
}

void field_clear(const struct field_info *f, void *rec)
{
	void *at = (char *)rec + f->offset;
	switch (f->type) {
	case T_TIME:
	case T_LONG:
		*(int64_t *)at = LONG_NIL;
		break;
	case T_INT:
	case T_BITS:
		*(int32_t *)at = INT_NIL;
		break;
	case T_ENUM:
	case T_BOOL:
		*(int32_t *)at = ENUM_NIL;
		break;
	case T_F32:
		*(float *)at = NAN;
		break;
	case T_F64:
		*(double *)at = (double)NAN;
		break;
	case T_CODE:
	case T_TEXT:
		*(struct str *)at = STR_NIL;
		break;
	case T_PAIRS:
	case T_STRS:
	case T_COUNTS:
	case T_CHAIN:
		*(int32_t *)at = -1; /* every list starts with its count */
		break;
	case T_ANY:
	case T_COUNT:
		break;
	}
}

void record_clear(const struct kind_info *k, void *rec)
{
	for (int i = 0; i < k->nfields; i++)
		field_clear(&k->fields[i], rec);
}

/* Fields of one group convert into each other without loss of meaning. */
static int type_group(enum field_type t)
{
	switch (t) {
	case T_TIME:
	case T_INT:
	case T_LONG:
		return 1;
	case T_F32:
	case T_F64:
		return 2;
	case T_CODE:
	case T_TEXT:
		return 3;
	case T_ENUM:
	case T_BITS:
	case T_BOOL:
	case T_PAIRS:
	case T_STRS:
	case T_COUNTS:
	case T_CHAIN:
	case T_ANY:
	case T_COUNT:
		break;
	}
	return 10 + (int)t;
}

static char *read_name(struct mp_in *in, uint32_t max)
{
	uint32_t n;
	const char *s = mp_str(in, &n);
	if (in->bad || n > max || memchr(s, 0, n)) {
		in->bad = true;
		return NULL;
	}
	return strndup(s, n);
}

static enum field_type type_of(const char *name)
{
	for (int t = 0; t < T_ANY; t++)
		if (strcmp(name, type_names[t]) == 0)
			return (enum field_type)t;
	return T_ANY; /* of a later version: carried, shown, not understood */
}

static int read_words(struct mp_in *in, struct schema_field *f, struct err *err)
{
	if (mp_peek(in) == MP_NIL) {
		mp_nil(in);
		return 0;
	}
	uint32_t n = mp_array(in);
	if (in->bad || n > NAMES_MAX)
		return err_set(
			err, ERR_DATA, "schema: field '%s' has bad names", f->name);
	f->words = calloc(n ? n : 1, sizeof(*f->words));
	if (!f->words)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		f->words[i] = read_name(in, CODE_MAX);
		if (!f->words[i])
			return err_set(err, ERR_DATA,
				"schema: field '%s' has bad names", f->name);
		f->nwords++;
	}
	return 0;
}

static int read_field(struct mp_in *in, struct schema_field *f, struct err *err)
{
	f->to = -1;
	if (mp_array(in) != 4 || !(f->name = read_name(in, CODE_MAX)))
		return err_set(err, ERR_DATA, "schema: malformed field");
	char *type = read_name(in, CODE_MAX);
	if (!type)
		return err_set(
			err, ERR_DATA, "schema: field '%s' has no type", f->name);
	f->type = type_of(type);
	free(type);
	f->unit = read_name(in, CODE_MAX);
	if (!f->unit)
		return err_set(
			err, ERR_DATA, "schema: field '%s' has no unit", f->name);
	return read_words(in, f, err);
}

static void map_words(struct schema_field *f, const struct name_set *ours)
{
	memset(f->remap, -1, sizeof(f->remap));
	memset(f->unmap, -1, sizeof(f->unmap));
	f->remapped = f->nwords != ours->n;
	for (int i = 0; i < f->nwords; i++) {
		int v = name_value(ours, str_of(f->words[i]));
		f->remap[i] = (int8_t)v;
		if (v >= 0)
			f->unmap[v] = (int8_t)i;
		if (v != i)
			f->remapped = true;
	}
}

/* Ties the declared fields to ours by name. */
static int map_fields(struct schema *s, struct err *err)
{
	memset(s->from, -1, sizeof(s->from));
	for (int i = 0; i < s->nfields; i++) {
		struct schema_field *f = &s->fields[i];
		for (int j = 0; j < i; j++)
			if (strcmp(s->fields[j].name, f->name) == 0)
				return err_set(err, ERR_DATA,
					"schema of %s: field '%s' twice", s->name,
					f->name);
		f->to = s->info ? field_index(s->info, str_of(f->name)) : -1;
		if (f->to < 0)
			continue;
		const struct field_info *ours = &s->info->fields[f->to];
		if (type_group(ours->type) != type_group(f->type))
			return err_set(err, ERR_DATA,
				"schema of %s: field '%s' is %s here and %s in the "
				"stream",
				s->name, f->name, field_type_name(ours->type),
				field_type_name(f->type));
		map_words(f, ours->names);
		s->from[f->to] = (int8_t)i;
	}
	for (int i = 0; s->info && i < s->info->nfields; i++)
		if (s->info->fields[i].need && s->from[i] < 0)
			return err_set(err, ERR_DATA,
				"schema of %s: needed field '%s' is missing", s->name,
				s->info->fields[i].name);
	return 0;
}

static int field_named(const struct schema *s, const char *name)
{
	for (int i = 0; i < s->nfields; i++)
		if (strcmp(s->fields[i].name, name) == 0)
			return i;
	return -1;
}

/* Finds the fields a stream is sorted and sorted out by. */
static void find_landmarks(struct schema *s)
{
	static const char *const names[] = {
		"battery", "subject", "code", "string", "sensor"};
	s->ts_field = field_named(s, "ts");
	s->subject_field = -1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && s->subject_field < 0;
		i++)
		s->subject_field = field_named(s, names[i]);
}

/* The identity of a kind: its number and name must agree with what this build knows. */
static int check_identity(const struct schema *s, struct err *err)
{
	const struct kind_info *named = kind_by_name(str_of(s->name));
	if (kind_is_frame(s->kind) || named != s->info ||
		(s->info && strcmp(s->info->name, s->name) != 0))
		return err_set(err, ERR_DATA, "schema: kind %d cannot be named '%s'",
			s->kind, s->name);
	return 0;
}

static int parse_body(struct schema *s, struct mp_in *in, struct err *err)
{
	if (mp_array(in) != 5 || mp_int(in) != KIND_schema)
		return err_set(err, ERR_DATA, "schema: malformed record");
	int64_t kind = mp_int(in);
	s->name = read_name(in, CODE_MAX);
	int64_t version = mp_int(in);
	uint32_t n = mp_array(in);
	if (in->bad || kind < 1 || kind > KIND_MAX || version < 1 ||
		version > INT32_MAX || n == 0 || n > FIELDS_MAX)
		return err_set(err, ERR_DATA, "schema: malformed record");
	s->kind = (int)kind;
	s->version = (int)version;
	s->info = kind_info(s->kind);
	s->fields = calloc(n, sizeof(*s->fields));
	if (!s->fields)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		s->nfields++;
		if (read_field(in, &s->fields[i], err) < 0)
			return -1;
	}
	if (in->bad || in->p != in->end)
		return err_set(
			err, ERR_DATA, "schema of %s: malformed record", s->name);
	find_landmarks(s);
	return check_identity(s, err) < 0 ? -1 : map_fields(s, err);
}

/* Appends our own schema record of kind k. */
static void write_native(const struct kind_info *k, struct buf *out)
{
	uint8_t head[64], *p = mp_put_array(head, 5);
	p = mp_put_uint(p, KIND_schema);
	p = mp_put_uint(p, (uint64_t)k->kind);
	buf_append(out, head, (size_t)(p - head));
	uint8_t tmp[CODE_MAX + MP_HEADER_MAX];
#define PUT_STR(s)                                                                     \
	buf_append(out, tmp, (size_t)(mp_put_str(tmp, s, (uint32_t)strlen(s)) - tmp))
	PUT_STR(k->name);
	p = mp_put_uint(head, (uint64_t)k->version);
	p = mp_put_array(p, (uint32_t)k->nfields);
	buf_append(out, head, (size_t)(p - head));
	for (int i = 0; i < k->nfields; i++) {
		const struct field_info *f = &k->fields[i];
		buf_append(out, head, (size_t)(mp_put_array(head, 4) - head));
		PUT_STR(f->name);
		PUT_STR(field_type_name(f->type));
		PUT_STR(f->unit);
		p = f->names->n ? mp_put_array(head, (uint32_t)f->names->n)
				: mp_put_nil(head);
		buf_append(out, head, (size_t)(p - head));
		for (int w = 0; w < f->names->n; w++)
			PUT_STR(f->names->words[w]);
	}
#undef PUT_STR
}

static bool is_native(const struct schema *s)
{
	struct buf own = {0};
	if (!s->info)
		return false;
	write_native(s->info, &own);
	bool same = !own.failed && own.len == s->wire_len &&
		    memcmp(own.data, s->wire, own.len) == 0;
	buf_release(&own);
	return same;
}

struct schema *schema_parse(const uint8_t *p, size_t n, struct err *err)
{
	struct schema *s = calloc(1, sizeof(*s));
	if (!s || !(s->wire = malloc(n ? n : 1))) {
		free(s);
		err_nomem(err);
		return NULL;
	}
	if (n)
		memcpy(s->wire, p, n);
	s->wire_len = n;
	struct mp_in in = {s->wire, s->wire + n, false};
	if (parse_body(s, &in, err) < 0) {
		schema_free(s);
		return NULL;
	}
	s->native = is_native(s);
	return s;
}

struct schema *schema_native(const struct kind_info *k, struct err *err)
{
	struct buf wire = {0};
	write_native(k, &wire);
	struct schema *s = NULL;
	if (wire.failed)
		err_nomem(err);
	else
		s = schema_parse(wire.data, wire.len, err);
	buf_release(&wire);
	return s;
}

void schema_free(struct schema *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->nfields; i++) {
		struct schema_field *f = &s->fields[i];
		for (int w = 0; w < f->nwords; w++)
			free(f->words[w]);
		free(f->words);
		free(f->name);
		free(f->unit);
	}
	free(s->fields);
	free(s->name);
	free(s->wire);
	free(s);
}

bool schema_same(const struct schema *a, const struct schema *b)
{
	return a->wire_len == b->wire_len && memcmp(a->wire, b->wire, a->wire_len) == 0;
}
