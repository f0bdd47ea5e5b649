#include "ingest/identity.h"

#include "base/grow.h"
#include "ingest/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct limits LIMITS_NONE = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};

bool code_valid(struct str s)
{
	if (!s.s || s.len == 0 || s.len > CODE_MAX)
		return false;
	for (uint32_t i = 0; i < s.len; i++)
		if (s.s[i] <= ' ' || s.s[i] > '~')
			return false;
	return true;
}

struct identity *identities_find(struct identities *t, struct str raw)
{
	if (t->raw.n == 0)
		return NULL;
	uint32_t guess = t->next[t->last];
	if (t->raw.lens[guess] != raw.len ||
		memcmp(t->raw.names[guess], raw.s, raw.len) != 0) {
		guess = ids_find(&t->raw, raw);
		if (guess == IDS_NONE)
			return NULL;
		t->next[t->last] = guess;
	}
	t->last = guess;
	return t->of_raw[guess];
}

static struct identity *new_identity(struct str code)
{
	struct identity *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	str_copy(p->code, sizeof(p->code), code);
	p->limits = LIMITS_NONE;
	p->group = IDS_NONE;
	p->newest = p->held_from = TIME_NIL;
	for (int i = 0; i < MAP_CARRY_MAX; i++)
		p->carried[i].ts = TIME_NIL;
	return p;
}

/* Both arrays of 'raw' numbers grow together. */
static int grow_raw(struct identities *t, size_t n)
{
	if (n < t->cap_raw)
		return 0;
	size_t cap = t->cap_raw;
	if (grow(&t->of_raw, &cap, n, sizeof(*t->of_raw)) < 0)
		return -1;
	return grow(&t->next, &t->cap_raw, n, sizeof(*t->next));
}

struct identity *identities_add(struct identities *t, struct str raw, struct str code)
{
	if (t->raw.n >= IDENTITIES_MAX)
		return NULL;
	uint32_t c = ids_intern(&t->codes, code);
	uint32_t r = ids_intern(&t->raw, raw);
	if (c == IDS_NONE || r == IDS_NONE || grow_raw(t, r) < 0)
		return NULL;
	if (grow(&t->by_code, &t->cap_codes, c, sizeof(*t->by_code)) < 0)
		return NULL;
	if (!t->by_code[c])
		t->by_code[c] = new_identity(code);
	t->of_raw[r] = t->by_code[c];
	t->next[r] = r;
	return t->by_code[c];
}

void identities_release(struct identities *t)
{
	for (size_t i = 0; i < t->codes.n && i < t->cap_codes; i++)
		free(t->by_code[i]);
	free(t->by_code);
	free(t->of_raw);
	free(t->next);
	ids_release(&t->raw);
	ids_release(&t->codes);
	*t = (struct identities){0};
}

struct str id_table_get(const struct id_table *t, struct str key)
{
	uint32_t k = ids_find(&t->keys, key);
	if (k == IDS_NONE)
		return STR_NIL;
	uint32_t v = t->value_of[k];
	return (struct str){t->values.names[v], t->values.lens[v]};
}

int id_table_put(struct id_table *t, struct str key, struct str value)
{
	uint32_t k = ids_intern(&t->keys, key), v = ids_intern(&t->values, value);
	if (k == IDS_NONE || v == IDS_NONE ||
		grow(&t->value_of, &t->cap, k, sizeof(*t->value_of)) < 0)
		return -1;
	t->value_of[k] = v;
	return 0;
}

static int find_columns(
	const struct row *row, const struct map_table *spec, int *key, int *value)
{
	*key = *value = -1;
	for (int i = 0; i < row->n; i++) {
		if (str_is(row->field[i], spec->key))
			*key = i;
		if (str_is(row->field[i], spec->value))
			*value = i;
	}
	return *key < 0 || *value < 0 ? -1 : 0;
}

static int read_table(struct id_table *t, struct rows *r, const struct map_table *spec,
	struct err *err)
{
	int key, value, n, columns;
	n = rows_next(r, err);
	if (n < 0)
		return -1;
	if (n == 0 || r->row.defect || find_columns(&r->row, spec, &key, &value) < 0)
		return err_set(err, ERR_DATA,
			"'%s' does not have the columns '%s' and '%s'",
			r->lines.text->name, spec->key, spec->value);
	columns = r->row.n;
	while ((n = rows_next(r, err)) > 0) {
		if (r->row.defect || r->row.n != columns)
			continue; /* its own reading rejects it with the reason */
		if (code_valid(r->row.field[value]) &&
			id_table_put(t, r->row.field[key], r->row.field[value]) < 0)
			return err_nomem(err);
	}
	return n;
}

int id_table_load(struct id_table *t, const char *dir, const struct map_table *spec,
	struct err *err)
{
	char path[4096];
	struct text text;
	struct rows *r = malloc(sizeof(*r));
	int n = -1;
	if (!r)
		return err_nomem(err);
	snprintf(path, sizeof(path), "%.3900s/%s", dir, spec->file);
	if (access(path, F_OK) < 0)
		snprintf(path, sizeof(path), "%.3900s/%s.gz", dir, spec->file);
	if (text_open(&text, path, err) == 0) {
		if (rows_open(r, &text, ',', err) == 0)
			n = read_table(t, r, spec, err);
		rows_close(r);
		text_close(&text);
	}
	free(r);
	return n < 0 ? -1 : 0;
}

void id_table_release(struct id_table *t)
{
	ids_release(&t->keys);
	ids_release(&t->values);
	free(t->value_of);
	*t = (struct id_table){0};
}
