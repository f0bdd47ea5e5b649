/* Model directories on disk: model.json, booster.ubj and report.html, replaced as a
 * whole. */
#include "learn/model.h"

#include "base/statefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSON_FILE "model.json"
#define BOOSTER_FILE "booster.ubj"
#define REPORT_FILE "report.html"

enum { PATH_SIZE = 4096 };

static int join(char *dst, const char *dir, const char *name, struct err *err)
{
	int n = snprintf(dst, PATH_SIZE, "%s/%s", dir, name);
	if (n < 0 || n >= PATH_SIZE)
		return err_set(err, ERR_USAGE, "path too long: '%.200s…'", dir);
	return 0;
}

/* dir without trailing slashes, with a suffix. */
static int beside(char *dst, const char *dir, const char *suffix, struct err *err)
{
	size_t n = strlen(dir);
	while (n > 1 && dir[n - 1] == '/')
		n--;
	int k = snprintf(dst, PATH_SIZE, "%.*s%s", (int)n, dir, suffix);
	if (k < 0 || k >= PATH_SIZE)
		return err_set(err, ERR_USAGE, "path too long: '%.200s…'", dir);
	return 0;
}

static int write_file(
	const char *dir, const char *name, const struct buf *b, struct err *err)
{
	char path[PATH_SIZE];
	if (join(path, dir, name, err) < 0)
		return -1;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_errno(err, "cannot create '%s'", path);
	size_t done = 0;
	while (done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_errno(err, "cannot write '%s'", path);
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	int r = fsync(fd) < 0 ? err_errno(err, "cannot sync '%s'", path) : 0;
	if (close(fd) < 0 && r == 0)
		r = err_errno(err, "cannot close '%s'", path);
	return r;
}

void model_remove(const char *dir)
{
	static const char *const files[] = {JSON_FILE, BOOSTER_FILE, REPORT_FILE};
	char path[PATH_SIZE];
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (join(path, dir, files[i], NULL) == 0)
			unlink(path);
	rmdir(dir);
}

static bool is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	if (!d)
		return false;
	int n = 0;
	while (n < 3 && readdir(d))
		n++;
	closedir(d);
	return n <= 2;
}

static int parent_of(char *dst, const char *dir, struct err *err)
{
	if (beside(dst, dir, "", err) < 0)
		return -1;
	char *slash = strrchr(dst, '/');
	if (!slash)
		memcpy(dst, ".", 2);
	else if (slash == dst)
		dst[1] = '\0';
	else
		*slash = '\0';
	return 0;
}

int model_check_target(const char *dir, struct err *err)
{
	char path[PATH_SIZE];
	struct stat st;
	if (stat(dir, &st) == 0) {
		if (join(path, dir, JSON_FILE, err) < 0)
			return -1;
		if (S_ISDIR(st.st_mode) && (access(path, F_OK) == 0 || is_empty(dir)))
			return 0;
		return err_set(err, ERR_USAGE,
			"'%s' exists and is no model directory, name another", dir);
	}
	if (parent_of(path, dir, err) < 0)
		return -1;
	if (stat(path, &st) < 0)
		return err_errno(err, "cannot write a model into '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_IO, "'%s' is not a directory", path);
	return 0;
}

/* Puts the finished directory tmp in the place of dir; readers see the old or the new.
 */
static int swap_in(const char *tmp, const char *dir, struct err *err)
{
	/* Also replaces an empty directory. */
	if (rename(tmp, dir) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_errno(err, "cannot rename '%s' to '%s'", tmp, dir);
	if (renameat2(AT_FDCWD, tmp, AT_FDCWD, dir, RENAME_EXCHANGE) < 0)
		return err_errno(err, "cannot exchange '%s' and '%s'", tmp, dir);
	model_remove(tmp);
	return 0;
}

static int fill(const char *tmp, const struct model *m, const struct model_report *r,
	const struct buf *booster, const struct buf *html, struct err *err)
{
	struct buf json = {0};
	int s = model_write_json(m, r, &json, err);
	if (s == 0)
		s = write_file(tmp, BOOSTER_FILE, booster, err);
	if (s == 0 && html)
		s = write_file(tmp, REPORT_FILE, html, err);
	if (s == 0)
		s = write_file(tmp, JSON_FILE, &json, err);
	buf_release(&json);
	return s == 0 ? sync_folder(tmp, err) : -1;
}

int model_save(const char *dir, const struct model *m, const struct model_report *r,
	const struct buf *booster, const struct buf *html, struct err *err)
{
	char tmp[PATH_SIZE], target[PATH_SIZE], parent[PATH_SIZE];
	char suffix[40];
	snprintf(suffix, sizeof(suffix), ".new-%ld", (long)getpid());
	if (model_check_target(dir, err) < 0 || beside(target, dir, "", err) < 0 ||
		beside(tmp, dir, suffix, err) < 0 || parent_of(parent, dir, err) < 0)
		return -1;
	model_remove(tmp);
	if (mkdir(tmp, 0777) < 0)
		return err_errno(err, "cannot create '%s'", tmp);
	if (fill(tmp, m, r, booster, html, err) < 0 || swap_in(tmp, target, err) < 0) {
		model_remove(tmp);
		return -1;
	}
	return sync_folder(parent, err);
}

static int read_file(
	const char *dir, const char *name, size_t max, struct buf *b, struct err *err)
{
	char path[PATH_SIZE], chunk[65536];
	if (join(path, dir, name, err) < 0)
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	ssize_t n;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && b->len <= max)
		buf_append(b, chunk, (size_t)n);
	int r = 0;
	if (n < 0)
		r = err_errno(err, "cannot read '%s'", path);
	else if (b->len > max)
		r = err_set(err, ERR_DATA, "'%s' is larger than %zu bytes", path, max);
	else if (b->failed)
		r = err_nomem(err);
	close(fd);
	return r;
}

/* The files of a model, and how large each may be. */
static const struct {
	const char *name;
	size_t most;
	bool may_lack;
} FILES[] = {{BOOSTER_FILE, MODEL_BOOSTER_MAX, false},
	{JSON_FILE, MODEL_JSON_MAX, false}, {REPORT_FILE, MODEL_JSON_MAX, true}};

static bool is_there(const char *dir, const char *name)
{
	char path[PATH_SIZE];
	return join(path, dir, name, NULL) == 0 && access(path, F_OK) == 0;
}

int model_copy(const char *from, const char *to, struct err *err)
{
	if (mkdir(to, 0777) < 0)
		return err_errno(err, "cannot create '%s'", to);
	for (size_t i = 0; i < sizeof(FILES) / sizeof(*FILES); i++) {
		struct buf b = {0};
		if (FILES[i].may_lack && !is_there(from, FILES[i].name))
			continue;
		int r = read_file(from, FILES[i].name, FILES[i].most, &b, err);
		if (r == 0)
			r = write_file(to, FILES[i].name, &b, err);
		buf_release(&b);
		if (r < 0)
			return -1;
	}
	return sync_folder(to, err);
}

int model_read_text(const char *dir, struct buf *json, struct err *err)
{
	return read_file(dir, JSON_FILE, MODEL_JSON_MAX, json, err);
}

static struct booster *load_trees(
	const char *dir, const struct model *m, struct buf *b, struct err *err)
{
	if (read_file(dir, BOOSTER_FILE, MODEL_BOOSTER_MAX, b, err) < 0)
		return NULL;
	if (b->len != m->booster_size ||
		hash_bytes(b->data, b->len) != m->booster_hash) {
		err_set(err, ERR_DATA,
			"'%s/" BOOSTER_FILE "' is not the one " JSON_FILE
			" belongs to: damaged, copy the model again",
			dir);
		return NULL;
	}
	struct booster *t = booster_load(b->data, b->len, err);
	if (t && booster_cols(t) != m->nfeatures) {
		err_set(err, ERR_DATA,
			"'%s': the trees want %d features, " JSON_FILE " names %d", dir,
			booster_cols(t), m->nfeatures);
		booster_free(t);
		return NULL;
	}
	return t;
}

struct booster *model_load(const char *dir, struct model *m, struct err *err)
{
	struct buf json = {0}, trees = {0};
	struct booster *b = NULL;
	if (model_read_text(dir, &json, err) == 0) {
		if (model_read_json((const char *)json.data, json.len, m, err) < 0)
			err_prefix(err, "'%s'", dir);
		else
			b = load_trees(dir, m, &trees, err);
	}
	buf_release(&json);
	buf_release(&trees);
	return b;
}
