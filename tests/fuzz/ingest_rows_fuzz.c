/*
 * Rows of arbitrary bytes, through the whole way to records. The first byte chooses CSV
 * or NDJSON. A row without quotes is read by our own splitter: libcsv must see the
 * same.
 */
#include "ingest/convert.h"
#include "ingest/order.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char MAPPING[] =
	"[source]\nkind = telemetry\ntime = t\nzone = Europe/Berlin\n[identity]\n"
	"column = b\n[columns]\nv = voltage_v * 0.5\nc = temperature_c\nm = mode\n"
	"[carry]\nc = 15m\n[sentinels]\n* = 65535\n[ignore]\nx = nothing\n";

struct seen {
	const struct row *row;
	int n;
};

static void on_field(void *s, size_t n, void *arg)
{
	struct seen *k = arg;
	if (k->n < k->row->n) {
		struct str f = k->row->field[k->n];
		if (f.len != n || (n && memcmp(f.s, s, n) != 0))
			abort();
	}
	k->n++;
}

static void on_row(int c, void *arg)
{
}

/* libcsv's view of a row that was split without it. */
static void compare(const struct row *row)
{
	struct csv_parser p;
	struct seen seen = {row, 0};
	if (row->original.len == 0 || memchr(row->original.s, '"', row->original.len) ||
		memchr(row->original.s, '\n', row->original.len) ||
		csv_init(&p, CSV_STRICT) != 0)
		return;
	csv_parse(&p, row->original.s, row->original.len, on_field, on_row, &seen);
	csv_fini(&p, on_field, on_row, &seen);
	csv_free(&p);
	if (seen.n != row->n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct mapping m;
	static struct convert c;
	static struct rows r;
	struct str header[] = {str_of("t"), str_of("b"), str_of("v"), str_of("c"),
		str_of("m"), str_of("x")};
	struct err err = {0};
	struct text text;
	struct order order;
	if (n == 0 || mapping_parse(&m, "m", MAPPING, &err) < 0 ||
		convert_open(&c, &m, header, 6, "f", ".", NULL, &err) < 0)
		return 0;
	order_init(&order, HOUR_MS);
	text_memory(&text, "f", data + 1, n - 1, &err);
	rows_open(&r, &text, ',', &err);
	r.ndjson = data[0] & 1;
	r.names = header;
	r.nnames = 6;
	for (int64_t i = 0; rows_next(&r, &err) > 0; i++) {
		union rec_any rec;
		struct converted out;
		int32_t q = 0;
		if (!r.ndjson && !r.row.defect)
			compare(&r.row);
		if (r.row.defect || r.row.n != 6 ||
			convert_row(&c, &r.row, i, &rec, &out, &err) <= 0)
			continue;
		order_row(&order, out.who, out.ts, &rec, sizeof(rec.telemetry),
			r.row.line, r.row.original, &q, &err);
		for (struct held *h; (h = order_ready(&order, &q));)
			order_done(&order, h);
	}
	order_release(&order);
	rows_close(&r);
	text_close(&text);
	convert_close(&c);
	return 0;
}
