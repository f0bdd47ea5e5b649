#include "learn/registry.h"

#include "learn/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define INCOMING ".incoming"
#define LINK_NEW ".link"

struct registry {
	char dir[REGISTRY_PATH], incoming[REGISTRY_PATH];
	int fd;   /* of dir */
	int lock; /* -1: reading */
};

static bool is_id(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= CODE_MAX && name[0] != '.' && !strchr(name, '/') &&
	       strcmp(name, REGISTRY_PRODUCTION) != 0 &&
	       strcmp(name, REGISTRY_STAGING) != 0;
}

int registry_path(
	const struct registry *r, const char *name, char *path, struct err *err)
{
	int n = snprintf(path, REGISTRY_PATH, "%s/%s", r->dir, name);
	if (n < 0 || n >= REGISTRY_PATH)
		return err_set(err, ERR_USAGE, "path too long: '%.200s…'", r->dir);
	return 0;
}

static int sync_dir(const struct registry *r, struct err *err)
{
	return fsync(r->fd) < 0 ? err_errno(err, "cannot sync '%s'", r->dir) : 0;
}

static int take_lock(struct registry *r, struct err *err)
{
	r->lock = openat(r->fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (r->lock < 0)
		return err_errno(err, "cannot write into '%s'", r->dir);
	while (flock(r->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(err, "cannot lock '%s/.lock'", r->dir);
	return 0;
}

/* The version a link names, "" for none. */
static int read_name(const struct registry *r, const char *name, char id[CODE_MAX + 1],
	struct err *err)
{
	ssize_t n = readlinkat(r->fd, name, id, CODE_MAX + 1);
	id[0] = n < 0 ? '\0' : id[0];
	if (n < 0)
		return errno == ENOENT ? 0
				       : err_errno(err, "cannot read the link '%s/%s'",
						 r->dir, name);
	if (n > CODE_MAX)
		return err_set(err, ERR_DATA, "the link '%s/%s' names no version",
			r->dir, name);
	id[n] = '\0';
	if (!is_id(id))
		return err_set(err, ERR_DATA,
			"the link '%s/%s' leads to '%s', which is no version", r->dir,
			name, id);
	return 0;
}

/* Makes name stand for id, in one step. */
static int set_name(
	const struct registry *r, const char *name, const char *id, struct err *err)
{
	unlinkat(r->fd, LINK_NEW, 0);
	if (symlinkat(id, r->fd, LINK_NEW) < 0 ||
		renameat(r->fd, LINK_NEW, r->fd, name) < 0)
		return err_errno(
			err, "cannot make '%s/%s' a link to '%s'", r->dir, name, id);
	return sync_dir(r, err);
}

/* What a killed writer left: a version half written. */
static int clear_incoming(struct registry *r, struct err *err)
{
	if (registry_path(r, INCOMING, r->incoming, err) < 0)
		return -1;
	model_remove(r->incoming);
	return 0;
}

static int begin_writing(struct registry *r, struct err *err)
{
	char production[CODE_MAX + 1];
	if (take_lock(r, err) < 0 || clear_incoming(r, err) < 0 ||
		read_name(r, REGISTRY_PRODUCTION, production, err) < 0)
		return -1;
	return history_settle(r->fd, production, err);
}

struct registry *registry_open(const char *dir, bool writing, struct err *err)
{
	struct registry *r = calloc(1, sizeof(*r));
	if (!r) {
		err_nomem(err);
		return NULL;
	}
	r->fd = r->lock = -1;
	bool fits = str_copy(r->dir, sizeof(r->dir), str_of(dir));
	if (writing && fits && mkdir(dir, 0777) < 0 && errno != EEXIST)
		err_errno(err, "cannot make the registry '%s'", dir);
	else if (!fits)
		err_set(err, ERR_USAGE, "path too long: '%.200s…'", dir);
	else if ((r->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		err_errno(err, "cannot open the registry '%s'", dir);
	else if (!writing || begin_writing(r, err) == 0)
		return r;
	registry_close(r);
	return NULL;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	if (r->lock >= 0)
		close(r->lock);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int registry_resolve(const struct registry *r, const char *name, char id[CODE_MAX + 1],
	struct err *err)
{
	char file[REGISTRY_PATH];
	if (strcmp(name, REGISTRY_PRODUCTION) == 0 ||
		strcmp(name, REGISTRY_STAGING) == 0)
		return read_name(r, name, id, err) < 0 ? -1 : id[0] != '\0';
	if (!is_id(name))
		return 0;
	snprintf(file, sizeof(file), "%s/model.json", name);
	if (faccessat(r->fd, file, F_OK, 0) < 0)
		return 0;
	str_copy(id, CODE_MAX + 1, str_of(name));
	return 1;
}

static int is_version(const struct dirent *e)
{
	return is_id(e->d_name) && e->d_type != DT_LNK && e->d_type != DT_REG;
}

int registry_each(const struct registry *r, void (*each)(void *to, const char *id),
	void *to, struct err *err)
{
	struct dirent **v;
	char id[CODE_MAX + 1];
	int n = scandirat(r->fd, ".", &v, is_version, alphasort);
	if (n < 0)
		return err_errno(err, "cannot list '%s'", r->dir);
	for (int i = 0; i < n; i++) {
		if (registry_resolve(r, v[i]->d_name, id, err) == 1)
			each(to, id);
		free(v[i]);
	}
	free(v);
	return 0;
}

const char *registry_incoming(const struct registry *r)
{
	return r->incoming;
}

/* Whether the model at path is whole; m gets what it is. */
static int check_model(const char *path, struct model *m, struct err *err)
{
	struct booster *b = model_load(path, m, err);
	booster_free(b);
	return b ? 0 : -1;
}

/* Gives the incoming version its place. One of the same id is the same in every byte,
 * for the id is their hash; but it may be damaged. */
static int place(struct registry *r, const char *id, struct err *err)
{
	char path[REGISTRY_PATH];
	struct model m;
	if (registry_path(r, id, path, err) < 0)
		return -1;
	if (check_model(path, &m, NULL) == 0) {
		model_remove(r->incoming);
		return 0;
	}
	model_remove(path);
	if (renameat(r->fd, INCOMING, r->fd, id) < 0)
		return err_errno(err, "cannot rename '%s' to '%s'", r->incoming, path);
	return sync_dir(r, err);
}

int registry_adopt(struct registry *r, char id[CODE_MAX + 1], struct err *err)
{
	struct model m;
	if (check_model(r->incoming, &m, err) < 0)
		return -1;
	if (!is_id(m.id))
		return err_set(err, ERR_DATA, "'%s' cannot name a version", m.id);
	str_copy(id, CODE_MAX + 1, str_of(m.id));
	if (place(r, id, err) < 0)
		return -1;
	return set_name(r, REGISTRY_STAGING, id, err);
}

int registry_fetch(struct registry *r, const char *from, struct err *err)
{
	return model_copy(from, r->incoming, err);
}

/* 'what' is promote or rollback. */
static int change(struct registry *r, const char *what, int64_t now_ms, const char *was,
	const char *now, struct err *err)
{
	char path[REGISTRY_PATH];
	struct model m;
	struct history_line l = {.ts = now_ms};
	if (registry_path(r, now, path, err) < 0 || check_model(path, &m, err) < 0)
		return -1;
	str_copy(l.what, sizeof(l.what), str_of(what));
	str_copy(l.from, sizeof(l.from), str_of(was));
	str_copy(l.to, sizeof(l.to), str_of(now));
	if (history_append(r->fd, &l, err) < 0 ||
		set_name(r, REGISTRY_PRODUCTION, now, err) < 0)
		return -1;
	return 1;
}

int registry_promote(struct registry *r, const char *name, int64_t now_ms,
	char was[CODE_MAX + 1], char now[CODE_MAX + 1], struct err *err)
{
	int there = registry_resolve(r, name, now, err);
	if (there < 0 || read_name(r, REGISTRY_PRODUCTION, was, err) < 0)
		return -1;
	if (!there)
		return err_set(err, ERR_DATA,
			"no version '%s' in '%s', see: predict list --registry '%s'",
			name, r->dir, r->dir);
	if (strcmp(was, now) == 0)
		return 0;
	return change(r, "promote", now_ms, was, now, err);
}

int registry_rollback(struct registry *r, int64_t now_ms, char was[CODE_MAX + 1],
	char now[CODE_MAX + 1], struct err *err)
{
	if (read_name(r, REGISTRY_PRODUCTION, was, err) < 0 ||
		history_before(r->fd, now, err) < 0)
		return -1;
	if (!now[0])
		return err_set(err, ERR_DATA,
			"no version was production in '%s' before '%s'", r->dir, was);
	return change(r, "rollback", now_ms, was, now, err);
}
