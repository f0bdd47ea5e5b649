#include "base/inifile.h"

#include "base/parse.h"

#include <ini.h>
#include <stdint.h>
#include <string.h>

enum { KEYS_MAX = 128 };

struct load {
	const struct inifile_key *keys;
	char *out;
	bool seen[KEYS_MAX];
	struct err fault; /* the first one; class ERR_NONE while there is none */
};

static int number(
	const struct inifile_key *k, struct str text, double *v, struct err *e)
{
	if (parse_f64(text, v) < 0)
		return err_set(e, ERR_USAGE, "'%s': '%.*s' is not a number", k->name,
			STR_ARG(text));
	if ((k->min != 0 || k->max != 0) && (*v < k->min || *v > k->max))
		return err_set(e, ERR_USAGE, "'%s': %g is not within %g to %g", k->name,
			*v, k->min, k->max);
	return 0;
}

static int list(
	const struct inifile_key *k, const char *value, char *out, struct err *e)
{
	double *to = (double *)(void *)(out + k->offset);
	size_t n = 0;
	const char *p = value + strspn(value, " \t,");

	while (*p) {
		size_t len = strcspn(p, " \t,");
		if (n == k->size)
			return err_set(e, ERR_USAGE, "'%s': more than %zu numbers",
				k->name, k->size);
		if (number(k, (struct str){p, (uint32_t)len}, &to[n++], e) < 0)
			return -1;
		p += len;
		p += strspn(p, " \t,");
	}
	int *count = (int *)(void *)(out + k->count);
	if (*count && (size_t)*count != n)
		return err_set(e, ERR_USAGE, "'%s': %zu numbers, its partner has %d",
			k->name, n, *count);
	*count = (int)n;
	return 0;
}

static int assign(
	const struct inifile_key *k, const char *value, char *out, struct err *e)
{
	double v;
	switch (k->type) {
	case INIFILE_LIST:
		return list(k, value, out, e);
	case INIFILE_TEXT:
		if (str_copy(out + k->offset, k->size, str_of(value)))
			return 0;
		return err_set(e, ERR_USAGE, "'%s': longer than %zu bytes", k->name,
			k->size - 1);
	case INIFILE_F64:
		return number(k, str_of(value), (double *)(void *)(out + k->offset), e);
	case INIFILE_INT:
		if (number(k, str_of(value), &v, e) < 0)
			return -1;
		if (v < INT32_MIN || v > INT32_MAX || v != (double)(int)v)
			return err_set(e, ERR_USAGE, "'%s': '%s' is not a whole number",
				k->name, value);
		*(int *)(void *)(out + k->offset) = (int)v;
		return 0;
	}
	return -1;
}

int inifile_set(const struct inifile_key *keys, const char *section, const char *name,
	const char *value, void *out, struct err *err)
{
	for (const struct inifile_key *k = keys; k->section; k++)
		if (strcmp(k->section, section) == 0 && strcmp(k->name, name) == 0)
			return assign(k, value, out, err);
	return err_set(err, ERR_USAGE, "unknown key '%s' in [%s]", name, section);
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct load *l = user;
	if (l->fault.class)
		return 0;
	for (size_t i = 0; l->keys[i].section && i < KEYS_MAX; i++) {
		const struct inifile_key *k = &l->keys[i];
		if (strcmp(k->section, section) != 0 || strcmp(k->name, name) != 0)
			continue;
		if (l->seen[i]) {
			err_set(&l->fault, ERR_USAGE, "'%s' is given twice", name);
			return 0;
		}
		l->seen[i] = true;
		return assign(k, value, l->out, &l->fault) == 0;
	}
	err_set(&l->fault, ERR_USAGE, "unknown key '%s' in [%s]", name, section);
	return 0;
}

int inifile_each(const char *path, inifile_fn *fn, void *user, const struct err *fault,
	struct err *err)
{
	int line = ini_parse(path, fn, user);
	if (line == -1)
		return err_errno(err, "cannot open '%s'", path);
	if (line < 0)
		return err_nomem(err);
	if (line > 0)
		return err_set(err, ERR_USAGE, "'%s' line %d: %s", path, line,
			fault->class ? fault->msg : "not of the form 'key = value'");
	return 0;
}

int inifile_load(
	const char *path, const struct inifile_key *keys, void *out, struct err *err)
{
	struct load l = {.keys = keys, .out = out};
	if (inifile_each(path, on_key, &l, &l.fault, err) < 0)
		return -1;
	for (size_t i = 0; keys[i].section && i < KEYS_MAX; i++)
		if (keys[i].need && !l.seen[i])
			return err_set(err, ERR_USAGE, "'%s': '%s' is missing in [%s]",
				path, keys[i].name, keys[i].section);
	return 0;
}
