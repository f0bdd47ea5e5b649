#include "db/sql.h"

#include <stdio.h>

/* "p" "name" of each column ('keys': of the key, else: of the others), ", " between. */
static void names(const struct table *t, bool keys, const char *p, struct buf *out,
	const char *set)
{
	const char *comma = "";
	for (int i = 0; i < t->ncolumns; i++) {
		const char *name = t->columns[i].name;
		if (t->columns[i].key != keys)
			continue;
		buf_printf(out, "%s%s%s", comma, p, name);
		if (set)
			buf_printf(out, "%s%s", set, name);
		comma = ", ";
	}
}

void sql_columns(const struct table *t, struct buf *out)
{
	for (int i = 0; i < t->ncolumns; i++)
		buf_printf(out, "%s%s", i ? ", " : "", t->columns[i].name);
}

void sql_insert(const struct table *t, struct buf *out)
{
	buf_printf(out, "INSERT INTO %s (", t->name);
	sql_columns(t, out);
	buf_putc(out, ')');
}

static void key_names(const struct table *t, struct buf *out)
{
	for (int i = 0; i < t->nkeys; i++)
		buf_printf(out, "%s%s", i ? ", " : "", t->columns[t->keys[i]].name);
}

/* NAME = what the column becomes, @c the column, @t the table; a NULL in one of both is
 * as if it were not there. */
static void merge(const struct table *t, const struct column *c, struct buf *out)
{
	static const char *const FORMS[] = {
		[MERGE_LATER] = "@c = CASE WHEN excluded.last_ts >= @t.last_ts "
				"THEN coalesce(excluded.@c, @t.@c) ELSE "
				"coalesce(@t.@c, excluded.@c) END",
		[MERGE_SUM] = "@c = @t.@c + excluded.@c",
		[MERGE_LEAST] = "@c = CASE WHEN @t.@c IS NULL OR excluded.@c < "
				"@t.@c THEN excluded.@c ELSE @t.@c END",
		[MERGE_GREATEST] = "@c = CASE WHEN @t.@c IS NULL OR excluded.@c > "
				   "@t.@c THEN excluded.@c ELSE @t.@c END"};
	for (const char *p = FORMS[c->merge]; *p; p++) {
		if (*p != '@')
			buf_putc(out, *p);
		else
			buf_puts(out, *++p == 't' ? t->name : c->name);
	}
}

static void merge_all(const struct table *t, struct buf *out)
{
	const char *comma = "";
	for (int i = 0; i < t->ncolumns; i++) {
		if (t->columns[i].key)
			continue;
		buf_puts(out, comma);
		merge(t, &t->columns[i], out);
		comma = ", ";
	}
}

/* Of two units at one time, the later unit is the newer row. */
static void newer(const struct table *t, const char *prefix, struct buf *out)
{
	int unit = field_index(t->kind, str_of("unit"));
	if (unit >= 0 && !t->columns[unit + 1].key)
		buf_printf(out, "(excluded.ts, excluded.unit) >= (%sts, %sunit) AND ",
			prefix, prefix);
	else
		buf_printf(out, "excluded.ts >= %sts AND ", prefix);
}

void sql_on_conflict(const struct table *t, struct buf *out)
{
	buf_puts(out, " ON CONFLICT (");
	key_names(t, out);
	if (t->rule == RULE_KEEP || t->nkeys == t->ncolumns) {
		buf_puts(out, ") DO NOTHING");
		return;
	}
	if (t->rule == RULE_MERGE) {
		buf_puts(out, ") DO UPDATE SET ");
		merge_all(t, out);
		return;
	}
	char prefix[64];
	snprintf(prefix, sizeof(prefix), "%s.", t->name);
	buf_puts(out, ") DO UPDATE SET ");
	names(t, false, "", out, " = excluded.");
	buf_puts(out, " WHERE ");
	if (t->rule == RULE_LATEST)
		newer(t, prefix, out);
	buf_putc(out, '(');
	names(t, false, prefix, out, NULL);
	buf_puts(out, ") IS DISTINCT FROM (");
	names(t, false, "excluded.", out, NULL);
	buf_putc(out, ')');
}
