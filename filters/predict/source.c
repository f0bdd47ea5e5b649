/* Where models come from: a directory, or a registry; and looking after them. */
#include "predict.h"

#include "base/diag.h"
#include "base/now.h"
#include "base/parse.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_EVERY_MS = 1000 };

static int set_place(
	struct place *at, const char *dir, const char *name, struct err *err)
{
	int n = snprintf(at->path, sizeof(at->path), "%s%s%s", dir, name ? "/" : "",
		name ? name : "");
	if (n < 0 || n >= (int)sizeof(at->path))
		return err_set(err, ERR_USAGE, "path too long: '%.200s…'", dir);
	str_copy(at->name, sizeof(at->name), str_of(name ? name : "the model"));
	return 0;
}

/* "staging:10%": a name or version of the registry, and a share. */
static int parse_ab(struct predict *p, const struct options *o, struct err *err)
{
	const char *colon = strrchr(o->ab, ':');
	size_t n = colon ? strlen(colon + 1) : 0;
	char name[CODE_MAX + 1];
	double percent = -1;
	if (n > 1 && colon[n] == '%' &&
		parse_f64((struct str){colon + 1, (uint32_t)n - 1}, &percent) < 0)
		percent = -1;
	if (!(percent >= 0 && percent <= 100) || colon == o->ab || strchr(o->ab, '/') ||
		!str_copy(name, sizeof(name),
			(struct str){o->ab, (uint32_t)(colon - o->ab)}))
		return err_set(err, ERR_USAGE,
			"--ab: '%s' is not NAME:SHARE%%, like staging:10%%", o->ab);
	p->share = percent / 100;
	p->places = 2;
	return set_place(&p->place[1], o->registry, name, err);
}

int source_parse(struct predict *p, const struct options *o, struct err *err)
{
	if (o->model && o->registry)
		return err_set(err, ERR_USAGE,
			"--model and --registry cannot be given together");
	if (o->ab && !o->registry)
		return err_set(err, ERR_USAGE, "--ab needs --registry DIR");
	if (o->watch && !o->model && !o->registry)
		return err_set(
			err, ERR_USAGE, "--watch needs --registry DIR or --model DIR");
	if (!o->model && !o->registry)
		return 0;
	p->places = 1;
	if (o->model)
		return set_place(&p->place[0], o->model, NULL, err);
	if (set_place(&p->place[0], o->registry, REGISTRY_PRODUCTION, err) < 0)
		return -1;
	return o->ab ? parse_ab(p, o, err) : 0;
}

/* True when what is at the place is not what it was. */
static bool has_changed(struct place *at)
{
	char json[REGISTRY_PATH + 16];
	struct stat st;
	struct place was = *at;
	snprintf(json, sizeof(json), "%s/model.json", at->path);
	/* While a model is being put there, there is none: look again later. */
	if (stat(json, &st) < 0)
		return false;
	at->device = (int64_t)st.st_dev;
	at->inode = (int64_t)st.st_ino;
	at->changed_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	return at->device != was.device || at->inode != was.inode ||
	       at->changed_ns != was.changed_ns;
}

/* Without this model: who serves its batteries. */
static const char *instead(const struct predict *p, int arm)
{
	if (forecast_model(p->forecast, arm))
		return "the former one goes on";
	return arm == 1 && forecast_model(p->forecast, 0)
		       ? "production serves its batteries too"
		       : "estimates are the twin's alone";
}

static int load(struct predict *p, int arm)
{
	struct err err = {0};
	struct model m;
	struct booster *b = model_load(p->place[arm].path, &m, &err);
	if (b && p->supply && model_supplied(&m, p->supply, &err) < 0) {
		booster_free(b);
		b = NULL;
	}
	if (b && forecast_use(p->forecast, arm, &m, b, &err) == 0)
		return 0;
	diag("%s unusable: %s; %s",
		p->places > 1 || p->reading ? p->place[arm].name : "model", err.msg,
		instead(p, arm));
	return -1;
}

void source_load(struct predict *p)
{
	for (int i = 0; i < p->places; i++) {
		has_changed(&p->place[i]);
		load(p, i);
	}
}

int source_watch(struct predict *p, struct err *err)
{
	int64_t now = now_coarse_ms();
	if (now - p->looked_ms < LOOK_EVERY_MS)
		return 0;
	p->looked_ms = now;
	if (forecast_flush(p->forecast, err) < 0)
		return -1;
	for (int i = 0; i < p->places; i++)
		if (has_changed(&p->place[i]) && load(p, i) == 0)
			diag("%s is now %s", p->place[i].name,
				forecast_model(p->forecast, i)->id);
	return 0;
}

int source_check(struct predict *p, const struct schema *s, struct err *err)
{
	if (s == p->supply)
		return 0;
	p->supply = s;
	for (int i = 0; i < p->places; i++) {
		struct err why = {0};
		const struct model *m = forecast_model(p->forecast, i);
		if (!m || model_supplied(m, s, &why) == 0)
			continue;
		if (forecast_give_up(p->forecast, i, err) < 0)
			return -1;
		diag("%s; %s", why.msg, instead(p, i));
	}
	return 0;
}
