/* The registry at the command line. */
#include "predict.h"

#include "base/diag.h"
#include "base/now.h"
#include "base/timefmt.h"
#include "learn/card.h"
#include "learn/history.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name;
	int operands[2]; /* least and most */
	bool writes;
	int (*run)(struct registry *r, const struct options *o, char **operands,
		struct err *err);
};

struct names {
	char production[CODE_MAX + 1], staging[CODE_MAX + 1];
};

static int read_names(const struct registry *r, struct names *n, struct err *err)
{
	*n = (struct names){"", ""};
	if (registry_resolve(r, REGISTRY_PRODUCTION, n->production, err) < 0)
		return -1;
	return registry_resolve(r, REGISTRY_STAGING, n->staging, err) < 0 ? -1 : 0;
}

static const char *names_of(const struct names *n, const char *id)
{
	bool p = strcmp(id, n->production) == 0, s = strcmp(id, n->staging) == 0;
	return p && s ? "production, staging" : p ? "production" : s ? "staging" : "-";
}

struct listing {
	const struct registry *r;
	struct names names;
	bool damaged;
};

/* printf of a number that may be unknown. */
static void print_number(int width, int digits, double v)
{
	if (isnan(v))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, digits, v);
}

static void list_one(void *to, const char *id)
{
	struct listing *l = to;
	char path[REGISTRY_PATH];
	struct card c;
	struct err err = {0};
	printf("%-18s %-20s", id, names_of(&l->names, id));
	if (registry_path(l->r, id, path, &err) < 0 || card_read(path, &c, &err) < 0) {
		printf(" %s\n", err.msg);
		l->damaged = true;
		return;
	}
	printf(" %-10.10s %9lld", c.to, (long long)c.batteries[PART_TRAIN]);
	print_number(8, 1, c.model.mae_days);
	print_number(8, 1, 100 * c.model.median_relative_error);
	print_number(8, 3, c.model.concordance);
	print_number(6, 2, c.skill);
	print_number(8, 1, 100 * c.model.picp);
	putchar('\n');
}

static int list(
	struct registry *r, const struct options *o, char **operands, struct err *err)
{
	struct listing l = {.r = r};
	if (read_names(r, &l.names, err) < 0)
		return -1;
	printf("%-18s %-20s %-10s %9s %8s %8s %8s %6s %8s\n", "version", "names",
		"data_until", "batteries", "mae_days", "error_%", "concord.", "skill",
		"covers_%");
	if (registry_each(r, list_one, &l, err) < 0)
		return -1;
	return l.damaged ? err_set(err, ERR_DATA, "a version is damaged, see above")
			 : 0;
}

static void show_metrics(const char *what, const struct card_metrics *m)
{
	printf("%-14s MAE %.1f d, RMSE %.1f d, R2 %.3f, median relative error %.1f %%, "
	       "concordance %.3f\n",
		what, m->mae_days, m->rmse_days, m->r2, 100 * m->median_relative_error,
		m->concordance);
}

static void show_card(const struct card *c)
{
	printf("made by        %s\n", c->program);
	printf("data           %s to %s, %lld ends of life seen\n", c->from, c->to,
		(long long)c->ends_seen);
	for (int p = 0; p < PART_COUNT; p++)
		printf("%-14s %lld rows of %lld batteries in %lld groups by %s\n",
			split_part_name((enum split_part)p), (long long)c->rows[p],
			(long long)c->batteries[p], (long long)c->groups[p], c->split);
	printf("trees          %lld, depth %lld\n", (long long)c->trees,
		(long long)c->depth);
	show_metrics("test", &c->model);
	show_metrics("  age only", &c->age_only);
	printf("  skill        %.3f; %.0f %% intervals hold %.1f +- %.1f %%\n",
		c->skill, 100 * c->level, 100 * c->model.picp,
		100 * c->model.picp_error);
}

static void show_features(const struct model *m)
{
	printf("features       %d, of the %d h window\n", m->nfeatures, m->window_h);
	for (int i = 0; i < m->nfeatures; i++) {
		const struct model_feature *f = &m->feature[i];
		printf("  %-22s %10.4g to %-10.4g %-7s in %.0f %% of the rows\n",
			f->name, f->min, f->max, f->unit, 100 * f->present);
	}
}

static int show_line(void *to, const struct history_line *l)
{
	char when[TIME_TEXT_SIZE];
	const char *id = to;
	if (strcmp(l->from, id) == 0 || strcmp(l->to, id) == 0)
		printf("%s  %s from %s to %s\n", time_format(l->ts, when), l->what,
			l->from[0] ? l->from : "nothing", l->to);
	return 0;
}

static int show_history(const struct options *o, char *id, struct err *err)
{
	int fd = open(o->registry, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open the registry '%s'", o->registry);
	int r = history_each(fd, show_line, id, err);
	close(fd);
	return r;
}

static int no_such(const struct options *o, const char *name, struct err *err)
{
	return err_set(err, ERR_DATA,
		"no version '%s' in '%s', see: predict list --registry '%s'", name,
		o->registry, o->registry);
}

static int show(
	struct registry *r, const struct options *o, char **operands, struct err *err)
{
	const char *name = operands[0] ? operands[0] : REGISTRY_PRODUCTION;
	char id[CODE_MAX + 1], path[REGISTRY_PATH];
	struct names names;
	struct card c;
	struct model m;
	int there = registry_resolve(r, name, id, err);
	if (there == 0)
		return no_such(o, name, err);
	if (there < 0 || read_names(r, &names, err) < 0 ||
		registry_path(r, id, path, err) < 0 || card_read(path, &c, err) < 0)
		return -1;
	struct booster *b = model_load(path, &m, err);
	if (!b)
		return -1;
	booster_free(b);
	printf("version        %s\nnames          %s\n", id, names_of(&names, id));
	show_card(&c);
	show_features(&m);
	return show_history(o, id, err);
}

static int register_model(
	struct registry *r, const struct options *o, char **operands, struct err *err)
{
	char id[CODE_MAX + 1];
	if (registry_fetch(r, operands[0], err) < 0 || registry_adopt(r, id, err) < 0)
		return -1;
	printf("%s\n", id);
	return 0;
}

static int changed(int done, const char *was, const char *now)
{
	if (done == 0)
		diag("%s is production already", now);
	else if (done > 0)
		diag("production is now %s, was %s", now, was[0] ? was : "nothing");
	return done < 0 ? -1 : 0;
}

static int promote(
	struct registry *r, const struct options *o, char **operands, struct err *err)
{
	char was[CODE_MAX + 1], now[CODE_MAX + 1];
	const char *name = operands[0] ? operands[0] : REGISTRY_STAGING;
	return changed(
		registry_promote(r, name, now_wall_ms(), was, now, err), was, now);
}

static int rollback(
	struct registry *r, const struct options *o, char **operands, struct err *err)
{
	char was[CODE_MAX + 1], now[CODE_MAX + 1];
	return changed(registry_rollback(r, now_wall_ms(), was, now, err), was, now);
}

static const struct command COMMANDS[] = {{"list", {0, 0}, false, list},
	{"show", {0, 1}, false, show}, {"register", {1, 1}, true, register_model},
	{"promote", {0, 1}, true, promote}, {"rollback", {0, 0}, true, rollback}};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++)
		if (strcmp(COMMANDS[i].name, name) == 0)
			return &COMMANDS[i];
	return NULL;
}

int predict_command(const struct options *o, char **operands, int n)
{
	struct err err = {0};
	const struct command *c = find(operands[0]);
	char *given[2] = {n > 1 ? operands[1] : NULL, NULL};
	if (!c)
		err_set(&err, ERR_USAGE, "no command '%s', see --help", operands[0]);
	else if (n - 1 < c->operands[0] || n - 1 > c->operands[1])
		err_set(&err, ERR_USAGE, "%s takes %s, see --help", c->name,
			c->operands[1] == 0   ? "no operand"
			: c->operands[0] == 0 ? "at most one version"
					      : "one model directory");
	else if (!o->registry)
		err_set(&err, ERR_USAGE, "%s needs --registry DIR", c->name);
	if (err.class)
		return diag_err(&err);
	struct registry *r = registry_open(o->registry, c->writes, &err);
	int status = !r || c->run(r, o, given, &err) < 0 ? diag_err(&err) : 0;
	registry_close(r);
	if (status == 0 && fflush(stdout) != 0) {
		err_errno(&err, "cannot write to standard output");
		status = diag_err(&err);
	}
	return status;
}
