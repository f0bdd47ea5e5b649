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

void sql_on_conflict(const struct table *t, struct buf *out)
{
	buf_puts(out, " ON CONFLICT (");
	key_names(t, out);
	if (t->rule == RULE_KEEP || t->nkeys == t->ncolumns) {
		buf_puts(out, ") DO NOTHING");
		return;
	}
	char prefix[64];
	snprintf(prefix, sizeof(prefix), "%s.", t->name);
	buf_puts(out, ") DO UPDATE SET ");
	names(t, false, "", out, " = excluded.");
	buf_puts(out, " WHERE ");
	if (t->rule == RULE_LATEST)
		buf_printf(out, "excluded.ts >= %sts AND ", prefix);
	buf_putc(out, '(');
	names(t, false, prefix, out, NULL);
	buf_puts(out, ") IS DISTINCT FROM (");
	names(t, false, "excluded.", out, NULL);
	buf_putc(out, ')');
}
