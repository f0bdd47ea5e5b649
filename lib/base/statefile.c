#include "base/statefile.h"

#include "base/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const void *p, size_t n)
{
	const uint8_t *b = p;
	while (n > 0) {
		ssize_t w = write(fd, b, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		b += w;
		n -= (size_t)w;
	}
	return 0;
}

static int write_synced(const char *path, const struct buf *b, struct err *err)
{
	uint64_t sum = hash_bytes(b->data, b->len);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, "cannot create '%s'", path);
	int r = 0;
	if (write_all(fd, b->data, b->len) < 0 ||
		write_all(fd, &sum, sizeof(sum)) < 0 || fsync(fd) < 0)
		r = err_errno(err, "cannot write '%s'", path);
	if (close(fd) < 0 && r == 0)
		r = err_errno(err, "cannot write '%s'", path);
	return r;
}

int sync_folder(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open '%s'", dir);
	int r = fsync(fd) < 0 ? err_errno(err, "cannot sync '%s'", dir) : 0;
	close(fd);
	return r;
}

int statefile_write(
	const char *dir, const char *name, const struct buf *b, struct err *err)
{
	char path[PATH_MAX], tmp[PATH_MAX];
	if (b->failed)
		return err_nomem(err);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path) ||
		(size_t)snprintf(tmp, sizeof(tmp), "%s/%s.tmp", dir, name) >=
			sizeof(tmp))
		return err_set(err, ERR_IO, "state directory '%s': name too long", dir);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_errno(err, "cannot make '%s'", dir);
	int r = write_synced(tmp, b, err);
	if (r == 0 && rename(tmp, path) < 0)
		r = err_errno(err, "cannot rename '%s'", tmp);
	if (r < 0) {
		unlink(tmp);
		return -1;
	}
	return sync_folder(dir, err);
}

static int read_all(int fd, struct buf *b)
{
	for (;;) {
		if (buf_reserve(b, 65536) < 0) {
			errno = ENOMEM;
			return -1;
		}
		ssize_t n = read(fd, b->data + b->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		b->len += (size_t)n;
	}
}

int statefile_read(const char *dir, const char *name, struct buf *b, struct err *err)
{
	char path[PATH_MAX];
	uint64_t sum;
	size_t start = b->len;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return err_set(err, ERR_IO, "state directory '%s': name too long", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	int r = read_all(fd, b);
	if (r < 0)
		err_errno(err, "cannot read '%s'", path);
	close(fd);
	if (r < 0)
		return -1;
	if (b->len - start < sizeof(sum))
		return err_set(err, ERR_IO, "state '%s' is damaged; remove it", path);
	b->len -= sizeof(sum);
	memcpy(&sum, b->data + b->len, sizeof(sum));
	if (sum != hash_bytes(b->data + start, b->len - start))
		return err_set(err, ERR_IO, "state '%s' is damaged; remove it", path);
	return 1;
}
