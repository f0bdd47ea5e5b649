#include "learn/history.h"

#include "base/buf.h"
#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "history"

static int open_file(int dir, int flags, struct err *err)
{
	int fd = openat(dir, FILE_NAME, flags | O_CLOEXEC, 0666);
	if (fd < 0)
		err_errno(err, "cannot open the registry's '" FILE_NAME "'");
	return fd;
}

static int read_all(int dir, struct buf *b, struct err *err)
{
	char chunk[8192];
	ssize_t n;
	if (faccessat(dir, FILE_NAME, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	int fd = open_file(dir, O_RDONLY, err);
	if (fd < 0)
		return -1;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && b->len <= HISTORY_MAX)
		buf_append(b, chunk, (size_t)n);
	close(fd);
	if (n < 0)
		return err_errno(err, "cannot read the registry's '" FILE_NAME "'");
	if (b->len > HISTORY_MAX)
		return err_set(err, ERR_DATA,
			"the registry's '" FILE_NAME "' is larger than 16 MiB");
	return b->failed ? err_nomem(err) : 0;
}

/* The next word of a line into dst. Returns where it ends, or NULL. */
static const char *word(const char *p, const char *end, char *dst, size_t size)
{
	size_t n = 0;
	while (p + n < end && p[n] != ' ')
		n++;
	if (n == 0 || n >= size)
		return NULL;
	memcpy(dst, p, n);
	dst[n] = '\0';
	return p + n < end ? p + n + 1 : p + n;
}

static bool parse(const char *p, const char *end, struct history_line *l)
{
	char when[TIME_TEXT_SIZE];
	*l = (struct history_line){0};
	if (!(p = word(p, end, when, sizeof(when))) ||
		!(p = word(p, end, l->what, sizeof(l->what))) ||
		!(p = word(p, end, l->from, sizeof(l->from))) ||
		!(p = word(p, end, l->to, sizeof(l->to))) || p != end)
		return false;
	if (strcmp(l->from, "-") == 0)
		l->from[0] = '\0';
	return time_parse_iso(str_of(when), 0, &l->ts) == 0;
}

/* Walks the whole lines of b. *last gets where the last one begins, *end where it
 * ends. */
static int walk(const struct buf *b,
	int (*each)(void *to, const struct history_line *l), void *to, size_t *last,
	size_t *end, struct err *err)
{
	const char *p = (const char *)b->data;
	struct history_line l;
	*last = *end = 0;
	for (int line = 1; *end < b->len; line++) {
		const char *nl = memchr(p + *end, '\n', b->len - *end);
		if (!nl)
			break;
		*last = *end;
		*end = (size_t)(nl - p) + 1;
		if (!parse(p + *last, nl, &l))
			return err_set(err, ERR_DATA,
				"line %d of the registry's '" FILE_NAME
				"' is not 'TIME WHAT FROM TO': mend or remove it",
				line);
		if (each && each(to, &l) < 0)
			return err_nomem(err);
	}
	return 0;
}

int history_each(int dir, int (*each)(void *to, const struct history_line *l), void *to,
	struct err *err)
{
	struct buf b = {0};
	size_t last, end;
	int r = read_all(dir, &b, err);
	if (r == 0)
		r = walk(&b, each, to, &last, &end, err);
	buf_release(&b);
	return r;
}

static int cut(int dir, size_t len, struct err *err)
{
	int fd = open_file(dir, O_WRONLY, err);
	if (fd < 0)
		return -1;
	int r = 0;
	if (ftruncate(fd, (off_t)len) < 0 || fsync(fd) < 0)
		r = err_errno(err, "cannot shorten the registry's '" FILE_NAME "'");
	close(fd);
	return r;
}

static int keep_last(void *to, const struct history_line *l)
{
	*(struct history_line *)to = *l;
	return 0;
}

/* Somebody linked production by hand: at the time the link has. */
static int note_found(int dir, const char *from, const char *to, struct err *err)
{
	struct history_line l = {.what = "found"};
	struct stat st;
	if (fstatat(dir, "production", &st, AT_SYMLINK_NOFOLLOW) == 0)
		l.ts = (int64_t)st.st_mtime * SECOND_MS;
	str_copy(l.from, sizeof(l.from), str_of(from));
	str_copy(l.to, sizeof(l.to), str_of(to));
	return history_append(dir, &l, err);
}

int history_settle(int dir, const char *production, struct err *err)
{
	struct buf b = {0};
	struct history_line l = {0};
	size_t last, end;
	int r = read_all(dir, &b, err);
	if (r == 0)
		r = walk(&b, keep_last, &l, &last, &end, err);
	size_t whole = b.len;
	buf_release(&b);
	if (r < 0)
		return -1;
	if (strcmp(l.to, production) == 0)
		return end < whole ? cut(dir, end, err) : 0;
	if (end > 0 && strcmp(l.from, production) == 0)
		return cut(dir, last, err);
	if (end < whole && cut(dir, end, err) < 0)
		return -1;
	return production[0] ? note_found(dir, l.to, production, err) : 0;
}

int history_append(int dir, const struct history_line *l, struct err *err)
{
	char when[TIME_TEXT_SIZE];
	struct buf b = {0};
	int fd = open_file(dir, O_WRONLY | O_APPEND | O_CREAT, err);
	if (fd < 0)
		return -1;
	buf_printf(&b, "%s %s %s %s\n", time_format(l->ts, when), l->what,
		l->from[0] ? l->from : "-", l->to);
	int r = 0;
	if (b.failed)
		r = err_nomem(err);
	else if (write(fd, b.data, b.len) != (ssize_t)b.len || fsync(fd) < 0)
		r = err_errno(err, "cannot write the registry's '" FILE_NAME "'");
	close(fd);
	buf_release(&b);
	return r;
}

/* The versions that have been production, one on the other; rollback takes one off. */
struct pile {
	char (*v)[CODE_MAX + 1];
	size_t n, cap;
};

static int pile_up(void *to, const struct history_line *l)
{
	struct pile *p = to;
	if (strcmp(l->what, "rollback") == 0) {
		p->n -= p->n > 0;
		return 0;
	}
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 16;
		void *v = realloc(p->v, cap * sizeof(*p->v));
		if (!v)
			return -1;
		p->v = v;
		p->cap = cap;
	}
	memcpy(p->v[p->n++], l->to, sizeof(l->to));
	return 0;
}

int history_before(int dir, char id[CODE_MAX + 1], struct err *err)
{
	struct pile p = {0};
	int r = history_each(dir, pile_up, &p, err);
	id[0] = '\0';
	if (r == 0 && p.n >= 2)
		memcpy(id, p.v[p.n - 2], CODE_MAX + 1);
	free(p.v);
	return r;
}
