#include "db/migrate.h"
#include "base/diag.h"

#include "base/ids.h"
#include "base/parse.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static bool cut_suffix(char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	if (n < m || strcmp(s + n - m, suffix) != 0)
		return false;
	s[n - m] = '\0';
	return true;
}

bool migration_file_parse(const char *file, struct migration_file *out)
{
	char s[MIGRATION_NAME_MAX + 32];
	int64_t number;
	if (!str_copy(s, sizeof(s), str_of(file)) || strlen(s) < 6 || s[4] != '_')
		return false;
	*out = (struct migration_file){0};
	out->down = cut_suffix(s, ".down.sql");
	if (!out->down && !cut_suffix(s, ".up.sql"))
		return false;
	if (cut_suffix(s, ".sqlite"))
		str_copy(out->backend, sizeof(out->backend), str_of("sqlite"));
	else if (cut_suffix(s, ".postgres"))
		str_copy(out->backend, sizeof(out->backend), str_of("postgres"));
	if (parse_i64((struct str){s, 4}, 1, 9999, &number) < 0)
		return false;
	out->number = (int)number;
	const char *name = s + 5;
	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return false;
	return str_copy(out->name, sizeof(out->name), str_of(name));
}

/* The text of a word in the dialect, nil when it has none. */
static struct str look_up(const char *dialect, struct str word)
{
	for (const char *line = dialect; *line;) {
		size_t n = strcspn(line, "\n");
		const char *eq = memchr(line, '=', n);
		if (eq && *line != '#') {
			size_t k = (size_t)(eq - line);
			while (k > 0 && line[k - 1] == ' ')
				k--;
			const char *text = eq + 1;
			while (*text == ' ')
				text++;
			if (k == word.len && memcmp(line, word.s, k) == 0)
				return (struct str){text, (uint32_t)(line + n - text)};
		}
		line += n + (line[n] == '\n');
	}
	return STR_NIL;
}

int migration_expand(
	const char *dialect, const char *text, struct buf *out, struct err *err)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "@");
		buf_append(out, p, n);
		p += n;
		if (!*p)
			break;
		size_t k = strcspn(p + 1, "@\n");
		struct str word = {p + 1, (uint32_t)k};
		struct str to = p[1 + k] == '@' ? look_up(dialect, word) : STR_NIL;
		if (!to.s)
			return err_set(err, ERR_USAGE, "'@%.*s' is not in the dialect",
				STR_ARG(word));
		buf_append(out, to.s, to.len);
		p += k + 2;
	}
	return out->failed ? err_nomem(err) : 0;
}

/* The whole file, NUL-terminated, or NULL. */
static char *read_text(const char *dir, const char *file, struct err *err)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	FILE *f = fopen(path, "re");
	if (!f) {
		err_errno(err, "cannot open '%s'", path);
		return NULL;
	}
	struct buf b = {0};
	while (!feof(f) && !ferror(f) && b.len < FILE_BYTES_MAX &&
		buf_reserve(&b, 4096) == 0)
		b.len += fread(b.data + b.len, 1, 4096, f);
	buf_putc(&b, '\0');
	bool bad = ferror(f) || !feof(f) || b.failed;
	fclose(f);
	if (!bad)
		return (char *)b.data;
	buf_release(&b);
	err_set(err, ERR_IO, "cannot read '%s' (at most %d bytes)", path,
		FILE_BYTES_MAX);
	return NULL;
}

static struct migration *slot(struct migrations *m, const struct migration_file *f)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].number == f->number)
			return &m->v[i];
	struct migration *v = realloc(m->v, (m->n + 1) * sizeof(*v));
	if (!v)
		return NULL;
	m->v = v;
	v[m->n] = (struct migration){.number = f->number};
	memcpy(v[m->n].name, f->name, sizeof(f->name));
	return &v[m->n++];
}

/* Another back end's file holds its number's place all the same. */
static int add_file(struct migrations *m, const char *dir, const char *file,
	const char *dialect, const char *backend, struct err *err)
{
	struct migration_file f;
	if (!migration_file_parse(file, &f))
		return 0;
	struct migration *g = slot(m, &f);
	if (!g)
		return err_nomem(err);
	if (strcmp(g->name, f.name) != 0)
		return err_set(err, ERR_USAGE, "'%s/%s': number %d is '%s' already",
			dir, file, f.number, g->name);
	if (*f.backend && strcmp(f.backend, backend) != 0)
		return 0;
	char **to = f.down ? &g->down : &g->up;
	if (*to)
		return err_set(
			err, ERR_USAGE, "'%s/%s': there are two of it", dir, file);
	char *text = read_text(dir, file, err);
	if (!text)
		return -1;
	struct buf b = {0};
	int r = migration_expand(dialect, text, &b, err);
	free(text);
	buf_putc(&b, '\0');
	if (r < 0 || b.failed) {
		buf_release(&b);
		return r < 0 ? err_prefix(err, "'%s/%s'", dir, file) : err_nomem(err);
	}
	*to = (char *)b.data;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static int finish(struct migrations *m, const char *dir, struct err *err)
{
	if (m->n == 0)
		return err_set(err, ERR_IO, "no migrations in '%s'", dir);
	qsort(m->v, m->n, sizeof(*m->v), by_number);
	for (size_t i = 0; i < m->n; i++) {
		struct migration *g = &m->v[i];
		if (g->number != (int)i + 1)
			return err_set(err, ERR_USAGE, "'%s': number %zu is missing",
				dir, i + 1);
		if (!g->up != !g->down)
			return err_set(err, ERR_USAGE,
				"'%s': %04d_%s has an up or a down file, not both", dir,
				g->number, g->name);
		if (!g->up && (!(g->up = strdup("")) || !(g->down = strdup(""))))
			return err_nomem(err);
		uint64_t sum = hash_bytes(g->up, strlen(g->up) + 1) * 31 +
			       hash_bytes(g->down, strlen(g->down));
		snprintf(g->checksum, sizeof(g->checksum), "%016llx",
			(unsigned long long)sum);
	}
	return 0;
}

int migrations_load(
	struct migrations *m, const char *dir, const char *backend, struct err *err)
{
	char name[64];
	snprintf(name, sizeof(name), "%s.dialect", backend);
	*m = (struct migrations){0};
	char *dialect = read_text(dir, name, err);
	if (!dialect)
		return -1;
	DIR *d = opendir(dir);
	int r = d ? 0 : err_errno(err, "cannot open '%s'", dir);
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		r = add_file(m, dir, e->d_name, dialect, backend, err);
	if (d)
		closedir(d);
	free(dialect);
	if (r == 0)
		r = finish(m, dir, err);
	if (r < 0)
		migrations_release(m);
	return r;
}

void migrations_release(struct migrations *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].up);
		free(m->v[i].down);
	}
	free(m->v);
	*m = (struct migrations){0};
}

int migrations_dir(char *dir, size_t size, struct err *err)
{
	if (share_path("schemas/sql/sqlite.dialect", dir, size, err) < 0)
		return -1;
	*strrchr(dir, '/') = '\0';
	return 0;
}
