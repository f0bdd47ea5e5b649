#include "stream/endpoint.h"

#include "base/parse.h"

#include <stdio.h>

static const struct {
	const char *prefix;
	enum endpoint_role role;
	bool input;
} ROLES[] = {{"push:", EP_PUSH, false}, {"pull:", EP_PULL, true},
	{"pub:", EP_PUB, false}, {"sub:", EP_SUB, true}};

static int number(
	const char *text, struct str key, struct str v, int64_t *out, struct err *err)
{
	if (parse_i64(v, 1, 1000000000, out) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "endpoint '%s': %.*s needs a number from 1",
		text, STR_ARG(key));
}

/* A ZeroMQ URI; whether it is one to bind. Returns 0, or -1 ERR_USAGE. */
static int set_address(const char *text, struct str uri, char address[ADDRESS_MAX],
	bool *bind, struct err *err)
{
	if (uri.len && uri.s[0] == '@') {
		*bind = true;
		uri = (struct str){uri.s + 1, uri.len - 1};
	}
	if (!str_copy(address, ADDRESS_MAX, uri))
		return err_set(err, ERR_USAGE, "endpoint '%s' is too long", text);
	if (strncmp(address, "tcp://", 6) != 0 && strncmp(address, "ipc://", 6) != 0 &&
		strncmp(address, "inproc://", 9) != 0)
		return err_set(err, ERR_USAGE,
			"endpoint '%s': expected tcp://, ipc:// or inproc://, not "
			"'%s'",
			text, address);
	if (strncmp(address, "tcp://*", 7) == 0 ||
		strncmp(address, "tcp://@", 7) == 0) {
		address[6] = '*';
		*bind = true;
	}
	return 0;
}

static int set_option(struct endpoint *e, const char *text, struct str key,
	struct str v, struct err *err)
{
	bool in = e->role == EP_PULL || e->role == EP_SUB;
	if (str_is(key, "topic") && e->role == EP_SUB && e->ntopics < TOPICS_MAX) {
		if (!str_copy(e->topics[e->ntopics++], sizeof(e->topics[0]), v))
			return err_set(
				err, ERR_USAGE, "endpoint '%s': topic too long", text);
		return 0;
	}
	if (str_is(key, "producers") && in)
		return number(text, key, v, &e->producers, err);
	if (str_is(key, "snapshot") && (e->role == EP_PUB || e->role == EP_SUB))
		return set_address(text, v, e->snapshot, &e->snapshot_bind, err);
	if (str_is(key, "hwm"))
		return number(text, key, v, &e->hwm, err);
	if (str_is(key, "subscribers") && e->role == EP_PUB)
		return number(text, key, v, &e->subscribers, err);
	return err_set(err, ERR_USAGE,
		"endpoint '%s': unknown option '%.*s' (topic, snapshot, producers, "
		"hwm, subscribers)",
		text, STR_ARG(key));
}

static int parse_options(
	struct endpoint *e, const char *text, const char *p, struct err *err)
{
	while (*p) {
		size_t n = strcspn(p, "&"), k = strcspn(p, "=&");
		struct str key = {p, (uint32_t)k};
		struct str v = {p + k + 1, k < n ? (uint32_t)(n - k - 1) : 0};
		if (set_option(e, text, key, v, err) < 0)
			return -1;
		p += n + (p[n] == '&');
	}
	return 0;
}

static int parse_socket(
	const char *text, const char *uri, struct endpoint *e, struct err *err)
{
	const char *q = strchr(uri, '?');
	struct str address = {uri, (uint32_t)(q ? (size_t)(q - uri) : strlen(uri))};
	if (set_address(text, address, e->address, &e->bind, err) < 0)
		return -1;
	return q ? parse_options(e, text, q + 1, err) : 0;
}

int endpoint_parse(const char *text, bool input, struct endpoint *e, struct err *err)
{
	*e = (struct endpoint){.role = EP_FILE, .hwm = 1000};
	if (!*text)
		return err_set(err, ERR_USAGE, "empty endpoint; use '-' for %s",
			input ? "stdin" : "stdout");
	for (size_t i = 0; i < sizeof(ROLES) / sizeof(ROLES[0]); i++) {
		size_t n = strlen(ROLES[i].prefix);
		if (strncmp(text, ROLES[i].prefix, n) != 0)
			continue;
		if (ROLES[i].input != input)
			return err_set(err, ERR_USAGE, "endpoint '%s' cannot be an %s",
				text, input ? "input" : "output");
		e->role = ROLES[i].role;
		return parse_socket(text, text + n, e, err);
	}
	if (strstr(text, "://"))
		return err_set(err, ERR_USAGE,
			"endpoint '%s': put a role before it: push:, pull:, pub: or "
			"sub:",
			text);
	if (!str_copy(e->address, sizeof(e->address), str_of(text)))
		return err_set(err, ERR_USAGE, "endpoint '%s' is too long", text);
	return 0;
}
