#include "learn/card.h"

#include "learn/model.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

static json_t *under(const json_t *o, const char *a, const char *b)
{
	return json_object_get(json_object_get(o, a), b);
}

static double number_of(const json_t *v)
{
	return json_is_number(v) ? json_number_value(v) : NAN;
}

static int64_t count_of(const json_t *v)
{
	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static void text_of(const json_t *v, char *dst, size_t size)
{
	str_copy(dst, size, str_of(json_is_string(v) ? json_string_value(v) : ""));
}

static struct card_metrics metrics_of(const json_t *o)
{
	return (struct card_metrics){number_of(json_object_get(o, "mae_days")),
		number_of(json_object_get(o, "rmse_days")),
		number_of(json_object_get(o, "r2")),
		number_of(json_object_get(o, "median_relative_error")),
		number_of(json_object_get(o, "concordance")),
		number_of(json_object_get(o, "picp")),
		number_of(json_object_get(o, "picp_error"))};
}

static void fill(struct card *c, const json_t *o)
{
	const json_t *hyper = under(o, "training", "hyperparameters");
	text_of(under(o, "training", "program"), c->program, sizeof(c->program));
	text_of(under(o, "training", "from"), c->from, sizeof(c->from));
	text_of(under(o, "training", "to"), c->to, sizeof(c->to));
	text_of(under(o, "split", "by"), c->split, sizeof(c->split));
	c->ends_seen = count_of(under(o, "training", "ends_seen"));
	c->trees = count_of(under(o, "training", "rounds"));
	c->depth = count_of(json_object_get(hyper, "depth"));
	for (int p = 0; p < PART_COUNT; p++) {
		const json_t *part =
			under(o, "split", split_part_name((enum split_part)p));
		c->rows[p] = count_of(json_object_get(part, "rows"));
		c->batteries[p] = count_of(json_object_get(part, "batteries"));
		c->groups[p] = count_of(json_object_get(part, "groups"));
	}
	c->model = metrics_of(under(o, "evaluation", "model"));
	c->age_only = metrics_of(under(o, "evaluation", "age_only"));
	c->skill = number_of(under(o, "evaluation", "skill"));
	c->level = number_of(
		under(json_object_get(o, "calibration"), "untested", "level"));
}

int card_read(const char *dir, struct card *c, struct err *err)
{
	json_error_t why;
	struct buf json = {0};
	json_t *o = NULL;
	if (model_read_text(dir, &json, err) == 0) {
		o = json_loadb((const char *)json.data, json.len, 0, &why);
		if (!json_is_object(o))
			err_set(err, ERR_DATA, "'%s': model.json is damaged", dir);
	}
	buf_release(&json);
	if (json_is_object(o))
		fill(c, o);
	int r = json_is_object(o) ? 0 : -1;
	json_decref(o);
	return r;
}
