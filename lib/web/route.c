#include "web/route.h"
#include "base/code.h"
#include "base/now.h"
#include "base/parse.h"
#include "web/audit.h"
#include "web/cell.h"
#include "web/device.h"
#include "web/meter.h"

/* Compares a path with a route's; the {…} goes to id. */
static bool matches(const char *path, const char *pattern, char *id, size_t size)
{
	id[0] = '\0';
	while (*pattern) {
		if (*pattern != '{') {
			if (*path++ != *pattern++)
				return false;
			continue;
		}
		size_t n = strcspn(path, "/");
		if (n == 0 || !str_copy(id, size, (struct str){path, (uint32_t)n}))
			return false;
		path += n;
		pattern += strcspn(pattern, "}") + 1;
	}
	return *path == '\0';
}

/* Finds the route. Returns 0, or the status of the refusal. */
static int find_route(struct call *c)
{
	const char *path = c->req->path;
	size_t n = strlen(API_BASE);
	bool known = false;
	if (strncmp(path, API_BASE "/", n + 1) != 0)
		return 404;
	for (size_t i = 0; i < c->service->nroutes; i++) {
		const struct route *r = &c->service->routes[i];
		if (!matches(path + n, r->path, c->id, sizeof(c->id)))
			continue;
		known = true;
		if (r->method == c->req->method) {
			c->route = r;
			return 0;
		}
	}
	return known ? 405 : 404;
}

/* Who calls: 1 known, 0 nobody (a refusal is in res if a token was shown), -1. */
static int authenticate(struct call *c, struct err *err)
{
	static const char BEARER[] = "Bearer ";
	const char *header = c->req->authorization;
	struct claims claims;
	if (*header == '\0')
		return 0;
	if (c->route->scope == SCOPE_DEVICE)
		return strncmp(header, BEARER, sizeof(BEARER) - 1) == 0
			       ? device_check(c->db,
					 str_of(header + sizeof(BEARER) - 1), c->now,
					 &c->account, err)
			       : 0;
	enum token_state state = TOKEN_BAD;
	if (strncmp(header, BEARER, sizeof(BEARER) - 1) == 0)
		state = access_token_read(&c->service->key,
			str_of(header + sizeof(BEARER) - 1), c->now, &claims);
	int alive = state == TOKEN_GOOD
			    ? session_check(c->db, &claims, c->now, &c->account, err)
			    : 0;
	if (alive < 0)
		return -1;
	if (alive == 0) {
		c->account.role = ROLE_NONE;
		http_refuse(c->res, 401,
			state == TOKEN_EXPIRED ? "the token has expired"
					       : "the token is not valid");
		return 0;
	}
	c->session = claims.session;
	return 1;
}

static void audit_denial(struct call *c)
{
	struct err err = {0};
	char what[PATH_MAX_LEN + 16];
	snprintf(
		what, sizeof(what), "%s %s", method_word(c->req->method), c->req->path);
	if (audit_write(c->db,
		    &(struct audit){c->now, c->account.username, "denied", what, NULL,
			    c->req->address},
		    &err) < 0)
		str_copy(c->res->log, sizeof(c->res->log), str_of(err.msg));
}

bool call_sees(const struct call *c, const char *code)
{
	char site[128];
	return str_copy(site, sizeof(site), code_site(str_of(code))) &&
	       account_sees(&c->account, site);
}

/* May they? Returns 0, or the status of the refusal. */
static int authorise(struct call *c)
{
	if (c->route->scope == SCOPE_DEVICE && c->account.role == ROLE_NONE)
		return http_refuse(c->res, 401, "this needs the token of a device");
	if (c->route->least == ROLE_NONE)
		return 0;
	if (c->account.role == ROLE_NONE)
		return c->res->status == 401 ? 401
					     : http_refuse(c->res, 401, "log in first");
	if (c->account.role < c->route->least) {
		audit_denial(c);
		return http_refuse(c->res, 403, "this needs the role %s",
			role_word(c->route->least));
	}
	if (c->route->scope == SCOPE_NONE)
		return 0;
	bool seen = c->route->scope == SCOPE_SITE ? account_sees(&c->account, c->id)
						  : call_sees(c, c->id);
	if (seen)
		return 0;
	/* As if it were not there: what others have is nobody's business. */
	return http_refuse(c->res, 404, "no '%s'", c->id);
}

static bool is_word(const char *words, const char *value)
{
	size_t n = strlen(value);
	for (const char *p = words; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");
		if (len == n && memcmp(p, value, n) == 0)
			return true;
		p += len;
	}
	return false;
}

static int wrong(const struct param *p, const char *what, struct err *err)
{
	return err_set(err, ERR_DATA, "parameter '%s' %s", p->name, what);
}

/* Checks the text of parameter i and keeps it. */
static int take_text(struct call *c, size_t i, const char *text, struct err *err)
{
	const struct param *p = &c->route->params[i];
	int64_t v = 0;
	switch (p->type) {
	case PARAM_TEXT:
		if (strlen(text) < (size_t)p->min)
			return wrong(p, "is too short", err);
		if (strlen(text) > (size_t)(p->max > 0 ? p->max : 256))
			return wrong(p, "is too long", err);
		c->value[i] = text;
		return 0;
	case PARAM_WORD:
		if (!is_word(p->words, text))
			return err_set(err, ERR_DATA, "parameter '%s' is one of %s",
				p->name, p->words);
		c->value[i] = text;
		return 0;
	case PARAM_INT:
		if (parse_i64(str_of(text), (int64_t)p->min, (int64_t)p->max, &v) < 0)
			return err_set(err, ERR_DATA,
				"parameter '%s' is a whole number from %.0f to %.0f",
				p->name, p->min, p->max);
		break;
	case PARAM_TIME:
		if (time_parse_iso(str_of(text), 0, &v) < 0)
			return wrong(p, "is no time as 2026-08-25T00:00:00Z", err);
		break;
	case PARAM_DURATION:
		if (parse_duration_ms(str_of(text), &v) < 0 || v <= 0)
			return wrong(p, "is no duration as 30s, 15m, 1h or 7d", err);
		break;
	case PARAM_NUMBER:
	case PARAM_LIST:
	case PARAM_OBJECT:
		return wrong(p, "belongs in the body", err);
	case PARAM_BOOL:
		v = strcmp(text, "true") == 0;
		if (!v && strcmp(text, "false") != 0)
			return wrong(p, "is true or false", err);
		break;
	}
	snprintf(c->number[i], sizeof(c->number[i]), "%lld", (long long)v);
	c->value[i] = c->number[i];
	return 0;
}

/* The index of a parameter of the route, or -1. */
static int param_index(const struct route *r, const char *name)
{
	for (int i = 0; r->params && r->params[i].name; i++)
		if (strcmp(r->params[i].name, name) == 0)
			return i;
	return -1;
}

/* What has a body has its parameters there and nowhere else: a query is written down by
 * proxies, and a form of any page can send one in the user's name (ASVS 5.0, 14.2.1 and
 * 3.5). */
static int take_query(struct call *c, struct err *err)
{
	bool has_body =
		c->route->method == METHOD_POST || c->route->method == METHOD_PATCH;
	for (size_t k = 0; k < c->req->nquery; k++) {
		const struct pair *q = &c->req->query[k];
		int i = param_index(c->route, q->name);
		if (i < 0)
			return err_set(
				err, ERR_DATA, "no parameter '%s' here", q->name);
		if (has_body)
			return wrong(&c->route->params[i], "belongs in the body", err);
		if (c->value[i])
			return wrong(&c->route->params[i], "is given twice", err);
		if (take_text(c, (size_t)i, q->value, err) < 0)
			return -1;
	}
	return 0;
}

static int take_list(struct call *c, size_t i, const json_t *v, struct err *err)
{
	const struct param *p = &c->route->params[i];
	if (!json_is_array(v))
		return wrong(p, "is not a list", err);
	double n = (double)json_array_size(v);
	if (p->max > 0 && (n < p->min || n > p->max))
		return err_set(err, ERR_DATA,
			"parameter '%s' has %.0f items, not %.0f to %.0f", p->name, n,
			p->min, p->max);
	c->value[i] = "";
	return 0;
}

/* A member of the body, of the JSON type its parameter needs. */
static int take_member(struct call *c, size_t i, json_t *v, struct err *err)
{
	const struct param *p = &c->route->params[i];
	char text[24];
	if (json_is_null(v))
		return 0;
	if (p->type == PARAM_LIST)
		return take_list(c, i, v, err);
	if ((p->type == PARAM_NUMBER && json_is_number(v)) ||
		(p->type == PARAM_OBJECT && json_is_object(v))) {
		c->value[i] = "";
		return 0;
	}
	if (p->type == PARAM_INT && json_is_integer(v)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
		return take_text(c, i, text, err);
	}
	if (p->type == PARAM_BOOL && json_is_boolean(v))
		return take_text(c, i, json_is_true(v) ? "true" : "false", err);
	if (p->type == PARAM_INT || p->type == PARAM_BOOL || p->type == PARAM_OBJECT ||
		!json_is_string(v))
		return wrong(p, "has the wrong JSON type", err);
	if (strlen(json_string_value(v)) != json_string_length(v))
		return wrong(p, "holds a zero byte", err);
	return take_text(c, i, json_string_value(v), err);
}

static int take_body(struct call *c, struct err *err)
{
	const char *name;
	json_t *v;
	json_object_foreach(c->body, name, v)
	{
		int i = param_index(c->route, name);
		if (i < 0)
			return err_set(err, ERR_DATA, "no parameter '%s' here", name);
		if (take_member(c, (size_t)i, v, err) < 0)
			return -1;
	}
	return 0;
}

static int take_params(struct call *c, struct err *err)
{
	if (take_query(c, err) < 0 || (c->body && take_body(c, err) < 0))
		return -1;
	for (size_t i = 0; c->route->params && c->route->params[i].name; i++) {
		const struct param *p = &c->route->params[i];
		if (!c->value[i] && p->needed && !c->raw)
			return wrong(p, "is missing", err);
		if (!c->value[i] && p->preset && take_text(c, i, p->preset, err) < 0)
			return -1;
	}
	return 0;
}

/* The body of a POST or PATCH, an object. Returns 0, or the status of the refusal. */
static int read_body(struct call *c)
{
	enum method m = c->req->method;
	const struct buf *b = &c->req->body;
	json_error_t e;
	if (b->len == 0 || (m != METHOD_POST && m != METHOD_PATCH))
		return 0;
	size_t n = strcspn(c->req->content_type, "; ");
	if (c->route->scope == SCOPE_DEVICE &&
		str_is((struct str){c->req->content_type, (uint32_t)n},
			"application/msgpack")) {
		c->raw = true;
		return 0;
	}
	if (!str_is((struct str){c->req->content_type, (uint32_t)n},
		    "application/json"))
		return http_refuse(c->res, 400,
			"the body is JSON: Content-Type: application/json");
	c->body = json_loadb((const char *)b->data, b->len, JSON_REJECT_DUPLICATES, &e);
	if (!c->body)
		return http_refuse(c->res, 400, "the body is no JSON: line %d: %s",
			e.line, e.text);
	return json_is_object(c->body)
		       ? 0
		       : http_refuse(c->res, 422, "the body is a JSON object");
}

static int refuse_error(struct call *c, const struct err *err)
{
	if (err->class == ERR_DATA)
		return http_refuse(c->res, 422, "%s", err->msg);
	str_copy(c->res->log, sizeof(c->res->log), str_of(err->msg));
	return http_refuse(c->res, 503,
		"the database does not answer in time; try again, or ask for less");
}

static void serve(struct call *c)
{
	struct err err = {0};
	int status = find_route(c);
	if (status) {
		http_refuse(c->res, status,
			status == 405 ? "'%s' does not take this method"
				      : "there is no '%s'",
			c->req->path);
		return;
	}
	if (!c->db && !c->route->alone) {
		http_refuse(c->res, 503, "the database does not answer; try again");
		return;
	}
	if (!c->route->alone && authenticate(c, &err) < 0) {
		refuse_error(c, &err);
		return;
	}
	if (authorise(c) || read_body(c))
		return;
	if (take_params(c, &err) < 0) {
		refuse_error(c, &err);
		return;
	}
	c->res->status = 0;
	buf_clear(&c->res->body);
	status = c->route->fn(c, &err);
	if (status < 0)
		refuse_error(c, &err);
	else
		c->res->status = status;
}

struct needs api_needs(const struct service *s, const struct request *req)
{
	struct call c = {.service = s, .req = req};
	bool found = find_route(&c) == 0;
	bool device =
		found && c.route->scope == SCOPE_DEVICE && req->method == METHOD_POST;
	return (struct needs){
		device ? BODY_OF_DEVICE_MAX : BODY_MAX, found && c.route->alone};
}

static void count(const struct call *c, int64_t begun_ns)
{
	meter_count(c->service->meter,
		c->route ? (size_t)(c->route - c->service->routes) : SIZE_MAX,
		c->res->status, (double)(now_steady_ns() - begun_ns) / 1e9);
}

void api_serve(const struct service *s, struct db *db, const struct request *req,
	int64_t now, struct response *res)
{
	struct call c = {.service = s, .db = db, .req = req, .res = res, .now = now};
	int64_t begun_ns = now_steady_ns();
	c.out = &res->body;
	serve(&c);
	json_decref(c.body);
	if (res->body.failed)
		http_refuse(res, 503, "out of memory");
	if (s->meter)
		count(&c, begun_ns);
}

const char *call_value(const struct call *c, const char *name)
{
	int i = param_index(c->route, name);
	return i < 0 ? NULL : c->value[i];
}

int64_t call_int(const struct call *c, const char *name)
{
	const char *v = call_value(c, name);
	return v ? cell_int(v) : 0;
}

const json_t *call_json(const struct call *c, const char *name)
{
	return json_object_get(c->body, name);
}

const char *call_sites(const struct call *c)
{
	return c->account.sites[0] ? c->account.sites : NULL;
}
