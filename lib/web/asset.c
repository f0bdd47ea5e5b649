#include "web/asset.h"

#include <errno.h>
#include <fts.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { ASSETS_MAX = 512, ETAG_BYTES = 12, ETAG_SIZE = 2 * ETAG_BYTES + 3 };
enum { GZIP = 16 }; /* zlib's bit for a gzip header */

/* A content as it is sent, and its name, in its quotes. */
struct form {
	struct buf body;
	char etag[ETAG_SIZE];
};

struct asset {
	char *path; /* from the folder, with the first slash */
	const char *type;
	struct form plain, zipped; /* zipped is empty where it would not be smaller */
};

struct assets {
	struct asset v[ASSETS_MAX];
	size_t n, bytes;
};

static const char *type_of(const char *path)
{
	static const char *const TYPES[][2] = {{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"}, {".svg", "image/svg+xml"},
		{".png", "image/png"}, {".json", "application/json"},
		{".webmanifest", "application/manifest+json"},
		{".woff2", "font/woff2"}};
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < sizeof(TYPES) / sizeof(*TYPES); i++)
		if (strcmp(dot, TYPES[i][0]) == 0)
			return TYPES[i][1];
	return "application/octet-stream";
}

/* Reads all of f, while there is room for it in a. */
static int read_all(struct assets *a, FILE *f, struct buf *b)
{
	char piece[16384];
	size_t n;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0) {
		a->bytes += n;
		if (a->bytes > ASSETS_BYTES_MAX) {
			errno = EFBIG;
			return -1;
		}
		buf_append(b, piece, n);
	}
	return ferror(f) || b->failed ? -1 : 0;
}

static void make_etag(struct form *x)
{
	unsigned char hash[crypto_generichash_BYTES];
	char hex[2 * ETAG_BYTES + 1];
	crypto_generichash(hash, sizeof(hash), x->body.data, x->body.len, NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, ETAG_BYTES);
	snprintf(x->etag, sizeof(x->etag), "\"%s\"", hex);
}

/* Returns 0, or -1 when out of memory. */
static int zip(const struct buf *in, struct buf *out)
{
	z_stream z = {.next_in = in->data, .avail_in = (uInt)in->len};
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP,
		    MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	size_t most = deflateBound(&z, in->len);
	int r = buf_reserve(out, most);
	z.next_out = out->data;
	z.avail_out = (uInt)most;
	if (r == 0 && deflate(&z, Z_FINISH) == Z_STREAM_END)
		out->len = z.total_out;
	deflateEnd(&z);
	return r;
}

static int make_forms(struct asset *x)
{
	make_etag(&x->plain);
	if (x->plain.body.len == 0)
		return 0;
	if (zip(&x->plain.body, &x->zipped.body) < 0)
		return -1;
	if (x->zipped.body.len >= x->plain.body.len)
		buf_release(&x->zipped.body);
	make_etag(&x->zipped);
	return 0;
}

/* Returns 0, or -1 with errno. */
static int add(struct assets *a, const char *file, const char *path)
{
	if (a->n == ASSETS_MAX) {
		errno = EFBIG;
		return -1;
	}
	struct asset *x = &a->v[a->n++];
	FILE *f = fopen(file, "rbe");
	int r = f ? read_all(a, f, &x->plain.body) : -1, saved = errno;
	if (f)
		fclose(f);
	x->path = strdup(path);
	x->type = type_of(path);
	errno = saved;
	return r < 0 || !x->path ? -1 : make_forms(x);
}

static int fail(struct err *err, const char *path)
{
	return err_set(
		err, ERR_IO, "cannot read the page's '%s': %s", path, strerror(errno));
}

static int load(struct assets *a, FTS *fts, size_t skip, struct err *err)
{
	FTSENT *e;
	while ((e = fts_read(fts))) {
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR ||
			e->fts_info == FTS_NS) {
			errno = e->fts_errno;
			return fail(err, e->fts_path);
		}
		if (e->fts_info == FTS_F && *e->fts_name != '.' &&
			add(a, e->fts_accpath, e->fts_path + skip) < 0)
			return fail(err, e->fts_path);
	}
	return 0;
}

struct assets *assets_load(const char *dir, struct err *err)
{
	char *name = strdup(dir);
	char *roots[] = {name, NULL};
	struct assets *a = name ? calloc(1, sizeof(*a)) : NULL;
	FTS *fts = a ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	int r = fts ? load(a, fts, strlen(dir), err) : fail(err, dir);
	if (fts)
		fts_close(fts);
	free(name);
	if (r == 0)
		return a;
	assets_free(a);
	return NULL;
}

void assets_free(struct assets *a)
{
	for (size_t i = 0; a && i < a->n; i++) {
		free(a->v[i].path);
		buf_release(&a->v[i].plain.body);
		buf_release(&a->v[i].zipped.body);
	}
	free(a);
}

static const struct asset *find(const struct assets *a, const char *path)
{
	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (size_t i = 0; a && i < a->n; i++)
		if (strcmp(a->v[i].path, path) == 0)
			return &a->v[i];
	return NULL;
}

void assets_serve(
	const struct assets *a, const struct request *req, struct response *res)
{
	const struct asset *x = find(a, req->path);
	if (!x) {
		http_refuse(res, 404, "there is no '%.100s' here", req->path);
		return;
	}
	if (req->method != METHOD_GET) {
		http_refuse(res, 405, "not this method");
		return;
	}
	const struct form *form = &x->plain;
	res->varies = x->zipped.body.len > 0;
	if (res->varies && http_accepts(req, "gzip")) {
		form = &x->zipped;
		res->encoding = "gzip";
	}
	res->type = x->type;
	res->etag = form->etag;
	/* Kept, but asked about each time: a new version is seen at once. */
	res->cache = "no-cache";
	res->status = strcmp(req->if_none_match, form->etag) == 0 ? 304 : 200;
	if (res->status == 200)
		buf_append(&res->body, form->body.data, form->body.len);
}
