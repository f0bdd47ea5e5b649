#include "export/parts.h"

#include "base/code.h"
#include "base/statefile.h"
#include "record/codec.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool visible(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Whether the folder has anything in it; -1 with errno. */
static int occupied(const char *dir)
{
	DIR *list = opendir(dir);
	int n = 0;
	if (!list)
		return -1;
	for (struct dirent *e; n == 0 && (e = readdir(list));)
		n = visible(e->d_name);
	closedir(list);
	return n;
}

/* A name that can be given to the finished folder: nothing there, or an empty one. */
static int check_place(const char *dir, struct err *err)
{
	const char *slash = strrchr(dir, '/'), *last = slash ? slash + 1 : dir;
	struct stat st;
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return err_set(err, ERR_USAGE,
			"'%s' is no name for a dataset: name a new folder", dir);
	if (lstat(dir, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot make '%s'", dir);
	if (!S_ISDIR(st.st_mode) || occupied(dir) != 0)
		return err_set(err, ERR_USAGE,
			"'%s' is there and not an empty folder: name a new one", dir);
	return 0;
}

/* The name without slashes at its end, in size bytes. Returns 0 or -1. */
static int find_place(char *place, size_t size, const char *dir, struct err *err)
{
	size_t n = strlen(dir);
	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (n == 0 || n > 3800)
		return err_set(err, ERR_USAGE, "'%.80s' is no name for a dataset", dir);
	snprintf(place, size, "%.*s", (int)n, dir);
	return check_place(place, err);
}

int export_check(const char *dir, struct err *err)
{
	char place[4096];
	return find_place(place, sizeof(place), dir, err);
}

static int claim(struct export *d, const char *dir, struct err *err)
{
	if (find_place(d->dir, sizeof(d->dir), dir, err) < 0)
		return -1;
	snprintf(d->partial, sizeof(d->partial), "%s.partial.XXXXXX", d->dir);
	if (mkdtemp(d->partial))
		return chmod(d->partial, 0755) < 0
			       ? err_errno(err, "cannot open up '%s'", d->partial)
			       : 0;
	d->partial[0] = '\0';
	return err_errno(err, "cannot make a folder beside '%s'", d->dir);
}

struct export *export_open(const char *dir, struct err *err)
{
	struct export *d = calloc(1, sizeof(*d));
	if (!d) {
		err_nomem(err);
		return NULL;
	}
	int r = claim(d, dir, err);
	if (r == 0)
		r = out_clock_open(&d->clock, err);
	for (int i = 0; r == 0 && i < LAYOUT_FILES; i++)
		r = out_open(&d->out[i], d->partial, i, NULL, err);
	if (r == 0)
		r = out_open(
			&d->calc_truth, d->partial, LAYOUT_JAR_CALC, "_truth", err);
	if (r == 0)
		return d;
	export_free(d);
	return NULL;
}

/* 1 as 0 of a row that was written, -1 as it is. */
static int used(int r)
{
	return r < 0 ? -1 : 1;
}

static int keep(
	struct book *b, int kind, struct str code, const void *rec, struct err *err)
{
	return book_add(b, kind, code, rec, err) < 0 ? -1 : 1;
}

/* Tests of one battery have no column: the layout knows those of strings. */
static int add_capacity(
	struct export *d, const struct rec_capacity_test *t, struct err *err)
{
	bool jar = code_split(t->subject).jar.s ||
		   ids_find(&d->batteries.codes, t->subject) != IDS_NONE;
	if (jar && ids_find(&d->strings.codes, t->subject) == IDS_NONE)
		return 0;
	if (ids_intern(&d->strings.codes, t->subject) == IDS_NONE)
		return err_nomem(err);
	return used(export_capacity(d, t, err));
}

static int add_master(
	struct export *d, int kind, const union rec_any *r, struct err *err)
{
	switch (kind) {
	case KIND_site:
		return keep(&d->sites, kind, r->site.code, r, err);
	case KIND_battery_model:
		return keep(&d->models, kind, r->battery_model.name, r, err);
	case KIND_system:
		return keep(&d->systems, kind, r->system.code, r, err);
	case KIND_string:
		return keep(&d->strings, kind, r->string.code, r, err);
	case KIND_sensor:
		return keep(&d->sensors, kind, r->sensor.code, r, err);
	case KIND_battery:
		return used(export_battery(d, r, err));
	case KIND_event:
		return keep(&d->events, kind, r->event.event_id, r, err);
	case KIND_alert:
		return keep(&d->alerts, kind, r->alert.alert_id, r, err);
	default:
		return 0;
	}
}

int export_add(struct export *d, int kind, const void *rec, struct err *err)
{
	switch (kind) {
	case KIND_telemetry:
		return used(export_telemetry(d, rec, err));
	case KIND_string_telemetry:
		return used(export_string(d, rec, err));
	case KIND_environment:
		return used(export_environment(d, rec, err));
	case KIND_truth:
		return used(export_truth(d, rec, err));
	case KIND_twin_state:
		return used(export_twin(d, rec, err));
	case KIND_feature:
		return used(export_feature(d, rec, err));
	case KIND_rul:
		return used(export_rul(d, rec, err));
	case KIND_impedance:
		return used(export_impedance(d, rec, err));
	case KIND_capacity_test:
		return add_capacity(d, rec, err);
	case KIND_alert_action:
		return export_action(d, rec, err);
	default:
		return add_master(d, kind, rec, err);
	}
}

int export_run(struct export *d, int kind, int64_t n, const uint8_t *p, size_t len,
	struct err *err)
{
	union rec_any rec;
	if (!d->schemas[kind] &&
		!(d->schemas[kind] = schema_native(kind_info(kind), err)))
		return -1;
	for (; n > 0; n--) {
		int its_kind;
		int64_t size = record_frame(p, len, &its_kind, err);
		if (size <= 0 ||
			record_decode(d->schemas[kind], p, (size_t)size, &rec, err) < 0)
			return -1;
		if (export_add(d, kind, &rec, err) < 0)
			return -1;
		p += size;
		len -= (size_t)size;
	}
	return 0;
}

/* Where no twin spoke, the truth's states are the calculated ones. */
static int choose_states(struct export *d, struct err *err)
{
	const struct out *twin = &d->out[LAYOUT_JAR_CALC], *truth = &d->calc_truth;
	if (d->twin_states ? unlink(truth->path) < 0
			   : rename(truth->path, twin->path) < 0)
		return err_errno(err, "cannot settle '%s'", twin->path);
	return 0;
}

int export_finish(struct export *d, struct err *err)
{
	int r = export_masters(d, err);
	if (r == 0)
		r = export_events(d, err);
	if (r == 0)
		r = export_alerts(d, err);
	if (r == 0)
		r = export_states(d, err);
	for (int i = 0; r == 0 && i < LAYOUT_FILES; i++)
		r = out_close(&d->out[i], err);
	if (r == 0)
		r = out_close(&d->calc_truth, err);
	return r == 0 ? choose_states(d, err) : -1;
}

const char *export_folder(const struct export *d)
{
	return d->partial;
}

/* The folder 'dir' is named in: its new name must last as well. */
static int sync_parent(const char *dir, struct err *err)
{
	char parent[4096];
	const char *slash = strrchr(dir, '/');
	int n = slash ? (int)(slash - dir) : 0;
	snprintf(parent, sizeof(parent), "%.*s%s", n, dir, n ? "" : slash ? "/" : ".");
	return sync_folder(parent, err);
}

int export_publish(struct export *d, struct err *err)
{
	if (sync_folder(d->partial, err) < 0)
		return -1;
	if (rename(d->partial, d->dir) < 0)
		return err_errno(err, "cannot rename '%s' to '%s'", d->partial, d->dir);
	d->published = true;
	return sync_parent(d->dir, err);
}

static void remove_partial(const char *dir)
{
	char path[4400];
	DIR *list = opendir(dir);
	for (struct dirent *e; list && (e = readdir(list));) {
		snprintf(path, sizeof(path), "%.4000s/%.255s", dir, e->d_name);
		if (visible(e->d_name))
			unlink(path);
	}
	if (list)
		closedir(list);
	rmdir(dir);
}

static void release_books(struct export *d)
{
	struct book *const books[] = {&d->sites, &d->models, &d->systems, &d->strings,
		&d->sensors, &d->batteries, &d->events, &d->alerts, &d->actions};
	for (size_t i = 0; i < sizeof(books) / sizeof(*books); i++)
		book_release(books[i]);
}

void export_free(struct export *d)
{
	if (!d)
		return;
	for (int i = 0; i < LAYOUT_FILES; i++)
		out_drop(&d->out[i]);
	out_drop(&d->calc_truth);
	if (d->partial[0] && !d->published)
		remove_partial(d->partial);
	release_books(d);
	for (int i = 0; i <= KIND_MAX; i++)
		schema_free(d->schemas[i]);
	out_clock_close(&d->clock);
	free(d->positions);
	free(d);
}
