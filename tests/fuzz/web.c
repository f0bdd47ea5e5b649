/*
 * Any bytes as what a client sends: a token, a query, a cookie, codings, and a whole
 * call (method, path, query, body) by an admin of a small database, and a stream of
 * samples by a device. There is always an answer, of a status that we send, and it is
 * JSON.
 */
#include "db/db.h"
#include "web/api.h"
#include "web/device.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t NOW = INT64_C(1790000000000);

static struct {
	struct service service;
	struct db *db;
	char bearer[ACCESS_TOKEN_SIZE + 8], device[REFRESH_TOKEN_SIZE];
} world;

static void make_world(void)
{
	struct err err = {0};
	struct account a = {.username = "anna", .role = ROLE_ADMIN, .active = true};
	struct session s;
	char token[ACCESS_TOKEN_SIZE], hash[PASSWORD_HASH_SIZE];
	world.service = (struct service){.routes = API_ROUTES,
		.nroutes = API_NROUTES,
		.limit = limit_new(4, 1000000, 1)};
	world.db = db_open("sqlite::memory:", DB_CREATE, &err);
	if (!world.db || token_key_make(&world.service.key, &err) < 0 ||
		db_ready(world.db, "schemas/sql", &err) < 0 ||
		account_hash(&a, "a long one", hash, &err) < 0 ||
		account_add(world.db, &a, hash, NOW, &err) < 0 ||
		session_login(world.db, "anna", "a long one", "::1", NOW, &s, &err) < 0)
		abort();
	access_token_make(&world.service.key,
		&(struct claims){a.id, s.id, NOW, NOW + ACCESS_MS}, token);
	if (device_add(world.db, "logger", NULL, NOW, world.device, &err) != 1)
		abort();
	snprintf(world.bearer, sizeof(world.bearer), "Bearer %s", token);
}

/* The next line of the input. */
static struct str line(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *from = *p;
	const uint8_t *nl =
		from < end ? memchr(from, '\n', (size_t)(end - from)) : NULL;
	const uint8_t *to = nl ? nl : end;
	*p = nl ? nl + 1 : end;
	return (struct str){(const char *)from, (uint32_t)(to - from)};
}

/* The same bytes as what a device posts. */
static void post_as_device(const uint8_t *p, const uint8_t *end)
{
	struct request r = {.method = METHOD_POST,
		.path = API_BASE "/telemetry/bulk",
		.content_type = "application/msgpack"};
	struct response res = {0};
	snprintf(r.authorization, sizeof(r.authorization), "Bearer %s", world.device);
	buf_append(&r.body, p, (size_t)(end - p));
	api_serve(&world.service, world.db, &r, NOW, &res);
	if (res.status != 503 && res.status != 422 && res.status != 202)
		abort();
	buf_release(&r.body);
	buf_release(&res.body);
}

static void fill(struct request *r, const uint8_t *p, const uint8_t *end)
{
	struct err err = {0};
	r->method = p < end ? (enum method)(*p++ % METHOD_COUNT) : METHOD_GET;
	struct str path = line(&p, end), query = line(&p, end);
	snprintf(r->path, sizeof(r->path), API_BASE "%.*s", STR_ARG(path));
	for (uint32_t i = 0, n; i < query.len; i += n + 1) {
		for (n = 0; i + n < query.len && query.s[i + n] != '&';)
			n++;
		http_add_query(r, (struct str){query.s + i, n}, &err);
	}
	snprintf(r->content_type, sizeof(r->content_type), "application/json");
	if (p < end)
		buf_append(&r->body, p, (size_t)(end - p));
}

/* Hashing passwords is slow on purpose, and has nothing to parse. */
static bool hashes(const struct request *r)
{
	return r->method != METHOD_GET && strstr(r->path, "/auth/");
}

static void serve(const uint8_t *data, size_t size)
{
	static struct request r;
	struct response res = {0};
	r = (struct request){0};
	fill(&r, data, data + size);
	str_copy(r.authorization, sizeof(r.authorization), str_of(world.bearer));
	if (!hashes(&r)) {
		api_serve(&world.service, world.db, &r, NOW, &res);
		json_t *j = json_loadb(
			(char *)res.body.data, res.body.len, JSON_DECODE_ANY, NULL);
		if (res.status < 200 || res.status > 503 ||
			(!res.type && !j && res.status != 204))
			abort();
		json_decref(j);
	}
	buf_release(&r.body);
	buf_release(&res.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct claims c;
	struct request r = {0};
	char value[64];
	if (!world.db)
		make_world();
	struct str text = {(const char *)data, (uint32_t)size};
	if (access_token_read(&world.service.key, text, NOW, &c) != TOKEN_BAD)
		abort();
	str_copy(r.cookie, sizeof(r.cookie), text);
	http_cookie(&r, "a", value, sizeof(value));
	str_copy(r.accept_encoding, sizeof(r.accept_encoding), text);
	http_accepts(&r, "gzip");
	serve(data, size);
	post_as_device(data, data + size);
	return 0;
}
