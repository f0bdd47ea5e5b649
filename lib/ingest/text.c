#include "ingest/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN_SIZE = 1 << 17, WAIT_MS = 200 };

int text_open(struct text *t, const char *path, struct err *err)
{
	struct stat st;
	*t = (struct text){.name = path, .fd = STDIN_FILENO};
	if (strcmp(path, "-") == 0)
		t->name = "<stdin>";
	else if ((t->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_errno(err, "cannot open '%s'", path);
	if (fstat(t->fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			errno = EISDIR;
		err_errno(err, "cannot read '%s'", t->name);
		text_close(t);
		return -1;
	}
	t->live = !S_ISREG(st.st_mode);
	t->in = malloc(IN_SIZE);
	if (!t->in) {
		text_close(t);
		return err_nomem(err);
	}
	return 0;
}

int text_memory(
	struct text *t, const char *name, const void *p, size_t n, struct err *err)
{
	*t = (struct text){.name = name, .fd = -1};
	t->in = malloc(n ? n : 1);
	if (!t->in)
		return err_nomem(err);
	memcpy(t->in, p, n);
	t->in_len = n;
	return 0;
}

/* False: nothing came for a while, or a signal did. A signal that comes just before the
 * wait is so noticed soon after. */
static bool wait_for_input(struct text *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};
	if (!t->live || !t->idle || poll(&p, 1, 0) > 0)
		return true;
	t->idle(t->idle_arg);
	return poll(&p, 1, WAIT_MS) > 0;
}

/* One read(2). As text_read. */
static ssize_t fill(struct text *t, void *dst, size_t n, struct err *err)
{
	if (t->fd < 0) {
		t->end = true;
		return 0;
	}
	t->end = false;
	if (!wait_for_input(t))
		return 0;
	ssize_t r = read(t->fd, dst, n);
	if (r < 0 && errno == EINTR)
		return 0;
	if (r < 0)
		return err_errno(err, "cannot read '%s'", t->name);
	t->end = r == 0;
	return r;
}

/* Refills the compressed side. As text_read. */
static ssize_t fill_in(struct text *t, struct err *err)
{
	if (t->in_pos < t->in_len)
		return (ssize_t)(t->in_len - t->in_pos);
	ssize_t r = fill(t, t->in, IN_SIZE, err);
	if (r > 0) {
		t->in_pos = 0;
		t->in_len = (size_t)r;
	}
	return r;
}

/* Looks at the first two bytes. As text_read; > 0 when it is known what they say. */
static ssize_t sniff(struct text *t, struct err *err)
{
	t->end = t->fd < 0; /* a followed file may have grown since */
	while (t->in_len < 2 && !t->end) {
		ssize_t r = fill(t, t->in + t->in_len, IN_SIZE - t->in_len, err);
		if (r < 0 || (r == 0 && !t->end))
			return r;
		t->in_len += (size_t)r;
	}
	t->gzip = t->in_len >= 2 && t->in[0] == 0x1f && t->in[1] == 0x8b;
	t->sniffed = t->gzip || t->in_len > 0;
	return t->in_len > 0;
}

static int open_member(struct text *t, struct err *err)
{
	int r = t->member_open ? inflateReset(&t->z) : inflateInit2(&t->z, 15 + 16);
	if (r != Z_OK)
		return err_nomem(err);
	t->member_open = true;
	return 0;
}

static ssize_t inflate_some(struct text *t, void *dst, size_t n, struct err *err)
{
	if (!t->member_open && open_member(t, err) < 0)
		return -1;
	t->z.next_out = dst;
	t->z.avail_out = (uInt)n;
	while (t->z.avail_out == n) {
		ssize_t r = fill_in(t, err);
		if (r < 0 || (r == 0 && !t->end))
			return r;
		if (r == 0)
			return t->z.total_in == 0
				       ? 0
				       : err_set(err, ERR_DATA,
						 "'%s' is a gzip file cut off after "
						 "%lu compressed "
						 "bytes: copy it again",
						 t->name, t->z.total_in);
		t->z.next_in = t->in + t->in_pos;
		t->z.avail_in = (uInt)(t->in_len - t->in_pos);
		int z = inflate(&t->z, Z_NO_FLUSH);
		t->in_pos = t->in_len - t->z.avail_in;
		if (z == Z_STREAM_END && open_member(t, err) < 0)
			return -1;
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return err_set(err, ERR_DATA,
				"'%s' is a damaged gzip file (%s): copy it again",
				t->name, t->z.msg ? t->z.msg : "bad data");
	}
	return (ssize_t)(n - t->z.avail_out);
}

ssize_t text_read(struct text *t, void *dst, size_t n, struct err *err)
{
	if (!t->sniffed) {
		ssize_t r = sniff(t, err);
		if (r <= 0)
			return r;
	}
	if (t->gzip)
		return inflate_some(t, dst, n, err);
	if (t->in_pos == t->in_len)
		return fill(t, dst, n, err);
	size_t k = t->in_len - t->in_pos < n ? t->in_len - t->in_pos : n;
	memcpy(dst, t->in + t->in_pos, k);
	t->in_pos += k;
	return (ssize_t)k;
}

void text_close(struct text *t)
{
	if (t->member_open)
		inflateEnd(&t->z);
	if (t->fd > STDIN_FILENO)
		close(t->fd);
	free(t->in);
	*t = (struct text){.fd = -1};
}
