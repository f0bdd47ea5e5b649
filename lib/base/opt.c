#include "base/opt.h"

#include "base/parse.h"
#include "base/timefmt.h"

#include <getopt.h>

enum { MAX_OPTS = 64, ID_BASE = 1000, ID_HELP = 2000, ID_VERSION = 2001 };

struct table {
	const struct opt *v[MAX_OPTS];
	int n;
	struct option longs[MAX_OPTS + 3];
	char shorts[MAX_OPTS * 2 + 4];
};

static void add_options(struct table *t, const struct opt *o)
{
	for (; o && o->name && t->n < MAX_OPTS; o++) {
		size_t k = strlen(t->shorts);
		if (o->letter) {
			t->shorts[k++] = o->letter;
			if (o->arg)
				t->shorts[k++] = ':';
			t->shorts[k] = '\0';
		}
		t->longs[t->n] = (struct option){o->name,
			o->arg ? required_argument : no_argument, NULL, ID_BASE + t->n};
		t->v[t->n++] = o;
	}
}

static void build(struct table *t, const struct opt *own, const struct opt *shared)
{
	*t = (struct table){.shorts = ":hV"};
	add_options(t, own);
	add_options(t, shared);
	t->longs[t->n] = (struct option){"help", no_argument, NULL, ID_HELP};
	t->longs[t->n + 1] = (struct option){"version", no_argument, NULL, ID_VERSION};
}

static const struct opt *find(const struct table *t, int c)
{
	if (c >= ID_BASE)
		return t->v[c - ID_BASE];
	for (int i = 0; i < t->n; i++)
		if (t->v[i]->letter == c)
			return t->v[i];
	return NULL;
}

static int list_add(const struct opt *o, const char *arg, struct err *err)
{
	struct strlist *l = o->to;
	if (l->n == STRLIST_MAX)
		return err_set(err, ERR_USAGE, "--%s: given more than %d times",
			o->name, STRLIST_MAX);
	l->v[l->n++] = arg;
	return 0;
}

static int bad(const struct opt *o, const char *arg, const char *want, struct err *err)
{
	return err_set(err, ERR_USAGE, "--%s: '%s' is not %s", o->name, arg, want);
}

static int set_int(const struct opt *o, const char *arg, struct err *err)
{
	bool any = o->min == 0 && o->max == 0;
	int64_t lo = any ? INT64_MIN : (int64_t)o->min,
		hi = any ? INT64_MAX : (int64_t)o->max;
	if (parse_i64(str_of(arg), lo, hi, o->to) == 0)
		return 0;
	if (any)
		return bad(o, arg, "a whole number", err);
	return err_set(err, ERR_USAGE,
		"--%s: '%s' is not a whole number from %lld to %lld", o->name, arg,
		(long long)lo, (long long)hi);
}

static int set_f64(const struct opt *o, const char *arg, struct err *err)
{
	double v;
	if (parse_f64(str_of(arg), &v) < 0)
		return bad(o, arg, "a number", err);
	if ((o->min != 0 || o->max != 0) && (v < o->min || v > o->max))
		return err_set(err, ERR_USAGE, "--%s: %s is not within %g to %g",
			o->name, arg, o->min, o->max);
	*(double *)o->to = v;
	return 0;
}

static int set(const struct opt *o, const char *arg, struct err *err)
{
	switch (o->type) {
	case OPT_BOOL:
		*(bool *)o->to = true;
		return 0;
	case OPT_STR:
		*(const char **)o->to = arg;
		return 0;
	case OPT_LIST:
		return list_add(o, arg, err);
	case OPT_INT:
		return set_int(o, arg, err);
	case OPT_F64:
		return set_f64(o, arg, err);
	case OPT_MS:
		if (parse_duration_ms(str_of(arg), o->to) < 0)
			return bad(o, arg, "a duration such as 30s, 15m, 1h, 90d", err);
		return 0;
	case OPT_TIME:
		if (time_parse_iso(str_of(arg), 0, o->to) < 0)
			return bad(o, arg, "a time such as 2026-08-25T00:00:00Z", err);
		return 0;
	}
	return err_set(err, ERR_USAGE, "--%s: unknown option type", o->name);
}

static void help_line(const struct opt *o, FILE *out)
{
	char left[64];
	snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : " ",
		o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
		o->arg ? " " : "", o->arg ? o->arg : "");
	if (strlen(left) <= 26)
		fprintf(out, "  %-26s  %s\n", left, o->help);
	else
		fprintf(out, "  %s\n  %-26s  %s\n", left, "", o->help);
}

void opt_help(const struct opt_usage *u, const struct opt *own,
	const struct opt *shared, FILE *out)
{
	static const struct opt builtin[] = {
		{'h', "help", NULL, "print this and exit", OPT_BOOL, NULL, 0, 0},
		{'V', "version", NULL, "print the version and exit", OPT_BOOL, NULL, 0,
			0}};
	fprintf(out, "usage: %s %s\n%s\n", u->program, u->synopsis, u->summary);
	if (u->notes)
		fprintf(out, "\n%s", u->notes);
	fprintf(out, "\noptions:\n");
	for (const struct opt *o = own; o && o->name; o++)
		help_line(o, out);
	for (const struct opt *o = shared; o && o->name; o++)
		help_line(o, out);
	for (size_t i = 0; i < 2; i++)
		help_line(&builtin[i], out);
}

/* The text of the option getopt just stumbled over. */
static int refused(int c, char **argv, struct err *err)
{
	const char *what = argv[optind - 1];
	if (c == ':')
		return err_set(err, ERR_USAGE,
			"option '%s' needs an argument, see --help", what);
	if (optopt && optopt < ID_BASE)
		return err_set(
			err, ERR_USAGE, "unknown option '-%c', see --help", optopt);
	return err_set(err, ERR_USAGE, "unknown option '%s', see --help", what);
}

/* getopt_long accepts unique prefixes; scripts that rely on one break when an option is
 * added. */
static bool abbreviated(const struct opt *o, const char *text)
{
	if (strncmp(text, "--", 2) != 0)
		return false;
	const char *name = o ? o->name : NULL;
	size_t n = strcspn(text + 2, "=");
	return name && (strlen(name) != n || strncmp(name, text + 2, n) != 0);
}

int opt_parse(const struct opt_usage *u, const struct opt *own,
	const struct opt *shared, int argc, char **argv, int *first, struct err *err)
{
	struct table t;
	build(&t, own, shared);
	optind = 0;
	opterr = 0;
	for (;;) {
		int at = optind ? optind : 1;
		int c = getopt_long(argc, argv, t.shorts, t.longs, NULL);
		if (c == -1)
			break;
		if (c == 'h' || c == ID_HELP) {
			opt_help(u, own, shared, stdout);
			return OPT_EXIT;
		}
		if (c == 'V' || c == ID_VERSION) {
			printf("%s (floatline) %s\n", u->program, FL_VERSION);
			return OPT_EXIT;
		}
		const struct opt *o = c == '?' || c == ':' ? NULL : find(&t, c);
		if (!o)
			return refused(c, argv, err);
		const char *text = c >= ID_BASE ? argv[at] : "";
		if (abbreviated(o, text))
			return err_set(err, ERR_USAGE,
				"unknown option '%s', did you mean --%s?", text,
				o->name);
		if (set(o, optarg, err) < 0)
			return -1;
	}
	*first = optind;
	return OPT_RUN;
}
