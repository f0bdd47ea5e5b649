#include "record/mp.h"

#include "record/kinds.h"

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return __builtin_bswap16(v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

/* The value at p: bytes of its head, bytes of payload that follow it, elements inside
 * it. */
struct head {
	uint32_t head, elements;
	uint64_t payload;
};

/* Bytes of the head of 0xc0 … 0xdf; 0 is the byte msgpack does not use. */
static const uint8_t HEAD[32] = {1, 0, 1, 1, 2, 3, 5, 3, 4, 6, 5, 9, 2, 3, 5, 9, 2, 3,
	5, 9, 2, 2, 2, 2, 2, 2, 3, 5, 3, 5, 3, 5};

/* Reads the head of the value at p. Returns 1, 0 when more bytes are needed, -1 when
 * malformed. */
static int read_head(const uint8_t *p, size_t n, struct head *h)
{
	uint8_t c = p[0];
	h->head = 1;
	h->elements = 0;
	h->payload = 0;
	if (c < 0x80 || c >= 0xe0)
		return 1;
	if (c < 0x90) {
		h->elements = 2u * (c & 15);
		return 1;
	}
	if (c < 0xa0) {
		h->elements = c & 15;
		return 1;
	}
	if (c < 0xc0) {
		h->payload = c & 31;
		return 1;
	}
	h->head = HEAD[c - 0xc0];
	if (h->head == 0)
		return -1;
	if (n < h->head)
		return 0;
	switch (c) {
	case 0xc4:
	case 0xd9:
		h->payload = p[1];
		break;
	case 0xc5:
	case 0xda:
		h->payload = get16(p + 1);
		break;
	case 0xc6:
	case 0xdb:
		h->payload = get32(p + 1);
		break;
	case 0xc7:
		h->payload = p[1];
		break;
	case 0xc8:
		h->payload = get16(p + 1);
		break;
	case 0xc9:
		h->payload = get32(p + 1);
		break;
	case 0xd4:
	case 0xd5:
	case 0xd6:
	case 0xd7:
	case 0xd8:
		h->payload = 1u << (c - 0xd4);
		break;
	case 0xdc:
		h->elements = get16(p + 1);
		break;
	case 0xdd:
		h->elements = get32(p + 1);
		break;
	case 0xde:
		h->elements = 2u * get16(p + 1);
		break;
	case 0xdf:
		if (get32(p + 1) > RECORD_MAX)
			return -1;
		h->elements = 2 * get32(p + 1);
		break;
	default:
		break;
	}
	return 1;
}

/* clang-format off */
/* Whole length of the values that have no payload worth a look; 0: read_head must see it. */
static const uint8_t SIMPLE[256] = {
	[0x00 ... 0x7f] = 1,
	[0xa0] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, 26, 27, 28, 29, 30, 31, 32,
	[0xc0] = 1,
	[0xc2] = 1, 1,
	[0xca] = 5, 9, 2, 3, 5, 9, 2, 3, 5, 9,
	[0xe0 ... 0xff] = 1,
};

/* clang-format on */

int64_t mp_length(const uint8_t *p, size_t n, int max_depth, size_t max_len)
{
	uint32_t left[DEPTH_MAX + 1] = {1};
	int depth = 0;
	size_t i = 0;
	while (depth >= 0) {
		if (left[depth] == 0) {
			depth--;
			continue;
		}
		left[depth]--;
		if (i >= n)
			return i >= max_len ? -1 : 0;
		if (SIMPLE[p[i]]) {
			i += SIMPLE[p[i]];
			if (i > max_len)
				return -1;
			continue;
		}
		struct head h;
		int r = read_head(p + i, n - i, &h);
		if (r <= 0)
			return r;
		i += h.head + h.payload;
		if (i > max_len || h.elements > max_len)
			return -1;
		if (h.elements) {
			if (depth + 1 >= max_depth || depth + 1 > DEPTH_MAX)
				return -1;
			left[++depth] = h.elements;
		}
	}
	return i <= n ? (int64_t)i : 0;
}

enum mp_type mp_peek(const struct mp_in *in)
{
	if (in->bad || in->p >= in->end)
		return MP_NONE;
	uint8_t c = *in->p;
	if (c < 0x80 || c >= 0xe0)
		return MP_INT;
	if (c < 0x90)
		return MP_OTHER;
	if (c < 0xa0)
		return MP_ARRAY;
	if (c < 0xc0)
		return MP_STR;
	static const uint8_t types[32] = {MP_NIL, MP_NONE, MP_BOOL, MP_BOOL, MP_OTHER,
		MP_OTHER, MP_OTHER, MP_OTHER, MP_OTHER, MP_OTHER, MP_F32, MP_F64,
		MP_INT, MP_INT, MP_INT, MP_INT, MP_INT, MP_INT, MP_INT, MP_INT,
		MP_OTHER, MP_OTHER, MP_OTHER, MP_OTHER, MP_OTHER, MP_STR, MP_STR,
		MP_STR, MP_ARRAY, MP_ARRAY, MP_OTHER, MP_OTHER};
	return (enum mp_type)types[c - 0xc0];
}

/* Takes n bytes past the head byte, or sets bad and gives NULL. */
static const uint8_t *take(struct mp_in *in, size_t n)
{
	if (in->bad || (size_t)(in->end - in->p) < n + 1) {
		in->bad = true;
		return NULL;
	}
	const uint8_t *at = in->p + 1;
	in->p += n + 1;
	return at;
}

void mp_nil(struct mp_in *in)
{
	if (mp_peek(in) != MP_NIL)
		in->bad = true;
	else
		in->p++;
}

bool mp_bool(struct mp_in *in)
{
	if (mp_peek(in) != MP_BOOL) {
		in->bad = true;
		return false;
	}
	return *in->p++ == 0xc3;
}

int64_t mp_int(struct mp_in *in)
{
	if (in->bad || in->p >= in->end) {
		in->bad = true;
		return 0;
	}
	uint8_t c = *in->p;
	if (c < 0x80 || c >= 0xe0) {
		in->p++;
		return (int8_t)c;
	}
	if (c < 0xcc || c > 0xd3) {
		in->bad = true;
		return 0;
	}
	static const uint8_t sizes[8] = {1, 2, 4, 8, 1, 2, 4, 8};
	const uint8_t *p = take(in, sizes[c - 0xcc]);
	if (!p)
		return 0;
	uint64_t u;
	switch (c) {
	case 0xcc:
		return p[0];
	case 0xcd:
		return get16(p);
	case 0xce:
		return get32(p);
	case 0xcf:
		u = get64(p);
		in->bad = u > INT64_MAX;
		return in->bad ? 0 : (int64_t)u;
	case 0xd0:
		return (int8_t)p[0];
	case 0xd1:
		return (int16_t)get16(p);
	case 0xd2:
		return (int32_t)get32(p);
	default:
		return (int64_t)get64(p);
	}
}

double mp_float(struct mp_in *in)
{
	if (in->bad || in->p >= in->end) {
		in->bad = true;
		return 0;
	}
	if (*in->p == 0xca) {
		const uint8_t *p = take(in, 4);
		float f = 0;
		if (p) {
			uint32_t u = get32(p);
			memcpy(&f, &u, 4);
		}
		return (double)f;
	}
	if (*in->p == 0xcb) {
		const uint8_t *p = take(in, 8);
		double d = 0;
		if (p) {
			uint64_t u = get64(p);
			memcpy(&d, &u, 8);
		}
		return d;
	}
	return (double)mp_int(in);
}

const char *mp_str(struct mp_in *in, uint32_t *len)
{
	struct head h;
	*len = 0;
	if (mp_peek(in) != MP_STR ||
		read_head(in->p, (size_t)(in->end - in->p), &h) <= 0 ||
		(size_t)(in->end - in->p) < h.head + h.payload) {
		in->bad = true;
		return "";
	}
	const char *s = (const char *)in->p + h.head;
	*len = (uint32_t)h.payload;
	in->p += h.head + h.payload;
	return s;
}

uint32_t mp_array(struct mp_in *in)
{
	struct head h;
	if (mp_peek(in) != MP_ARRAY ||
		read_head(in->p, (size_t)(in->end - in->p), &h) <= 0) {
		in->bad = true;
		return 0;
	}
	in->p += h.head;
	return h.elements;
}

void mp_skip(struct mp_in *in)
{
	int64_t n = in->bad ? -1
			    : mp_length(in->p, (size_t)(in->end - in->p), DEPTH_MAX,
				      RECORD_MAX);
	if (n <= 0)
		in->bad = true;
	else
		in->p += n;
}
