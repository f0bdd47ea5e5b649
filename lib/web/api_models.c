/* The model registry: which models there are, how good they are, which one serves. */
#include "base/code.h"
#include "learn/card.h"
#include "learn/drift.h"
#include "learn/history.h"
#include "learn/registry.h"
#include "record/text.h"
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the names and the history of a registry say of the version 'id'. */
struct standing {
	char production[CODE_MAX + 1], staging[CODE_MAX + 1];
	const char *id;
	int64_t promoted, retired;
};

/* A registry that fails is no database that fails. */
static int failed(struct call *c, const struct err *err)
{
	str_copy(c->res->log, sizeof(c->res->log), str_of(err->msg));
	return http_refuse(c->res, 503, "the model registry cannot be used");
}

static int no_such(struct call *c)
{
	return http_refuse(c->res, 404, "no '%s'", c->id);
}

static int take_line(void *to, const struct history_line *l)
{
	struct standing *s = to;
	if (strcmp(l->to, s->id) == 0) {
		s->promoted = l->ts;
		s->retired = TIME_NIL;
	} else if (strcmp(l->from, s->id) == 0) {
		s->retired = l->ts;
	}
	return 0;
}

static int read_names(const struct registry *r, struct standing *s, struct err *err)
{
	*s = (struct standing){0};
	if (registry_resolve(r, REGISTRY_PRODUCTION, s->production, err) < 0 ||
		registry_resolve(r, REGISTRY_STAGING, s->staging, err) < 0)
		return -1;
	return 0;
}

static int read_history(const char *dir, struct standing *s, struct err *err)
{
	s->promoted = s->retired = TIME_NIL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open the registry '%s'", dir);
	int r = history_each(fd, take_line, s, err);
	close(fd);
	return r;
}

static const char *status_of(const struct standing *s)
{
	if (strcmp(s->id, s->production) == 0)
		return "production";
	return strcmp(s->id, s->staging) == 0 ? "staging" : "retired";
}

static void put_real(struct buf *b, const char *name, double v)
{
	emit_name(b, name);
	text_f64(v, b);
}

static void put_metrics(struct buf *b, const struct card *k)
{
	const struct card_metrics *m = &k->model;
	emit_name(b, "metrics");
	emit_open(b, '{');
	put_real(b, "mae_days", m->mae_days);
	put_real(b, "rmse_days", m->rmse_days);
	put_real(b, "r2", m->r2);
	put_real(b, "median_relative_error", m->median_relative_error);
	put_real(b, "concordance", m->concordance);
	put_real(b, "interval_level", k->level);
	put_real(b, "interval_holds", m->picp);
	put_real(b, "interval_holds_error", m->picp_error);
	put_real(b, "skill_against_age", k->skill);
	emit_close(b, '}');
}

/* When its files were written: registered, for the files themselves tell no time. */
static int64_t trained_at(const char *path)
{
	char file[REGISTRY_PATH + 16];
	struct stat st;
	snprintf(file, sizeof(file), "%s/model.json", path);
	return stat(file, &st) < 0 ? TIME_NIL : (int64_t)st.st_mtim.tv_sec * 1000;
}

static void put_time(struct buf *b, const char *name, int64_t ts)
{
	emit_name(b, name);
	emit_time(b, ts);
}

/* The members of a version in the list, without the braces. */
static int put_version(struct call *c, const struct registry *r, struct standing *s,
	const char *id, struct err *err)
{
	char path[REGISTRY_PATH];
	struct card k;
	struct model *m = malloc(sizeof(*m));
	struct buf json = {0};
	s->id = id;
	int ok = m ? registry_path(r, id, path, err) : err_nomem(err);
	if (ok == 0 &&
		(read_history(c->service->models, s, err) < 0 ||
			card_read(path, &k, err) < 0 ||
			model_read_text(path, &json, err) < 0 ||
			model_read_json((const char *)json.data, json.len, m, err) < 0))
		ok = -1;
	if (ok == 0) {
		emit_name(c->out, "version");
		emit_text(c->out, id);
		emit_name(c->out, "status");
		emit_text(c->out, status_of(s));
		put_time(c->out, "trained_at", trained_at(path));
		put_time(c->out, "promoted_at", s->promoted);
		put_time(c->out, "retired_at", s->retired);
		put_metrics(c->out, &k);
		emit_name(c->out, "features");
		emit_int(c->out, m->nfeatures);
	}
	buf_release(&json);
	free(m);
	return ok;
}

struct listing {
	struct call *call;
	const struct registry *registry;
	struct standing standing;
	int64_t total;
	struct err *err;
	bool bad;
};

static void list_version(void *to, const char *id)
{
	struct listing *l = to;
	if (l->bad)
		return;
	emit_open(l->call->out, '{');
	l->bad = put_version(l->call, l->registry, &l->standing, id, l->err) < 0;
	emit_close(l->call->out, '}');
	l->total++;
}

static int list_models(struct call *c, const struct registry *r, struct err *err)
{
	struct listing l = {.call = c, .registry = r, .err = err};
	if (read_names(r, &l.standing, err) < 0)
		return -1;
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	if (registry_each(r, list_version, &l, err) < 0 || l.bad)
		return -1;
	emit_close(c->out, ']');
	emit_name(c->out, "total");
	emit_int(c->out, l.total);
	emit_close(c->out, '}');
	return 200;
}

typedef int model_fn(
	struct call *c, struct registry *r, const char *id, struct err *err);

/* Runs fn on the version the path names, or on none when it names none. */
static int with_version(struct call *c, model_fn *fn, bool writing, struct err *err)
{
	char id[CODE_MAX + 1];
	if (!c->service->models)
		return no_such(c);
	struct registry *r = registry_open(c->service->models, writing, err);
	int there = r && *c->id ? registry_resolve(r, c->id, id, err) : r ? 1 : -1;
	int status = there < 0 ? -1 : there == 0 ? no_such(c) : fn(c, r, id, err);
	registry_close(r);
	return status < 0 ? failed(c, err) : status;
}

int api_models(struct call *c, struct err *err)
{
	if (!c->service->models) {
		buf_puts(c->out, "{\"items\":[],\"total\":0}");
		return 200;
	}
	struct registry *r = registry_open(c->service->models, false, err);
	int status = r ? list_models(c, r, err) : -1;
	registry_close(r);
	return status < 0 ? failed(c, err) : status;
}

static int give_version(
	struct call *c, struct registry *r, const char *id, struct err *err)
{
	struct standing s;
	if (read_names(r, &s, err) < 0)
		return -1;
	emit_open(c->out, '{');
	if (put_version(c, r, &s, id, err) < 0)
		return -1;
	emit_close(c->out, '}');
	return 200;
}

/* The version, and all its model.json says beside. */
static int give_card(
	struct call *c, struct registry *r, const char *id, struct err *err)
{
	char path[REGISTRY_PATH];
	struct standing s;
	struct buf json = {0};
	if (read_names(r, &s, err) < 0 || registry_path(r, id, path, err) < 0)
		return -1;
	emit_open(c->out, '{');
	int ok = put_version(c, r, &s, id, err);
	if (ok == 0)
		ok = model_read_text(path, &json, err);
	emit_name(c->out, "card");
	buf_append(c->out, json.data, json.len);
	buf_release(&json);
	emit_close(c->out, '}');
	return ok < 0 ? -1 : 200;
}

int api_model(struct call *c, struct err *err)
{
	return with_version(c, give_card, false, err);
}

/* Rows of the newest features on their way into the counts of drift. */
struct counting {
	struct drift *drift;
	int nfeatures;
	float x[FIELDS_MAX];
};

/* Cells: the battery's number and code, then the features in the model's order. */
static int count_row(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct counting *k = ctx;
	for (int i = 0; i < k->nfeatures; i++)
		k->x[i] = cells[2 + i] ? strtof(cells[2 + i], NULL) : NAN;
	return drift_count(
		k->drift, (uint32_t)cell_int(cells[0]), str_of(cells[1]), k->x, err);
}

/* The columns of the model's features; of the twin's word, its newest prediction. */
static void put_features(const struct model *m, struct buf *sql)
{
	for (int i = 0; i < m->nfeatures; i++) {
		const char *name = m->feature[i].name;
		bool twin = feature_is_twin(name);
		buf_printf(sql, ", %s.%s", twin ? "l" : "f",
			twin ? name + strlen("twin_") : name);
	}
}

/*
 * The newest row of each battery's features, with what the twin had said within its
 * time. Names of features were checked against those of this build.
 */
static int count_drift(
	struct call *c, const struct model *m, struct drift *d, struct err *err)
{
	struct counting k = {.drift = d, .nfeatures = m->nfeatures};
	struct buf sql = {0};
	buf_puts(&sql, "SELECT b.id, b.code");
	put_features(m, &sql);
	buf_puts(&sql,
		" FROM battery b JOIN run r ON r.id = b.run JOIN feature f ON f.run = "
		"b.run AND f.battery = b.id AND f.window_h = CAST($2 AS integer) AND "
		"f.ts = (SELECT max(x.ts) FROM feature x WHERE x.run = b.run AND "
		"x.battery = b.id AND x.window_h = CAST($2 AS integer)) LEFT JOIN "
		"rul_prediction l ON l.run = b.run AND l.battery = b.id AND l.unit = "
		"f.unit AND l.source = 'twin' AND l.ts = (SELECT max(x.ts) FROM "
		"rul_prediction x WHERE x.run = b.run AND x.battery = b.id AND "
		"x.source = 'twin' AND x.ts <= f.ts AND x.ts > f.ts - CAST($3 AS "
		"bigint)) WHERE r.name = $1 ORDER BY b.id, f.unit DESC");
	buf_putc(&sql, '\0');
	int r = sql.failed ? err_nomem(err)
			   : db_select(c->db,
				     DB_QUERY((char *)sql.data, call_value(c, "run"),
					     number(m->window_h).text,
					     number(TWIN_WORD_MS).text),
				     count_row, &k, err);
	buf_release(&sql);
	return r;
}

static int emit_drift(
	struct call *c, const struct model *m, const struct drift *d, struct err *err)
{
	struct drift_figure *f = calloc((size_t)m->nfeatures, sizeof(*f));
	if (!f)
		return err_nomem(err);
	drift_judge(d, f);
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	for (int i = 0; i < m->nfeatures; i++) {
		emit_open(c->out, '{');
		emit_name(c->out, "feature");
		emit_text(c->out, f[i].feature);
		put_real(c->out, "psi", f[i].psi);
		put_real(c->out, "limit", f[i].limit);
		emit_name(c->out, "drifted");
		emit_bool(c->out, drifted(&f[i]));
		emit_close(c->out, '}');
	}
	emit_close(c->out, ']');
	emit_name(c->out, "batteries");
	emit_int(c->out, (int64_t)drift_batteries(d));
	emit_name(c->out, "total");
	emit_int(c->out, m->nfeatures);
	emit_close(c->out, '}');
	free(f);
	return 200;
}

/* 200; -1 with *database set when it was the database that failed. */
static int judge_drift(
	struct call *c, const struct model *m, bool *database, struct err *err)
{
	struct feature_set known;
	if (model_features(m, &known, err) < 0)
		return -1;
	struct drift *d = drift_new(m, DAY_MS, err);
	if (!d)
		return -1;
	drift_begin(d, c->now);
	*database = true;
	int status = count_drift(c, m, d, err) < 0 ? -1 : emit_drift(c, m, d, err);
	drift_free(d);
	return status;
}

static int read_model(struct call *c, struct model *m, struct err *err)
{
	char id[CODE_MAX + 1], path[REGISTRY_PATH];
	struct buf json = {0};
	struct registry *r = registry_open(c->service->models, false, err);
	int there = r ? registry_resolve(r, c->id, id, err) : -1;
	if (there > 0 &&
		(registry_path(r, id, path, err) < 0 ||
			model_read_text(path, &json, err) < 0 ||
			model_read_json((const char *)json.data, json.len, m, err) < 0))
		there = -1;
	buf_release(&json);
	registry_close(r);
	return there;
}

int api_model_drift(struct call *c, struct err *err)
{
	bool database = false;
	struct model *m = malloc(sizeof(*m));
	int there = !m                   ? err_nomem(err)
		    : c->service->models ? read_model(c, m, err)
					 : 0;
	int status = there > 0 ? judge_drift(c, m, &database, err) : there;
	free(m);
	if (status < 0 && !database)
		return failed(c, err);
	return status == 0 ? no_such(c) : status;
}

/* After a change of production: the audit log, and the model that serves now. */
static int say_change(struct call *c, struct registry *r, const char *action,
	const char *id, struct err *err)
{
	struct err why = {0};
	if (call_audit(c, c->account.username, action, id, &why) < 0)
		str_copy(c->res->log, sizeof(c->res->log), str_of(why.msg));
	return give_version(c, r, id, err);
}

static int promote(struct call *c, struct registry *r, const char *id, struct err *err)
{
	char was[CODE_MAX + 1], now[CODE_MAX + 1];
	int done = registry_promote(r, id, c->now, was, now, err);
	if (done < 0 && err->class == ERR_DATA) {
		str_copy(c->res->log, sizeof(c->res->log), str_of(err->msg));
		return http_refuse(c->res, 409, "'%s' does not load", id);
	}
	if (done < 0)
		return -1;
	return done ? say_change(c, r, "model.promote", now, err)
		    : give_version(c, r, now, err);
}

int api_model_promote(struct call *c, struct err *err)
{
	return with_version(c, promote, true, err);
}

static int roll_back(
	struct call *c, struct registry *r, const char *id, struct err *err)
{
	char was[CODE_MAX + 1], now[CODE_MAX + 1];
	if (registry_rollback(r, c->now, was, now, err) < 0) {
		if (err->class != ERR_DATA)
			return -1;
		str_copy(c->res->log, sizeof(c->res->log), str_of(err->msg));
		return http_refuse(c->res, 409,
			"there is no version before that could serve again");
	}
	return say_change(c, r, "model.rollback", now, err);
}

int api_model_rollback(struct call *c, struct err *err)
{
	if (!c->service->models)
		return http_refuse(c->res, 409, "there is no model registry");
	return with_version(c, roll_back, true, err);
}
