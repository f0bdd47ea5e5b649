#include "export/out.h"

#include "record/kinds.h"
#include "record/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

int out_clock_open(struct out_clock *c, struct err *err)
{
	*c = (struct out_clock){.ts = TIME_NIL};
	return zone_load(&c->zone, LAYOUT_ZONE, err);
}

void out_clock_close(struct out_clock *c)
{
	zone_release(&c->zone);
}

const char *out_clock_text(struct out_clock *c, int64_t ts)
{
	struct civil t;
	if (ts == c->ts)
		return c->text;
	/* The offset that holds around ts: zone_to_utc knows it by local time. */
	int64_t offset = ts - zone_to_utc(&c->zone, ts);
	time_to_civil(ts + (ts + offset - zone_to_utc(&c->zone, ts + offset)), &t);
	int n = snprintf(c->text, sizeof(c->text), "%04d-%02d-%02d %02d:%02d:%02d",
		t.year, t.month, t.day, t.hour, t.minute, t.second);
	if (t.ms && n > 0 && (size_t)n < sizeof(c->text))
		snprintf(c->text + n, sizeof(c->text) - (size_t)n, ".%03d", t.ms);
	c->ts = ts;
	return c->text;
}

static int fail(const struct out *o, struct err *err)
{
	return err_errno(err, "cannot write '%s'", o->path);
}

static int write_plain(const struct out *o, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(o->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			errno = w == 0 ? ENOSPC : errno;
			return -1;
		}
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int flush(struct out *o, struct err *err)
{
	if (o->buf.failed)
		return err_nomem(err);
	if (o->buf.len == 0)
		return 0;
	if (o->gz ? gzwrite(o->gz, o->buf.data, (unsigned)o->buf.len) <= 0
		  : write_plain(o, o->buf.data, o->buf.len) < 0)
		return fail(o, err);
	buf_clear(&o->buf);
	return 0;
}

/* zlib closes the descriptor it was given: it gets a copy, ours is for syncing. */
static int open_gzip(struct out *o, struct err *err)
{
	int fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return fail(o, err);
	o->gz = gzdopen(fd, "wb");
	if (o->gz)
		return 0;
	close(fd);
	return err_nomem(err);
}

int out_open(struct out *o, const char *dir, enum layout_id id, const char *aside,
	struct err *err)
{
	const struct layout_file *f = layout_file(id);
	*o = (struct out){.file = f, .fd = -1};
	snprintf(o->path, sizeof(o->path), "%.3900s/%s%s.csv%s", dir, f->name,
		aside ? aside : "", f->gzip ? ".gz" : "");
	o->fd = open(o->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (o->fd < 0)
		return err_errno(err, "cannot create '%s'", o->path);
	if (f->gzip && open_gzip(o, err) < 0)
		return -1;
	for (int i = 0; i < f->n; i++)
		out_text(o, f->columns[i].name);
	o->rows = -1;
	return out_row(o, err);
}

static void begin_cell(struct out *o)
{
	if (o->cells++)
		buf_putc(&o->buf, ',');
}

void out_str(struct out *o, struct str s)
{
	begin_cell(o);
	size_t from = o->buf.len;
	if (!s.s)
		return;
	buf_append(&o->buf, s.s, s.len);
	text_quote(&o->buf, from, false);
}

void out_text(struct out *o, const char *s)
{
	out_str(o, str_of(s));
}

void out_f32(struct out *o, float v)
{
	begin_cell(o);
	if (isfinite(v))
		text_f32(v, &o->buf);
}

void out_f64(struct out *o, double v)
{
	begin_cell(o);
	if (isfinite(v))
		text_f64(v, &o->buf);
}

void out_milli(struct out *o, double v)
{
	out_f64(o, round(v * 1000) / 1000);
}

void out_int(struct out *o, int64_t v)
{
	begin_cell(o);
	if (v != LONG_NIL)
		buf_printf(&o->buf, "%" PRId64, v);
}

void out_bool(struct out *o, int v)
{
	begin_cell(o);
	if (v >= 0)
		buf_puts(&o->buf, v ? "True" : "False");
}

void out_time(struct out *o, struct out_clock *c, int64_t ts)
{
	begin_cell(o);
	if (ts != TIME_NIL)
		buf_puts(&o->buf, out_clock_text(c, ts));
}

void out_date(struct out *o, struct out_clock *c, int64_t ts)
{
	static const char midnight[] = " 00:00:00";
	out_time(o, c, ts);
	size_t n = sizeof(midnight) - 1;
	if (ts != TIME_NIL && o->buf.len >= n && !o->buf.failed &&
		memcmp(o->buf.data + o->buf.len - n, midnight, n) == 0)
		o->buf.len -= n;
}

void out_skip(struct out *o, int cells)
{
	while (cells-- > 0)
		begin_cell(o);
}

int out_row(struct out *o, struct err *err)
{
	out_skip(o, o->file->n - o->cells);
	if (o->cells > o->file->n)
		return err_set(err, ERR_DATA, "'%s': a row of %d cells for %d columns",
			o->path, o->cells, o->file->n);
	buf_putc(&o->buf, '\n');
	o->cells = 0;
	o->rows++;
	return o->buf.len >= CHUNK ? flush(o, err) : 0;
}

int out_close(struct out *o, struct err *err)
{
	int r = flush(o, err);
	if (r == 0 && o->gz) {
		gzFile gz = o->gz;
		o->gz = NULL;
		if (gzclose(gz) != Z_OK)
			r = fail(o, err);
	}
	if (r == 0 && fsync(o->fd) < 0)
		r = fail(o, err);
	if (r == 0) {
		int fd = o->fd;
		o->fd = -1;
		if (close(fd) < 0)
			r = fail(o, err);
	}
	out_drop(o);
	return r;
}

void out_drop(struct out *o)
{
	if (!o->file) /* never opened */
		return;
	if (o->gz)
		gzclose(o->gz);
	if (o->fd >= 0)
		close(o->fd);
	o->gz = NULL;
	o->fd = -1;
	buf_release(&o->buf);
}
