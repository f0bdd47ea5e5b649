#include "ingest/lines.h"

#include <stdlib.h>

enum { CHUNK = 1 << 17 };

int lines_open(struct lines *l, struct text *t, struct err *err)
{
	*l = (struct lines){.text = t, .line = 1, .partial = true};
	l->cap = CHUNK + LINE_MAX_BYTES;
	l->buf = malloc(l->cap);
	return l->buf ? 0 : err_nomem(err);
}

/* Reads more behind 'end'. As text_read. */
static ssize_t refill(struct lines *l, struct err *err)
{
	if (l->start > 0) {
		memmove(l->buf, l->buf + l->start, l->end - l->start);
		l->end -= l->start;
		l->start = 0;
	}
	ssize_t r = text_read(l->text, l->buf + l->end, l->cap - l->end, err);
	if (r > 0)
		l->end += (size_t)r;
	return r;
}

static ssize_t drop_mark(struct lines *l, struct err *err)
{
	while (l->end - l->start < 3) {
		ssize_t r = refill(l, err);
		if (r < 0)
			return -1;
		if (r == 0 && !l->text->end)
			return 0;
		if (r == 0)
			break;
	}
	if (l->end - l->start >= 3 && memcmp(l->buf + l->start, "\xef\xbb\xbf", 3) == 0)
		l->start += 3;
	/* A followed file that is still empty may yet begin with a mark. */
	l->begun = l->end > 0;
	return l->end > 0;
}

/* Eats the rest of a line that was too long. As text_read, > 0 when it is gone. */
static ssize_t skip_rest(struct lines *l, struct err *err)
{
	for (;;) {
		char *p = l->buf + l->start;
		char *nl = memchr(p, '\n', l->end - l->start);
		if (nl) {
			l->start = (size_t)(nl + 1 - l->buf);
			l->line++;
			l->skipping = false;
			return 1;
		}
		l->start = l->end;
		ssize_t r = refill(l, err);
		if (r <= 0)
			return r;
	}
}

int lines_peek(
	struct lines *l, size_t skip, struct str *line, size_t *total, struct err *err)
{
	ssize_t r = 1;
	if (!l->begun)
		r = drop_mark(l, err);
	if (r > 0 && l->skipping)
		r = skip_rest(l, err);
	if (r <= 0)
		return (int)r;
	size_t seen = skip;
	for (;;) {
		char *p = l->buf + l->start;
		size_t n = l->end - l->start;
		char *nl = n > seen ? memchr(p + seen, '\n', n - seen) : NULL;
		size_t len = nl ? (size_t)(nl - p) : n;
		if (len > LINE_MAX_BYTES) {
			*line = (struct str){p, LINE_MAX_BYTES};
			return LINES_LONG;
		}
		*line = (struct str){p + skip, (uint32_t)(len - skip)};
		*total = len + (nl != NULL);
		if (nl)
			return LINES_LINE;
		seen = n;
		r = refill(l, err);
		if (r < 0)
			return -1;
		if (r == 0)
			break;
	}
	line->s = l->buf + l->start + skip;
	return l->text->end && l->partial && line->len > 0 ? LINES_LINE : LINES_END;
}

void lines_take(struct lines *l, size_t n, int64_t newlines)
{
	l->start += n;
	l->line += newlines;
}

void lines_skip_long(struct lines *l)
{
	l->skipping = true;
}

void lines_close(struct lines *l)
{
	free(l->buf);
	*l = (struct lines){0};
}
