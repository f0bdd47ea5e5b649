/* Devices, and the samples they post. */
#include "base/code.h"
#include "record/codec.h"
#include "record/json.h"
#include "stream/schemas.h"
#include "web/api.h"
#include "web/cell.h"
#include "web/courier.h"
#include "web/device.h"
#include "web/emit.h"

enum { SAMPLES_MOST = 10000 };

const struct param DEVICES_PARAMS[] = {SKIP_PARAM, LIMIT_PARAM, {0}};

int api_devices(struct call *c, struct err *err)
{
	static const struct column DEVICE[] = {{"id", CELL_INT}, {"name", CELL_TEXT},
		{"sites", CELL_TEXT}, {"created", CELL_TIME}, {"last_seen", CELL_TIME},
		{"total", CELL_TOTAL}, {0}};
	return emit_list(c,
		DB_QUERY("SELECT id, name, sites, created, last_seen, count(*) OVER () "
			 "FROM device_token ORDER BY name LIMIT $1 OFFSET $2",
			call_value(c, "limit"), call_value(c, "skip")),
		DEVICE, err);
}

const struct param NEW_DEVICE_PARAMS[] = {
	{"name", PARAM_TEXT, "name", true, 1, USERNAME_MAX - 1, NULL, NULL},
	{"sites", PARAM_TEXT,
		"codes of the sites it may post of, commas between; all if empty",
		false, 0, SITES_MAX - 1, NULL, NULL},
	{0}};

/* ctx is where its token goes. */
static int add_device(struct call *c, void *ctx, struct err *err)
{
	const char *sites = call_value(c, "sites");
	return device_add(c->db, call_value(c, "name"), sites && *sites ? sites : NULL,
		c->now, ctx, err);
}

int api_device_add(struct call *c, struct err *err)
{
	char token[REFRESH_TOKEN_SIZE];
	const char *name = call_value(c, "name"), *sites = call_value(c, "sites");
	if (sites && sites_check(sites, err) < 0)
		return -1;
	int r = call_change(c, "device.add", name, sites, add_device, token, err);
	if (r == 0)
		return http_refuse(c->res, 409, "there is a device '%s' already", name);
	if (r < 0)
		return -1;
	static const struct column ONE[] = {{"id", CELL_INT}, {"name", CELL_TEXT},
		{"sites", CELL_TEXT}, {"created", CELL_TIME}, {0}};
	if (emit_one(c,
		    DB_QUERY("SELECT id, name, sites, created FROM device_token WHERE "
			     "name = $1",
			    name),
		    ONE, err) < 0)
		return -1;
	c->out->len--; /* the object goes on */
	emit_name(c->out, "token");
	emit_text(c->out, token);
	emit_close(c->out, '}');
	return 201;
}

static int delete_device(struct call *c, void *ctx, struct err *err)
{
	int64_t changed = 0;
	if (db_write(c->db,
		    DB_QUERY("DELETE FROM device_token WHERE CAST(id AS text) = $1",
			    c->id),
		    &changed, err) < 0)
		return -1;
	return changed > 0;
}

int api_device_delete(struct call *c, struct err *err)
{
	int r = call_change(c, "device.delete", c->id, NULL, delete_device, NULL, err);
	if (r == 0)
		return http_refuse(c->res, 404, "no '%s'", c->id);
	return r < 0 ? -1 : 204;
}

#define NUMBER_PARAM(name, doc)                                                        \
	{                                                                              \
		name, PARAM_NUMBER, doc, false, 0, 0, NULL, NULL                       \
	}

const struct param SAMPLE_PARAMS[] = {
	{"battery", PARAM_TEXT, "its code", true, 1, 63, NULL, NULL},
	{"ts", PARAM_TIME, "sampled at", true, 0, 0, NULL, NULL},
	NUMBER_PARAM("voltage_v", "terminal voltage, V"),
	NUMBER_PARAM("current_a", "the string's current, A, positive when charging"),
	NUMBER_PARAM("temperature_c", "case temperature, degC"),
	NUMBER_PARAM("resistance_mohm", "ohmic resistance, mohm"),
	{"mode", PARAM_WORD, "charger mode", false, 0, 0,
		"float|boost|discharge|equalize|idle|unknown", NULL},
	{0}};
const struct param SAMPLES_PARAMS[] = {
	{"samples", PARAM_LIST, "samples, each as POST /telemetry takes it", true, 0,
		SAMPLES_MOST, NULL, NULL},
	{0}};

struct batch {
	struct call *c;
	struct rec_telemetry *records;
	size_t n, rejected;
	struct buf refusals, trial;
	char reason[sizeof(((struct err *)0)->msg)]; /* of the last refusal */
};

static void refuse_sample(struct batch *b, size_t index, const char *reason)
{
	b->rejected++;
	str_copy(b->reason, sizeof(b->reason), str_of(reason));
	emit_open(&b->refusals, '{');
	emit_name(&b->refusals, "index");
	emit_int(&b->refusals, (int64_t)index);
	emit_name(&b->refusals, "reason");
	emit_text(&b->refusals, reason);
	emit_close(&b->refusals, '}');
}

/* Keeps the sample that was read into the next place, if it is one of ours. */
static void keep_sample(struct batch *b, size_t index)
{
	struct err err = {0};
	char site[128];
	const struct rec_telemetry *t = &b->records[b->n];
	if (!t->battery.s || t->ts == TIME_NIL) {
		refuse_sample(b, index, "battery or ts is missing");
		return;
	}
	buf_clear(&b->trial);
	if (record_encode_native(kind_info(KIND_telemetry), t, &b->trial, &err) < 0) {
		refuse_sample(b, index, err.msg);
		return;
	}
	str_copy(site, sizeof(site), code_site(t->battery));
	if (account_sees(&b->c->account, site))
		b->n++;
	else
		refuse_sample(b, index, "this device may not post of that site");
}

static void take_object(struct batch *b, size_t index, json_t *sample)
{
	struct err err = {0};
	if (!json_is_object(sample))
		refuse_sample(b, index, "is no object");
	else if (json_record(kind_info(KIND_telemetry), sample, &b->records[b->n],
			 &err) < 0)
		refuse_sample(b, index, err.msg);
	else
		keep_sample(b, index);
}

static int take_list(struct batch *b, struct err *err)
{
	json_t *samples = json_object_get(b->c->body, "samples"), *one;
	size_t i;
	json_array_foreach(samples, i, one) take_object(b, i, one);
	return 0;
}

/* One record of a posted stream. index counts those of telemetry. */
static int take_record(struct batch *b, struct schemas *t,
	const struct schema *of[KIND_MAX + 1], size_t *index, int kind,
	const uint8_t *p, size_t len, struct err *err)
{
	struct err why = {0};
	if (kind == KIND_schema) {
		const struct schema *s = schemas_add(t, p, len, err);
		if (s)
			of[s->kind] = s;
		return s ? 0 : -1;
	}
	if (kind_is_frame(kind))
		return 0;
	if (kind != KIND_telemetry || !of[kind])
		return err_set(err, ERR_DATA,
			"a record of kind %d%s: samples are of kind %d, after its "
			"schema",
			kind, of[kind] ? "" : " without its schema", KIND_telemetry);
	if (*index == SAMPLES_MOST)
		return err_set(err, ERR_DATA, "more than %d samples", SAMPLES_MOST);
	if (record_decode(of[kind], p, len, &b->records[b->n], &why) < 0)
		refuse_sample(b, *index, why.msg);
	else
		keep_sample(b, *index);
	(*index)++;
	return 0;
}

/* A stream as programs write it; origin and end record may be left out. */
static int take_stream(struct batch *b, struct err *err)
{
	const struct buf *body = &b->c->req->body;
	const struct schema *of[KIND_MAX + 1] = {NULL};
	struct schemas t = {0};
	size_t index = 0;
	int r = 0, kind;
	for (size_t at = 0; r == 0 && at < body->len;) {
		int64_t n = record_frame(body->data + at, body->len - at, &kind, err);
		r = n > 0    ? take_record(b, &t, of, &index, kind, body->data + at,
				       (size_t)n, err)
		    : n == 0 ? err_set(err, ERR_DATA, "the stream is cut off")
			     : -1;
		at += n > 0 ? (size_t)n : 0;
	}
	schemas_release(&t);
	return r;
}

/* The samples that can be are on their way, or, all of them, 503. */
static int hand_over(struct batch *b, struct err *err)
{
	struct call *c = b->c;
	if (b->n > 0 && courier_send(c->service->courier, KIND_telemetry, b->records,
				b->n, sizeof(*b->records), NULL, err) < 0) {
		c->res->retry_after_s = 2;
		return http_refuse(c->res, 503, "%s", err->msg);
	}
	emit_open(c->out, '{');
	emit_name(c->out, "accepted");
	emit_int(c->out, (int64_t)b->n);
	emit_name(c->out, "rejected");
	emit_open(c->out, '[');
	buf_append(c->out, b->refusals.data, b->refusals.len);
	emit_close(c->out, ']');
	emit_close(c->out, '}');
	return 202;
}

static int post(struct batch *b, int (*take)(struct batch *b, struct err *err),
	size_t most, struct err *err)
{
	b->records = calloc(most + 1, sizeof(*b->records));
	int status = !b->records          ? err_nomem(err)
		     : take(b, err) < 0   ? -1
		     : b->refusals.failed ? err_nomem(err)
					  : hand_over(b, err);
	free(b->records);
	buf_release(&b->refusals);
	buf_release(&b->trial);
	return status;
}

/* The only sample there is: what is wrong with it is what is wrong with the call. */
static int take_one(struct batch *b, struct err *err)
{
	take_object(b, 0, b->c->body);
	return b->rejected ? err_set(err, ERR_DATA, "%s", b->reason) : 0;
}

int api_telemetry(struct call *c, struct err *err)
{
	struct batch b = {.c = c};
	return post(
		&b, c->raw ? take_stream : take_one, c->raw ? SAMPLES_MOST : 1, err);
}

int api_telemetry_bulk(struct call *c, struct err *err)
{
	struct batch b = {.c = c};
	return post(&b, c->raw ? take_stream : take_list, SAMPLES_MOST, err);
}
