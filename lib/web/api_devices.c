/* Devices, and the samples they post. */
#include "base/code.h"
#include "record/json.h"
#include "web/cell.h"
#include "web/courier.h"
#include "web/device.h"
#include "web/emit.h"

#include "web/api.h"

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

int api_device_add(struct call *c, struct err *err)
{
	char token[REFRESH_TOKEN_SIZE];
	const char *name = call_value(c, "name"), *sites = call_value(c, "sites");
	int r = device_add(
		c->db, name, sites && *sites ? sites : NULL, c->now, token, err);
	if (r == 0)
		return http_refuse(c->res, 409, "there is a device '%s' already", name);
	if (r < 0 || call_audit_of(c, "device.add", name, sites, err) < 0)
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

int api_device_delete(struct call *c, struct err *err)
{
	int64_t changed = 0;
	if (db_write(c->db,
		    DB_QUERY("DELETE FROM device_token WHERE CAST(id AS text) = $1",
			    c->id),
		    &changed, err) < 0)
		return -1;
	if (changed == 0)
		return http_refuse(c->res, 404, "no '%s'", c->id);
	return call_audit_of(c, "device.delete", c->id, NULL, err) < 0 ? -1 : 204;
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
	{"samples", PARAM_LIST,
		"samples, each as POST /telemetry takes it; at most 10000", true, 0, 0,
		NULL, NULL},
	{0}};

struct batch {
	struct call *c;
	struct rec_telemetry *records;
	size_t n, rejected;
	struct buf refusals;
};

static void refuse_sample(struct batch *b, size_t index, const char *reason)
{
	b->rejected++;
	emit_open(&b->refusals, '{');
	emit_name(&b->refusals, "index");
	emit_int(&b->refusals, (int64_t)index);
	emit_name(&b->refusals, "reason");
	emit_text(&b->refusals, reason);
	emit_close(&b->refusals, '}');
}

static void take_sample(struct batch *b, size_t index, json_t *sample)
{
	struct err err = {0};
	char site[128];
	struct rec_telemetry *t = &b->records[b->n];
	if (!json_is_object(sample)) {
		refuse_sample(b, index, "is no object");
		return;
	}
	if (json_record(kind_info(KIND_telemetry), sample, t, &err) < 0) {
		refuse_sample(b, index, err.msg);
		return;
	}
	if (!t->battery.s || t->ts == TIME_NIL) {
		refuse_sample(b, index, "battery or ts is missing");
		return;
	}
	str_copy(site, sizeof(site), code_site(t->battery));
	if (account_sees(&b->c->account, site))
		b->n++;
	else
		refuse_sample(b, index, "this device may not post of that site");
}

/* The samples that can be are on their way, or, all of them, 503. */
static int hand_over(struct batch *b, struct err *err)
{
	struct call *c = b->c;
	size_t bad;
	while (b->n > 0 && courier_send(c->service->courier, KIND_telemetry, b->records,
				   b->n, sizeof(*b->records), &bad, err) < 0) {
		if (err->class != ERR_DATA) {
			c->res->retry_after_s = 2;
			return http_refuse(c->res, 503, "%s", err->msg);
		}
		/* What is left of its order does not matter to the pipeline. */
		refuse_sample(b, bad, err->msg);
		b->records[bad] = b->records[--b->n];
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

int api_telemetry(struct call *c, struct err *err)
{
	struct rec_telemetry record;
	struct batch b = {.c = c, .records = &record};
	take_sample(&b, 0, c->body);
	int status = b.rejected ? err_set(err, ERR_DATA, "%.*s", (int)b.refusals.len,
					  b.refusals.data)
				: hand_over(&b, err);
	buf_release(&b.refusals);
	return status;
}

int api_telemetry_bulk(struct call *c, struct err *err)
{
	json_t *samples = json_object_get(c->body, "samples"), *one;
	size_t i, n = json_array_size(samples);
	if (n > SAMPLES_MOST)
		return err_set(err, ERR_DATA, "more than %d samples", SAMPLES_MOST);
	struct batch b = {.c = c, .records = calloc(n + 1, sizeof(*b.records))};
	if (!b.records)
		return err_nomem(err);
	json_array_foreach(samples, i, one) take_sample(&b, i, one);
	int status = hand_over(&b, err);
	buf_release(&b.refusals);
	free(b.records);
	return status;
}
