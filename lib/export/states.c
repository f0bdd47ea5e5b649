/* battery_states.json: how each battery is at the end. */
#include "export/parts.h"

#include "record/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void number(struct buf *b, const char *name, double v)
{
	buf_printf(b, ",\"%s\":", name);
	text_f64(round(v * 1000) / 1000, b);
}

static void write_condition(struct export *d, struct buf *b, const struct state *s)
{
	buf_printf(b, "{\"ts\":\"%s\"", out_clock_text(&d->clock, s->ts));
	number(b, "soc_pct", (double)s->soc_pct);
	number(b, "soh_pct", (double)s->soh_pct);
	number(b, "capacity_ah", (double)s->capacity_ah);
	number(b, "resistance_mohm", (double)s->resistance_mohm);
}

static void write_position(struct export *d, struct buf *b, uint32_t i)
{
	const struct position *p = &d->positions[i];
	buf_printf(b, "\"%s\":{\"battery_code\":", p->key);
	text_json_string(str_of(ids_name(&d->batteries.codes, i)), b);
	buf_printf(b, ",\"unit\":%d", p->unit);
	if (p->truth.ts != TIME_NIL) {
		buf_puts(b, ",\"truth\":");
		write_condition(d, b, &p->truth);
		if (p->truth.known_life) {
			const char *cause =
				export_word(KIND_truth, F_truth_cause, p->truth.cause);
			number(b, "rul_days", p->truth.rul_days);
			buf_printf(b, ",\"cause\":\"%s\"", cause ? cause : "none");
		}
		buf_putc(b, '}');
	}
	if (p->twin.ts != TIME_NIL) {
		buf_puts(b, ",\"twin\":");
		write_condition(d, b, &p->twin);
		buf_putc(b, '}');
	}
	if (p->rul_source >= 0)
		number(b, "rul_days", (double)p->rul_days);
	buf_putc(b, '}');
}

static int write_all(struct export *d, FILE *f, struct err *err)
{
	struct buf b = {0};
	int r = 0;
	fputc('{', f);
	for (uint32_t i = 0; r == 0 && i < d->batteries.codes.n; i++) {
		buf_puts(&b, i ? ",\n" : "\n");
		write_position(d, &b, i);
		r = b.failed ? err_nomem(err) : 0;
		if (r == 0)
			fwrite(b.data, 1, b.len, f);
		buf_clear(&b);
	}
	fputs("\n}\n", f);
	buf_release(&b);
	return r;
}

int export_states(struct export *d, struct err *err)
{
	char path[4300];
	snprintf(path, sizeof(path), "%.4200s/" LAYOUT_STATES, d->partial);
	FILE *f = fopen(path, "wxe");
	if (!f)
		return err_errno(err, "cannot create '%s'", path);
	int r = write_all(d, f, err);
	if (r == 0 && (fflush(f) != 0 || fsync(fileno(f)) < 0))
		r = err_errno(err, "cannot write '%s'", path);
	if (fclose(f) != 0 && r == 0)
		r = err_errno(err, "cannot write '%s'", path);
	return r;
}
