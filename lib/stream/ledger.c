#include "stream/ledger.h"

#include "record/schema.h"
#include "record/text.h"

#include <stdio.h>

static const struct {
	const char *name;
	size_t offset;
} COLUMNS[] = {{"in", offsetof(struct tally, in)}, {"out", offsetof(struct tally, out)},
	{"added", offsetof(struct tally, added)},
	{"rejected", offsetof(struct tally, rejected)},
	{"dropped", offsetof(struct tally, dropped)},
	{"unused", offsetof(struct tally, unused)}};
enum { NCOLUMNS = sizeof(COLUMNS) / sizeof(COLUMNS[0]) };

static int64_t column(const struct tally *t, int i)
{
	return *(const int64_t *)(const void *)((const char *)t + COLUMNS[i].offset);
}

static bool untouched(const struct tally *t)
{
	for (int i = 0; i < NCOLUMNS; i++)
		if (column(t, i))
			return false;
	return true;
}

struct tally ledger_total(const struct ledger *l)
{
	struct tally sum = {0};
	for (int k = 0; k <= KIND_MAX; k++) {
		const struct tally *t = &l->kinds[k];
		sum.in += t->in;
		sum.out += t->out;
		sum.added += t->added;
		sum.rejected += t->rejected;
		sum.dropped += t->dropped;
		sum.unused += t->unused;
	}
	return sum;
}

bool ledger_balances(const struct ledger *l)
{
	for (int k = 0; k <= KIND_MAX; k++) {
		const struct tally *t = &l->kinds[k];
		if (t->in + t->added != t->out + t->rejected + t->dropped)
			return false;
	}
	return true;
}

void ledger_text(const struct ledger *l, struct buf *out)
{
	struct tally sum = ledger_total(l);
	for (int i = 0; i < NCOLUMNS; i++)
		if (i < NCOLUMNS - 1 || sum.unused)
			buf_printf(out, "%s%s %lld", i ? ", " : "", COLUMNS[i].name,
				(long long)column(&sum, i));
}

static void kind_label(int kind, char *dst, size_t size)
{
	const struct kind_info *k = kind_info(kind);
	if (k)
		snprintf(dst, size, "%s", k->name);
	else
		snprintf(dst, size, "kind-%d", kind);
}

static void json_kinds(const struct ledger *l, struct buf *out)
{
	const char *comma = "";
	char label[CODE_MAX + 1];
	for (int k = 0; k <= KIND_MAX; k++) {
		if (untouched(&l->kinds[k]))
			continue;
		kind_label(k, label, sizeof(label));
		buf_printf(out, "%s\"%s\":{", comma, label);
		for (int i = 0; i < NCOLUMNS; i++)
			buf_printf(out, "%s\"%s\":%lld", i ? "," : "", COLUMNS[i].name,
				(long long)column(&l->kinds[k], i));
		buf_puts(out, "}");
		comma = ",";
	}
}

void ledger_json(const struct ledger *l, const struct rec_origin *origin,
	const char *program, int status, bool interrupted, struct buf *out)
{
	buf_puts(out, "{\"program\":");
	text_json_string(str_of(program), out);
	buf_printf(out, ",\"position\":%d,\"chain\":[", origin->programs.n);
	for (int i = 0; i < origin->programs.n; i++) {
		buf_puts(out, i ? "," : "");
		text_json_string(origin->programs.v[i].program, out);
	}
	buf_puts(out, "],\"run\":");
	text_json_string(origin->run, out);
	buf_printf(out, ",\"status\":%d,\"interrupted\":%s,\"kinds\":{", status,
		interrupted ? "true" : "false");
	json_kinds(l, out);
	buf_puts(out, "}}\n");
}

void ledger_metrics(const struct ledger *l, const char *program, struct buf *out)
{
	char label[CODE_MAX + 1];
	buf_puts(out, "# HELP floatline_records_total Records handled, by kind and "
		      "what became of them.\n"
		      "# TYPE floatline_records_total counter\n");
	for (int k = 0; k <= KIND_MAX; k++) {
		if (untouched(&l->kinds[k]))
			continue;
		kind_label(k, label, sizeof(label));
		for (int i = 0; i < NCOLUMNS; i++)
			buf_printf(out,
				"floatline_records_total{program=\"%s\",kind=\"%s\","
				"direction=\"%s\"} %lld\n",
				program, label, COLUMNS[i].name,
				(long long)column(&l->kinds[k], i));
	}
}
