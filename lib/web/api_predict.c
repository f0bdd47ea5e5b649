/* Predictions as they are stored: computed once a feature row, told with their age. */
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

static const struct column PREDICTION[] = {{"battery", CELL_TEXT}, {"ts", CELL_TIME},
	{"age_s", CELL_INT}, {"source", CELL_TEXT}, {"rul_days", CELL_REAL},
	{"lower_days", CELL_REAL}, {"upper_days", CELL_REAL}, {"p_fail_30d", CELL_REAL},
	{"p_fail_90d", CELL_REAL}, {"confidence", CELL_REAL}, {"flags", CELL_INT},
	{"factors", CELL_JSON}, {"replace_by", CELL_TIME}, {"model", CELL_TEXT}, {0}};

/* The fused one; where there is none, the newest. */
static const char PREDICTION_SQL[] = "SELECT b.code, l.ts, (CAST($3 AS bigint) - l.ts) "
				     "/ 1000, l.source, l.rul_days, "
				     "l.lower_days, l.upper_days, l.p_fail_30d, "
				     "l.p_fail_90d, l.confidence, l.flags, "
				     "l.factors, l.replace_by, l.model FROM battery b "
				     "JOIN run r ON r.id = b.run JOIN "
				     "rul_latest l ON l.run = b.run AND l.battery = "
				     "b.id WHERE r.name = $1 AND b.code "
				     "= $2 ORDER BY CASE l.source WHEN 'fused' THEN 0 "
				     "ELSE 1 END, l.ts DESC, l.source "
				     "LIMIT 1";

const struct param PREDICT_PARAMS[] = {
	RUN_PARAM, {"battery", PARAM_TEXT, "its code", true, 1, 127, NULL, NULL}, {0}};
const struct param PREDICT_BATCH_PARAMS[] = {RUN_PARAM,
	{"batteries", PARAM_LIST, "their codes", true, 1, LIMIT_MAX, NULL, NULL}, {0}};

struct taken {
	struct buf *out;
	bool any;
};

static int take_prediction(
	void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct taken *t = ctx;
	emit_row(t->out, PREDICTION, cells);
	t->any = true;
	return t->out->failed ? err_nomem(err) : 0;
}

/* Writes the prediction of a battery. 1, 0 when there is none to be seen, -1. */
static int put_prediction(struct call *c, const char *battery, struct err *err)
{
	struct taken t = {c->out, false};
	if (!call_sees(c, battery))
		return 0;
	if (db_select(c->db,
		    DB_QUERY(PREDICTION_SQL, call_value(c, "run"), battery,
			    number(c->now).text),
		    take_prediction, &t, err) < 0)
		return -1;
	return t.any;
}

int api_predict(struct call *c, struct err *err)
{
	const char *battery = call_value(c, "battery");
	int there = put_prediction(c, battery, err);
	if (there == 0)
		return http_refuse(
			c->res, 404, "there is no prediction of '%s'", battery);
	return there < 0 ? -1 : 200;
}

/* Those of which there is no prediction are named. */
int api_predict_batch(struct call *c, struct err *err)
{
	const json_t *list = call_json(c, "batteries");
	struct buf missing = {0};
	int64_t total = 0;
	int there = 0;
	emit_open(&missing, '[');
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	for (size_t i = 0; there >= 0 && i < json_array_size(list); i++) {
		const char *battery = json_string_value(json_array_get(list, i));
		if (!battery) {
			there = err_set(err, ERR_DATA,
				"parameter 'batteries' is a list of codes");
			break;
		}
		there = put_prediction(c, battery, err);
		total += there > 0;
		if (there == 0)
			emit_text(&missing, battery);
	}
	emit_close(c->out, ']');
	emit_close(&missing, ']');
	emit_name(c->out, "missing");
	buf_append(c->out, missing.data, missing.len);
	buf_release(&missing);
	emit_name(c->out, "total");
	emit_int(c->out, total);
	emit_close(c->out, '}');
	return there < 0 ? -1 : 200;
}
