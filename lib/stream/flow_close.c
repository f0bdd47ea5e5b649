#include "stream/flow_internal.h"

#include "base/diag.h"
#include "record/text.h"
#include "stream/signals.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void write_end(struct flow *f)
{
	struct rec_end end = {.reason = f->interrupted ? end_reason_interrupted
						       : end_reason_complete};
	flow_write_origin(f);
	for (int k = 0; k <= KIND_MAX; k++)
		if (f->out_counts[k]) {
			end.counts.v[end.counts.n].kind = k;
			end.counts.v[end.counts.n++].count = f->out_counts[k];
		}
	flow_flush(f);
	for (int i = 0; i < f->noutlets; i++)
		outlet_ending(f->outlets[i]);
	flow_write_frame(f, KIND_end, &end);
	flow_flush(f);
}

/* Writes text to PATH by way of PATH.tmp, so that a reader never sees half of it. */
static int replace_file(const char *path, const struct buf *text, struct err *err)
{
	char tmp[4096];
	if (snprintf(tmp, sizeof(tmp), "%s.%ld.tmp", path, (long)getpid()) >=
		(int)sizeof(tmp))
		return err_set(err, ERR_IO, "path too long: '%s'", path);
	FILE *out = fopen(tmp, "we");
	if (!out)
		return err_errno(err, "cannot write '%s'", tmp);
	bool bad = fwrite(text->data, 1, text->len, out) != text->len;
	if (fclose(out) != 0 || bad || rename(tmp, path) < 0) {
		err_errno(err, "cannot write '%s'", path);
		unlink(tmp);
		return -1;
	}
	return 0;
}

/* Takes the line of that name out. */
static void forget_metric(struct buf *b, const char *name)
{
	size_t n = strlen(name), at = 0;
	while (at < b->len) {
		const char *line = (const char *)b->data + at;
		size_t len =
			(size_t)((char *)memchr(line, '\n', b->len - at) - line) + 1;
		if (len > n && memcmp(line, name, n) == 0 && line[n] == ' ') {
			memmove(b->data + at, b->data + at + len, b->len - at - len);
			b->len -= len;
			return;
		}
		at += len;
	}
}

void flow_metric(struct flow *f, const char *name, double value)
{
	forget_metric(&f->metrics, name);
	buf_printf(&f->metrics, "%s ", name);
	if (isnan(value))
		buf_puts(&f->metrics, "NaN");
	else if (isinf(value))
		buf_puts(&f->metrics, value > 0 ? "+Inf" : "-Inf");
	else
		text_f64(value, &f->metrics);
	buf_putc(&f->metrics, '\n');
}

static void loss_metrics(const struct flow *f, struct buf *out)
{
	int64_t lost = 0, late = 0;
	for (int i = 0; i < f->nreaders; i++) {
		lost += f->readers[i].gaps;
		late += f->readers[i].unknown + f->readers[i].malformed;
	}
	buf_printf(out,
		"# HELP floatline_messages_lost_total Messages of sockets that never "
		"came.\n"
		"# TYPE floatline_messages_lost_total counter\n"
		"floatline_messages_lost_total{program=\"%s\"} %lld\n"
		"# HELP floatline_messages_unusable_total What sockets brought and "
		"could not be used.\n"
		"# TYPE floatline_messages_unusable_total counter\n"
		"floatline_messages_unusable_total{program=\"%s\"} %lld\n",
		f->program, (long long)lost, f->program, (long long)late);
}

int flow_write_metrics(struct flow *f, struct err *err)
{
	struct buf text = {0};
	ledger_metrics(&f->ledger, f->program, &text);
	if (f->live)
		loss_metrics(f, &text);
	buf_append(&text, f->metrics.data, f->metrics.len);
	int r = text.failed ? err_nomem(err) : replace_file(f->fo->metrics, &text, err);
	buf_release(&text);
	return r;
}

/* One write to a file opened for appending: several programs share one ledger file. */
static int append_ledger(struct flow *f, int status, struct err *err)
{
	struct buf line = {0};
	ledger_json(&f->ledger, &f->origin, f->program, status, f->interrupted, &line);
	int fd = open(f->fo->ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	int r = 0;
	if (fd < 0 || write(fd, line.data, line.len) != (ssize_t)line.len)
		r = err_errno(err, "cannot write ledger '%s'", f->fo->ledger);
	if (fd >= 0)
		close(fd);
	buf_release(&line);
	return r;
}

static void report_socket(const struct reader *r)
{
	if (r->gaps || r->unseen || r->unknown || r->malformed)
		diag("%s: lost: %lld messages by their numbers, %lld records by the "
		     "end "
		     "record; not usable: %lld records before their schema, %lld "
		     "messages",
			inlet_name(r->inlet), (long long)r->gaps, (long long)r->unseen,
			(long long)r->unknown, (long long)r->malformed);
}

static void report_losses(const struct flow *f)
{
	for (int i = 0; i < f->nreaders; i++) {
		const struct reader *r = &f->readers[i];
		if (inlet_is_socket(r->inlet))
			report_socket(r);
		else if (r->torn)
			diag("%s: truncated: ends %zu bytes into record %lld",
				inlet_name(r->inlet), r->torn,
				(long long)r->records + 1);
		else if (r->truncated || r->cutoffs)
			diag("%s: truncated: %s", inlet_name(r->inlet),
				r->records ? "no end record, its producer was cut off"
					   : "empty, not even an origin record");
	}
}

static void tell_ledger(struct flow *f)
{
	struct buf text = {0};
	if (f->fo->quiet)
		return;
	ledger_text(&f->ledger, &text);
	buf_putc(&text, '\0');
	if (!text.failed)
		diag("%s%s", (const char *)text.data,
			f->interrupted ? " (interrupted)" : "");
	buf_release(&text);
}

static int close_outputs(struct flow *f, int status)
{
	for (int i = 0; i < f->noutlets; i++) {
		struct err err = {0};
		if (outlet_close(f->outlets[i], f->fo->drain_timeout_ms, &err) < 0 &&
			status == 0)
			status = diag_err(&err);
	}
	struct err err = {0};
	if (rejects_close(&f->rejects, &err) < 0 && status == 0)
		status = diag_err(&err);
	return status;
}

int flow_close(struct flow *f)
{
	struct err err = {0};
	if (!f)
		return 0;
	f->interrupted |= f->role == FLOW_SOURCE && signals_seen();
	bool cut = f->truncated && !f->fo->allow_truncated;
	if (!f->failed && !cut && f->noutlets)
		write_end(f);
	else
		flow_flush(f);
	flow_write_origin(f); /* for the ledger's chain; nothing more is written */
	int status = f->failed        ? diag_err(&f->err)
		     : cut            ? ERR_DATA
		     : f->lost_outlet ? ERR_IO
				      : 0;
	status = close_outputs(f, status);
	report_losses(f);
	if (!f->failed && !ledger_balances(&f->ledger)) {
		diag("the ledger does not balance: a record was lost inside this "
		     "program");
		status = status ? status : ERR_DATA;
	}
	tell_ledger(f);
	if (f->fo->ledger && append_ledger(f, status, &err) < 0)
		status = diag_err(&err);
	if (f->fo->metrics && flow_write_metrics(f, &err) < 0)
		status = diag_err(&err);
	flow_release(f);
	return status;
}
