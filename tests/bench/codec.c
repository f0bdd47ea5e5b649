/*
 * The codec against msgpack-c: the same telemetry records packed from structs and
 * unpacked into structs, in turns, best of five. Prints 'what|unit|ours|alternative'
 * for scripts/bench.
 */
#include "base/now.h"
#include "record/codec.h"

#include <math.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 500000, ROUNDS = 5 };

static double now_s(void)
{
	return (double)now_steady_ns() / 1e9;
}

static void sample(struct rec_telemetry *r, char *code, size_t size, int i)
{
	snprintf(code, size, "DC-CNX-01-UPS-01-S1-J%02d", i % 24 + 1);
	*r = (struct rec_telemetry){
		.ts = 1750000000000 + i * (int64_t)60000,
		.battery = str_of(code),
		.voltage_v = 13.5f + (float)(i % 100) * 0.001f,
		.current_a = 0.02f,
		.temperature_c = 25.0f + (float)(i % 10) * 0.1f,
		.resistance_mohm = NAN,
		.mode = mode_float,
		.quality = 0,
	};
}

static void die(const char *what)
{
	fprintf(stderr, "codec: %s\n", what);
	exit(1);
}

static double pack_ours(const struct rec_telemetry *r, struct buf *out)
{
	const struct kind_info *k = kind_info(KIND_telemetry);
	struct err err = {0};
	double start = now_s();
	buf_clear(out);
	for (int i = 0; i < N; i++)
		if (record_encode_native(k, &r[i % 24], out, &err) < 0)
			die(err.msg);
	return N / (now_s() - start) / 1e6;
}

static void pack_float(msgpack_packer *p, float v)
{
	if (isnan(v))
		msgpack_pack_nil(p);
	else
		msgpack_pack_float(p, v);
}

static double pack_theirs(const struct rec_telemetry *recs, msgpack_sbuffer *out)
{
	msgpack_packer p;
	double start = now_s();
	msgpack_sbuffer_clear(out);
	msgpack_packer_init(&p, out, msgpack_sbuffer_write);
	for (int i = 0; i < N; i++) {
		const struct rec_telemetry *r = &recs[i % 24];
		msgpack_pack_array(&p, NFIELDS_telemetry + 1);
		msgpack_pack_int(&p, KIND_telemetry);
		msgpack_pack_int64(&p, r->ts);
		msgpack_pack_str(&p, r->battery.len);
		msgpack_pack_str_body(&p, r->battery.s, r->battery.len);
		pack_float(&p, r->voltage_v);
		pack_float(&p, r->current_a);
		pack_float(&p, r->temperature_c);
		pack_float(&p, r->resistance_mohm);
		msgpack_pack_int(&p, r->mode);
		msgpack_pack_int(&p, r->quality);
	}
	return N / (now_s() - start) / 1e6;
}

static double unpack_ours(const struct schema *s, const struct buf *in, double *sum)
{
	struct rec_telemetry r;
	struct err err = {0};
	int kind, count = 0;
	double start = now_s();
	for (size_t at = 0; at < in->len; count++) {
		int64_t n = record_frame(in->data + at, in->len - at, &kind, &err);
		if (n <= 0 || record_decode(s, in->data + at, (size_t)n, &r, &err) < 0)
			die(err.msg);
		*sum += r.voltage_v;
		at += (size_t)n;
	}
	if (count != N)
		die("records lost");
	return N / (now_s() - start) / 1e6;
}

static float float_of(const msgpack_object *o)
{
	return o->type == MSGPACK_OBJECT_NIL ? NAN : (float)o->via.f64;
}

static double unpack_theirs(const struct buf *in, double *sum)
{
	struct rec_telemetry r;
	msgpack_unpacked u;
	size_t at = 0;
	int count = 0;
	double start = now_s();
	msgpack_unpacked_init(&u);
	for (; msgpack_unpack_next(&u, (const char *)in->data, in->len, &at) ==
		MSGPACK_UNPACK_SUCCESS;
		count++) {
		const msgpack_object *f = u.data.via.array.ptr;
		r.ts = f[1].via.i64;
		r.battery = (struct str){f[2].via.str.ptr, f[2].via.str.size};
		r.voltage_v = float_of(&f[3]);
		r.current_a = float_of(&f[4]);
		r.temperature_c = float_of(&f[5]);
		r.resistance_mohm = float_of(&f[6]);
		r.mode = (int32_t)f[7].via.i64;
		r.quality = (int32_t)f[8].via.i64;
		*sum += r.voltage_v;
	}
	msgpack_unpacked_destroy(&u);
	if (count != N)
		die("records lost");
	return N / (now_s() - start) / 1e6;
}

int main(void)
{
	static char codes[24][CODE_MAX];
	struct rec_telemetry recs[24];
	struct buf ours = {0};
	msgpack_sbuffer theirs;
	struct err err = {0};
	double best[4] = {0}, sum[2] = {0};
	struct schema *s = schema_native(kind_info(KIND_telemetry), &err);
	if (!s)
		die(err.msg);
	for (int i = 0; i < 24; i++)
		sample(&recs[i], codes[i], sizeof(codes[i]), i);
	msgpack_sbuffer_init(&theirs);
	for (int i = 0; i < ROUNDS; i++) {
		best[0] = fmax(best[0], pack_ours(recs, &ours));
		best[1] = fmax(best[1], pack_theirs(recs, &theirs));
		best[2] = fmax(best[2], unpack_ours(s, &ours, &sum[0]));
		best[3] = fmax(best[3], unpack_theirs(&ours, &sum[1]));
	}
	if (ours.len != theirs.size || memcmp(ours.data, theirs.data, ours.len) != 0)
		fprintf(stderr, "codec: note: the two packed different bytes\n");
	if (sum[0] != sum[1])
		die("the two read different numbers");
	printf("codec: pack telemetry|M/s|%.2f|%.2f|msgpack-c\n", best[0], best[1]);
	printf("codec: unpack telemetry|M/s|%.2f|%.2f|msgpack-c\n", best[2], best[3]);
	msgpack_sbuffer_destroy(&theirs);
	buf_release(&ours);
	schema_free(s);
	return 0;
}
