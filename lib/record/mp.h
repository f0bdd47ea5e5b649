/*
 * msgpack, the few primitives the codec needs
 * (https://github.com/msgpack/msgpack/blob/master/spec.md). Writers append at a pointer
 * the caller has made room for and return the new end. The reader has a sticky error:
 * after the first fault every read gives zero, so that a decoder runs straight through
 * and checks 'bad' once.
 */
#ifndef RECORD_MP_H
#define RECORD_MP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MP_SCALAR_MAX = 9, MP_HEADER_MAX = 5 };

static inline uint8_t *mp_be16(uint8_t *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, 2);
	return p + 2;
}

static inline uint8_t *mp_be32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
	return p + 4;
}

static inline uint8_t *mp_be64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, 8);
	return p + 8;
}

static inline uint8_t *mp_put_nil(uint8_t *p)
{
	*p = 0xc0;
	return p + 1;
}

static inline uint8_t *mp_put_bool(uint8_t *p, bool v)
{
	*p = v ? 0xc3 : 0xc2;
	return p + 1;
}

static inline uint8_t *mp_put_uint(uint8_t *p, uint64_t v)
{
	if (v < 0x80) {
		*p = (uint8_t)v;
		return p + 1;
	}
	if (v <= UINT8_MAX) {
		p[0] = 0xcc;
		p[1] = (uint8_t)v;
		return p + 2;
	}
	if (v <= UINT16_MAX) {
		*p = 0xcd;
		return mp_be16(p + 1, (uint16_t)v);
	}
	if (v <= UINT32_MAX) {
		*p = 0xce;
		return mp_be32(p + 1, (uint32_t)v);
	}
	*p = 0xcf;
	return mp_be64(p + 1, v);
}

static inline uint8_t *mp_put_int(uint8_t *p, int64_t v)
{
	if (v >= 0)
		return mp_put_uint(p, (uint64_t)v);
	if (v >= -32) {
		*p = (uint8_t)v;
		return p + 1;
	}
	if (v >= INT8_MIN) {
		p[0] = 0xd0;
		p[1] = (uint8_t)v;
		return p + 2;
	}
	if (v >= INT16_MIN) {
		*p = 0xd1;
		return mp_be16(p + 1, (uint16_t)v);
	}
	if (v >= INT32_MIN) {
		*p = 0xd2;
		return mp_be32(p + 1, (uint32_t)v);
	}
	*p = 0xd3;
	return mp_be64(p + 1, (uint64_t)v);
}

static inline uint8_t *mp_put_f32(uint8_t *p, float v)
{
	uint32_t u;
	memcpy(&u, &v, 4);
	*p = 0xca;
	return mp_be32(p + 1, u);
}

static inline uint8_t *mp_put_f64(uint8_t *p, double v)
{
	uint64_t u;
	memcpy(&u, &v, 8);
	*p = 0xcb;
	return mp_be64(p + 1, u);
}

/* Codes are short: a loop of eight bytes beats the 'rep movs' compilers make of a
 * memcpy here. */
static inline uint8_t *mp_put_bytes(uint8_t *p, const char *s, uint32_t n)
{
	uint32_t i = 0;
	if (n > 64) {
		memcpy(p, s, n);
		return p + n;
	}
	for (; n - i >= 8; i += 8)
		memcpy(p + i, s + i, 8);
	if (n >= 8)
		memcpy(p + n - 8, s + n - 8, 8);
	else
		for (; i < n; i++)
			p[i] = (uint8_t)s[i];
	return p + n;
}

static inline uint8_t *mp_put_str(uint8_t *p, const char *s, uint32_t n)
{
	if (n < 32) {
		*p++ = (uint8_t)(0xa0 | n);
	} else if (n <= UINT8_MAX) {
		*p++ = 0xd9;
		*p++ = (uint8_t)n;
	} else if (n <= UINT16_MAX) {
		*p = 0xda;
		p = mp_be16(p + 1, (uint16_t)n);
	} else {
		*p = 0xdb;
		p = mp_be32(p + 1, n);
	}
	return mp_put_bytes(p, s, n);
}

static inline uint8_t *mp_put_array(uint8_t *p, uint32_t n)
{
	if (n < 16) {
		*p = (uint8_t)(0x90 | n);
		return p + 1;
	}
	if (n <= UINT16_MAX) {
		*p = 0xdc;
		return mp_be16(p + 1, (uint16_t)n);
	}
	*p = 0xdd;
	return mp_be32(p + 1, n);
}

struct mp_in {
	const uint8_t *p, *end;
	bool bad;
};

/* What stands at the cursor. */
enum mp_type {
	MP_NONE, /* nothing left, or a byte msgpack does not use */
	MP_NIL,
	MP_BOOL,
	MP_INT,
	MP_F32,
	MP_F64,
	MP_STR,
	MP_ARRAY,
	MP_OTHER
};

enum mp_type mp_peek(const struct mp_in *in);
/* Each reads one value of that type, or sets bad. mp_int takes any integer that fits
 * int64. */
void mp_nil(struct mp_in *in);
bool mp_bool(struct mp_in *in);
int64_t mp_int(struct mp_in *in);
/* float32, float64 or an integer. */
double mp_float(struct mp_in *in);
/* The string's bytes (in place) and its length. */
const char *mp_str(struct mp_in *in, uint32_t *len);
uint32_t mp_array(struct mp_in *in);
/* Skips one value of any type. */
void mp_skip(struct mp_in *in);

/*
 * The length of the value at p with n bytes at hand: 0 when more are needed, -1 when it
 * is malformed, deeper than max_depth or longer than max_len.
 */
int64_t mp_length(const uint8_t *p, size_t n, int max_depth, size_t max_len);

#endif
