#include "record/codec.h"

#include "record/mp.h"

#include <math.h>

int64_t record_frame(const uint8_t *p, size_t n, int *kind, struct err *err)
{
	if (n == 0)
		return 0;
	size_t head = (p[0] & 0xf0) == 0x90 ? 1
		      : p[0] == 0xdc        ? 3
		      : p[0] == 0xdd        ? 5
					    : 0;
	if (head == 0 || p[0] == 0x90)
		return err_set(err, ERR_DATA, "not a record (byte 0x%02x)", p[0]);
	if (n <= head)
		return 0;
	if (p[head] > KIND_MAX)
		return err_set(err, ERR_DATA, "not a record (no kind number)");
	int64_t len = mp_length(p, n, DEPTH_MAX, RECORD_MAX);
	if (len < 0)
		return err_set(err, ERR_DATA, "malformed record of kind %d", p[head]);
	*kind = p[head];
	return len;
}

static bool utf8_valid(const uint8_t *s, size_t n)
{
	for (size_t i = 0, k; i < n; i += k)
		if ((k = utf8_length(s + i, n - i)) == 0)
			return false;
	return true;
}

/* Eight bytes at a time: is one of them a control character, or not ASCII? */
static bool plain8(const char *s)
{
	uint64_t w, ones = 0x0101010101010101u, high = 0x80 * ones;
	memcpy(&w, s, 8);
	uint64_t del = w ^ 0x7f * ones;
	return ((w | ((w - 0x20 * ones) & ~w) | ((del - ones) & ~del)) & high) == 0;
}

static const char *slow_string_fault(const uint8_t *b, uint32_t n, bool code)
{
	for (uint32_t i = 0; code && i < n; i++)
		if (b[i] < 0x20 || b[i] == 0x7f)
			return "not free of control characters";
	if (memchr(b, 0, n))
		return "not free of NUL";
	return utf8_valid(b, n) ? NULL : "not UTF-8";
}

/* What is wrong with a string of that type; NULL when nothing is. */
static inline const char *string_fault(struct str s, bool code)
{
	uint32_t i = 0;
	if (s.len > (code ? CODE_MAX : TEXT_MAX))
		return "too long";
	while (s.len - i >= 8 && plain8(s.s + i))
		i += 8;
	if (i == s.len || (i && plain8(s.s + s.len - 8)))
		return NULL;
	return slow_string_fault((const uint8_t *)s.s + i, s.len - i, code);
}

static const char *read_string(struct mp_in *in, bool code, struct str *out)
{
	if (mp_peek(in) != MP_STR)
		return "not a string";
	out->s = mp_str(in, &out->len);
	return in->bad ? "cut off" : string_fault(*out, code);
}

static const char *read_int(struct mp_in *in, int64_t min, int64_t max, int64_t *out)
{
	if (mp_peek(in) != MP_INT)
		return "not an integer";
	*out = mp_int(in);
	return in->bad || *out < min || *out > max ? "out of range" : NULL;
}

static const char *read_number(struct mp_in *in, double *out)
{
	enum mp_type t = mp_peek(in);
	if (t != MP_F32 && t != MP_F64 && t != MP_INT)
		return "not a number";
	*out = mp_float(in);
	return in->bad ? "out of range" : isfinite(*out) ? NULL : "not finite";
}

static inline const char *read_f32(struct mp_in *in, float *out)
{
	if (in->end - in->p >= 5 && *in->p == 0xca) {
		uint32_t u;
		memcpy(&u, in->p + 1, 4);
		u = __builtin_bswap32(u);
		memcpy(out, &u, 4);
		in->p += 5;
		return isfinite(*out) ? NULL : "not finite";
	}
	double v = 0;
	const char *why = read_number(in, &v);
	*out = (float)v;
	return why ? why : isfinite(*out) ? NULL : "out of range";
}

static const char *read_count(struct mp_in *in, int32_t max, int32_t *n)
{
	if (mp_peek(in) != MP_ARRAY)
		return "not a list";
	uint32_t k = mp_array(in);
	if (in->bad || k > (uint32_t)max)
		return "too many entries";
	*n = (int32_t)k;
	return NULL;
}

static const char *read_pairs(struct mp_in *in, struct pairs *out)
{
	const char *why = read_count(in, LIST_MAX, &out->n);
	for (int i = 0; !why && i < out->n; i++) {
		if (mp_peek(in) != MP_ARRAY || mp_array(in) != 2)
			return "not a list of pairs";
		why = read_string(in, false, &out->v[i].name);
		if (!why)
			why = read_f32(in, &out->v[i].value);
	}
	return why;
}

static const char *read_strs(struct mp_in *in, struct strs *out)
{
	const char *why = read_count(in, LIST_MAX, &out->n);
	for (int i = 0; !why && i < out->n; i++)
		why = read_string(in, false, &out->v[i]);
	return why;
}

static const char *read_counts(struct mp_in *in, struct counts *out)
{
	const char *why = read_count(in, COUNTS_MAX, &out->n);
	for (int i = 0; !why && i < out->n; i++) {
		int64_t kind = 0;
		if (mp_peek(in) != MP_ARRAY || mp_array(in) != 2)
			return "not a list of counts";
		why = read_int(in, 0, KIND_MAX, &kind);
		out->v[i].kind = (int32_t)kind;
		if (!why)
			why = read_int(in, 0, INT64_MAX, &out->v[i].count);
	}
	return why;
}

static const char *read_chain(struct mp_in *in, struct chain *out)
{
	const char *why = read_count(in, LIST_MAX, &out->n);
	for (int i = 0; !why && i < out->n; i++) {
		if (mp_peek(in) != MP_ARRAY || mp_array(in) != 3)
			return "not a list of programs";
		why = read_string(in, true, &out->v[i].program);
		if (!why)
			why = read_string(in, true, &out->v[i].version);
		if (!why)
			why = read_string(in, false, &out->v[i].arguments);
	}
	return why;
}

/* An enumeration or bit set, in the stream's words, turned into ours. */
static const char *read_words(struct mp_in *in, const struct field_info *f,
	const struct schema_field *theirs, int32_t *out)
{
	int n = theirs ? theirs->nwords : f->names->n;
	int64_t v = 0;
	const char *why =
		read_int(in, 0, f->type == T_BITS ? (INT64_C(1) << n) - 1 : n - 1, &v);
	if (why)
		return why;
	if (!theirs || !theirs->remapped) {
		*out = (int32_t)v;
	} else if (f->type == T_ENUM) {
		*out = theirs->remap[v];
		return f->need && *out < 0 ? "a word of a later version" : NULL;
	} else {
		*out = 0;
		for (int i = 0; i < n; i++)
			if (v >> i & 1 && theirs->remap[i] >= 0)
				*out |= BIT(theirs->remap[i]);
	}
	return NULL;
}

/* Reads one value of field f into the struct. Returns what is wrong with it, or NULL.
 */
static const char *read_field(struct mp_in *in, const struct field_info *f,
	const struct schema_field *theirs, void *rec)
{
	void *at = (char *)rec + f->offset;
	const char *why;
	int64_t v = 0;
	if (in->p < in->end && *in->p == 0xc0) {
		in->p++;
		field_clear(f, rec);
		return f->need ? "missing" : NULL;
	}
	switch (f->type) {
	case T_F32:
		return read_f32(in, at);
	case T_TIME:
		return read_int(in, TIME_MIN, TIME_MAX, at);
	case T_CODE:
		why = read_string(in, true, at);
		return !why && f->need && ((struct str *)at)->len == 0 ? "empty" : why;
	case T_TEXT:
		return read_string(in, false, at);
	case T_ENUM:
	case T_BITS:
		return read_words(in, f, theirs, at);
	case T_INT:
		why = read_int(in, INT32_MIN + 1, INT32_MAX, &v);
		*(int32_t *)at = (int32_t)v;
		return why;
	case T_LONG:
		return read_int(in, INT64_MIN + 1, INT64_MAX, at);
	case T_F64:
		return read_number(in, at);
	case T_BOOL:
		if (mp_peek(in) != MP_BOOL)
			return "not true or false";
		*(int32_t *)at = mp_bool(in);
		return NULL;
	case T_PAIRS:
		return read_pairs(in, at);
	case T_STRS:
		return read_strs(in, at);
	case T_COUNTS:
		return read_counts(in, at);
	case T_CHAIN:
		return read_chain(in, at);
	case T_ANY:
	case T_COUNT:
		break;
	}
	return "of unknown type";
}

static int open_record(
	struct mp_in *in, int kind, int nfields, const char *name, struct err *err)
{
	uint32_t n = mp_array(in);
	if (in->bad || n == 0 || mp_int(in) != kind || in->bad)
		return err_set(err, ERR_DATA, "not a %s record", name);
	if (n != (uint32_t)nfields + 1)
		return err_set(err, ERR_DATA, "%s: %u fields where its schema has %d",
			name, n - 1, nfields);
	return 0;
}

static int close_record(const struct mp_in *in, const char *name, struct err *err)
{
	if (in->bad || in->p != in->end)
		return err_set(err, ERR_DATA, "%s: malformed record", name);
	return 0;
}

static int field_error(
	const char *kind, const char *field, const char *why, struct err *err)
{
	return err_set(err, ERR_DATA, "%s: field '%s' is %s", kind, field, why);
}

int record_decode(const struct schema *s, const uint8_t *p, size_t len, void *rec,
	struct err *err)
{
	const struct kind_info *k = s->info;
	struct mp_in in = {p, p + len, false};
	if (open_record(&in, s->kind, s->nfields, k->name, err) < 0)
		return -1;
	if (!s->native)
		record_clear(k, rec);
	for (int i = 0; i < s->nfields; i++) {
		const struct schema_field *theirs = &s->fields[i];
		if (theirs->to < 0) {
			mp_skip(&in);
			continue;
		}
		const struct field_info *f = &k->fields[theirs->to];
		const char *why = read_field(&in, f, theirs, rec);
		if (why)
			return field_error(k->name, f->name, why, err);
	}
	return close_record(&in, k->name, err);
}

int frame_decode(int kind, const uint8_t *p, size_t len, void *rec, struct err *err)
{
	const struct kind_info *k = kind_info(kind);
	struct mp_in in = {p, p + len, false};
	if (open_record(&in, kind, k->nfields, k->name, err) < 0)
		return -1;
	for (int i = 0; i < k->nfields; i++) {
		const char *why = read_field(&in, &k->fields[i], NULL, rec);
		if (why)
			return field_error(k->name, k->fields[i].name, why, err);
	}
	return close_record(&in, k->name, err);
}

/* Room the lists of a value take at most; strings count their length. */
static size_t list_room(const struct field_info *f, const void *at)
{
	size_t n = MP_SCALAR_MAX;
	if (f->type == T_PAIRS) {
		const struct pairs *l = at;
		for (int i = 0; i < l->n; i++)
			n += 16 + l->v[i].name.len;
	} else if (f->type == T_STRS) {
		const struct strs *l = at;
		for (int i = 0; i < l->n; i++)
			n += MP_HEADER_MAX + l->v[i].len;
	} else if (f->type == T_COUNTS) {
		n += (size_t)(((const struct counts *)at)->n + 1) * 20;
	} else if (f->type == T_CHAIN) {
		const struct chain *l = at;
		for (int i = 0; i < l->n; i++)
			n += 16 + l->v[i].program.len + l->v[i].version.len +
			     l->v[i].arguments.len;
	}
	return n;
}

static const char *list_fault(const struct field_info *f, const void *at)
{
	int32_t n = *(const int32_t *)at;
	if (n > (f->type == T_COUNTS ? COUNTS_MAX : LIST_MAX))
		return "too long a list";
	const char *why = NULL;
	if (f->type == T_PAIRS) {
		const struct pairs *l = at;
		for (int i = 0; i < n && !why; i++)
			why = isfinite(l->v[i].value)
				      ? string_fault(l->v[i].name, false)
				      : "not finite";
	} else if (f->type == T_STRS) {
		const struct strs *l = at;
		for (int i = 0; i < n && !why; i++)
			why = string_fault(l->v[i], false);
	} else if (f->type == T_CHAIN) {
		const struct chain *l = at;
		for (int i = 0; i < n && !why; i++) {
			why = string_fault(l->v[i].program, true);
			why = why ? why : string_fault(l->v[i].version, true);
			why = why ? why : string_fault(l->v[i].arguments, false);
		}
	}
	return why;
}

static uint8_t *put_list(uint8_t *p, const struct field_info *f, const void *at)
{
	int32_t n = *(const int32_t *)at;
	if (n < 0)
		return mp_put_nil(p);
	p = mp_put_array(p, (uint32_t)n);
	for (int i = 0; i < n; i++) {
		if (f->type == T_PAIRS) {
			const struct pairs *l = at;
			p = mp_put_array(p, 2);
			p = mp_put_str(p, l->v[i].name.s, l->v[i].name.len);
			p = mp_put_f32(p, l->v[i].value);
		} else if (f->type == T_STRS) {
			const struct strs *l = at;
			p = mp_put_str(p, l->v[i].s, l->v[i].len);
		} else if (f->type == T_COUNTS) {
			const struct counts *l = at;
			p = mp_put_array(p, 2);
			p = mp_put_int(p, l->v[i].kind);
			p = mp_put_int(p, l->v[i].count);
		} else {
			const struct chain *l = at;
			p = mp_put_array(p, 3);
			p = mp_put_str(p, l->v[i].program.s, l->v[i].program.len);
			p = mp_put_str(p, l->v[i].version.s, l->v[i].version.len);
			p = mp_put_str(p, l->v[i].arguments.s, l->v[i].arguments.len);
		}
	}
	return p;
}

/* Our words turned into the stream's. */
static int32_t to_their_words(
	const struct field_info *f, const struct schema_field *theirs, int32_t v)
{
	if (!theirs || !theirs->remapped)
		return v;
	if (f->type == T_ENUM)
		return theirs->unmap[v];
	int32_t out = 0;
	for (int i = 0; i < f->names->n; i++)
		if (v >> i & 1 && theirs->unmap[i] >= 0)
			out |= BIT(theirs->unmap[i]);
	return out;
}

static const char *put_words(uint8_t **p, const struct field_info *f,
	const struct schema_field *theirs, int32_t v)
{
	if (v < 0) {
		*p = mp_put_nil(*p);
		return f->need ? "missing" : NULL;
	}
	if (f->type == T_ENUM ? v >= f->names->n : v >> f->names->n != 0)
		return "out of range";
	v = to_their_words(f, theirs, v);
	if (v < 0 && f->need)
		return "a word the stream's version lacks";
	*p = v < 0 ? mp_put_nil(*p) : mp_put_uint(*p, (uint64_t)v);
	return NULL;
}

static const char *put_integer(
	uint8_t **p, const struct field_info *f, int64_t v, int64_t nil)
{
	if (v == nil) {
		*p = mp_put_nil(*p);
		return f->need ? "missing" : NULL;
	}
	if (f->type == T_TIME && (v < TIME_MIN || v > TIME_MAX))
		return "out of range";
	*p = mp_put_int(*p, v);
	return NULL;
}

static const char *put_float(uint8_t **p, const struct field_info *f, double v)
{
	if (isnan(v)) {
		*p = mp_put_nil(*p);
		return f->need ? "missing" : NULL;
	}
	if (isinf(v))
		return "not finite";
	*p = f->type == T_F32 ? mp_put_f32(*p, (float)v) : mp_put_f64(*p, v);
	return NULL;
}

/* Writes one value at *p, where room has been made. Returns what is wrong with it, or
 * NULL. */
static const char *put_field(uint8_t **p, const struct field_info *f,
	const struct schema_field *theirs, const void *rec)
{
	const void *at = (const char *)rec + f->offset;
	const char *why;
	struct str s;
	switch (f->type) {
	case T_F32:
		return put_float(p, f, (double)*(const float *)at);
	case T_F64:
		return put_float(p, f, *(const double *)at);
	case T_TIME:
	case T_LONG:
		return put_integer(p, f, *(const int64_t *)at, LONG_NIL);
	case T_INT:
		return put_integer(p, f, *(const int32_t *)at, INT_NIL);
	case T_ENUM:
	case T_BITS:
		return put_words(p, f, theirs, *(const int32_t *)at);
	case T_BOOL:
		*p = *(const int32_t *)at < 0
			     ? mp_put_nil(*p)
			     : mp_put_bool(*p, *(const int32_t *)at != 0);
		return NULL;
	case T_CODE:
	case T_TEXT:
		s = *(const struct str *)at;
		if (!s.s || (f->need && s.len == 0)) {
			*p = mp_put_nil(*p);
			return f->need ? "missing" : NULL;
		}
		why = string_fault(s, f->type == T_CODE);
		if (!why)
			*p = mp_put_str(*p, s.s, s.len);
		return why;
	case T_PAIRS:
	case T_STRS:
	case T_COUNTS:
	case T_CHAIN:
		why = *(const int32_t *)at < 0 && f->need ? "missing"
							  : list_fault(f, at);
		if (!why)
			*p = put_list(*p, f, at);
		return why;
	case T_ANY:
	case T_COUNT:
		break;
	}
	return "of unknown type";
}

/* Bytes the record takes at most, so that the writer need not check as it goes. */
static size_t room_for(const struct kind_info *k, int nfields, const void *rec)
{
	size_t n = k->room + (size_t)(2 + nfields - k->nfields) * MP_SCALAR_MAX;
	for (int i = 0; k->varied && i < k->nfields; i++) {
		const struct field_info *f = &k->fields[i];
		const void *at = (const char *)rec + f->offset;
		if (f->type == T_TEXT)
			n += ((const struct str *)at)->len;
		else if (f->type >= T_PAIRS && f->type <= T_CHAIN)
			n += list_room(f, at);
	}
	return n;
}

static int encode(const struct kind_info *k, const struct schema *s, const void *rec,
	struct buf *out, struct err *err)
{
	int n = s ? s->nfields : k->nfields;
	if (buf_reserve(out, room_for(k, n, rec)) < 0)
		return err_nomem(err);
	uint8_t *start = out->data + out->len;
	uint8_t *p = mp_put_array(start, (uint32_t)n + 1);
	p = mp_put_uint(p, (uint64_t)k->kind);
	for (int i = 0; i < n; i++) {
		const struct schema_field *theirs = s ? &s->fields[i] : NULL;
		int to = theirs ? theirs->to : i;
		if (to < 0) {
			p = mp_put_nil(p);
			continue;
		}
		const char *why = put_field(&p, &k->fields[to], theirs, rec);
		if (why)
			return field_error(k->name, k->fields[to].name, why, err);
	}
	out->len += (size_t)(p - start);
	return 0;
}

int record_encode(
	const struct schema *s, const void *rec, struct buf *out, struct err *err)
{
	return encode(s->info, s, rec, out, err);
}

int record_encode_native(
	const struct kind_info *k, const void *rec, struct buf *out, struct err *err)
{
	return encode(k, NULL, rec, out, err);
}

/* Puts the cursor on a field. Returns false when the record has none or ends before it.
 */
static bool seek(struct mp_in *in, int field)
{
	if (field < 0)
		return false;
	mp_array(in);
	mp_int(in);
	while (field-- > 0 && !in->bad)
		mp_skip(in);
	return !in->bad;
}

int64_t record_peek_ts(const struct schema *s, const uint8_t *p, size_t len)
{
	struct mp_in in = {p, p + len, false};
	if (!seek(&in, s->ts_field) || mp_peek(&in) != MP_INT)
		return TIME_NIL;
	int64_t v = mp_int(&in);
	return in.bad ? TIME_NIL : v;
}

struct str record_peek_subject(const struct schema *s, const uint8_t *p, size_t len)
{
	struct mp_in in = {p, p + len, false};
	struct str out = STR_NIL;
	if (seek(&in, s->subject_field) && mp_peek(&in) == MP_STR)
		out.s = mp_str(&in, &out.len);
	return in.bad ? STR_NIL : out;
}
