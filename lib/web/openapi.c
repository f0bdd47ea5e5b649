/* openapi.json from the table of routes. */
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

static void put(struct buf *b, const char *name, const char *text)
{
	emit_name(b, name);
	emit_text(b, text);
}

static void put_words(struct buf *b, const char *words)
{
	emit_name(b, "enum");
	emit_open(b, '[');
	for (const char *p = words; *p; p += *p == '|') {
		char word[64];
		size_t n = strcspn(p, "|");
		str_copy(word, sizeof(word), (struct str){p, (uint32_t)n});
		emit_text(b, word);
		p += n;
	}
	emit_close(b, ']');
}

static void put_bound(struct buf *b, const char *name, double v)
{
	emit_name(b, name);
	emit_int(b, (int64_t)v);
}

static void put_preset(struct buf *b, const struct param *p)
{
	emit_name(b, "default");
	if (p->type == PARAM_INT || p->type == PARAM_BOOL)
		buf_puts(b, p->preset);
	else
		emit_text(b, p->preset);
}

static void put_schema(struct buf *b, const struct param *p)
{
	static const char *const TYPES[] = {[PARAM_TEXT] = "string",
		[PARAM_INT] = "integer",
		[PARAM_TIME] = "string",
		[PARAM_DURATION] = "string",
		[PARAM_BOOL] = "boolean",
		[PARAM_WORD] = "string",
		[PARAM_NUMBER] = "number",
		[PARAM_LIST] = "array",
		[PARAM_OBJECT] = "object"};
	emit_open(b, '{');
	put(b, "type", TYPES[p->type]);
	if (p->type == PARAM_TIME)
		put(b, "format", "date-time");
	if (p->type == PARAM_DURATION)
		put(b, "pattern", "^[0-9]*[.]?[0-9]+(ms|s|m|min|h|d|w|y)?$");
	if (p->type == PARAM_WORD)
		put_words(b, p->words);
	if (p->type == PARAM_INT) {
		put_bound(b, "minimum", p->min);
		put_bound(b, "maximum", p->max);
	}
	if (p->type == PARAM_TEXT) {
		put_bound(b, "minLength", p->min);
		put_bound(b, "maxLength", p->max > 0 ? p->max : 256);
	}
	if (p->type == PARAM_LIST) {
		put_bound(b, "minItems", p->min);
		if (p->max > 0)
			put_bound(b, "maxItems", p->max);
		emit_name(b, "items");
		buf_puts(b, "{}");
	}
	if (p->preset)
		put_preset(b, p);
	put(b, "description", p->doc);
	emit_close(b, '}');
}

static void put_parameter(
	struct buf *b, const char *name, const char *in, const struct param *p)
{
	emit_open(b, '{');
	put(b, "name", name);
	put(b, "in", in);
	emit_name(b, "required");
	emit_bool(b, !p || p->needed);
	emit_name(b, "schema");
	if (p)
		put_schema(b, p);
	else
		buf_puts(b, "{\"type\":\"string\"}");
	emit_close(b, '}');
}

static void put_parameters(struct buf *b, const struct route *r, bool query)
{
	emit_name(b, "parameters");
	emit_open(b, '[');
	if (strchr(r->path, '{'))
		put_parameter(b, "id", "path", NULL);
	for (const struct param *p = r->params; query && p && p->name; p++)
		put_parameter(b, p->name, "query", p);
	emit_close(b, ']');
}

static void put_body(struct buf *b, const struct route *r)
{
	bool needed = false;
	for (const struct param *p = r->params; p->name; p++)
		needed |= p->needed;
	emit_name(b, "requestBody");
	emit_open(b, '{');
	emit_name(b, "required");
	emit_bool(b, needed);
	emit_name(b, "content");
	buf_puts(b, "{\"application/json\":{\"schema\":");
	emit_open(b, '{');
	put(b, "type", "object");
	emit_name(b, "additionalProperties");
	emit_bool(b, false);
	emit_name(b, "properties");
	emit_open(b, '{');
	for (const struct param *p = r->params; p->name; p++) {
		emit_name(b, p->name);
		put_schema(b, p);
	}
	emit_close(b, '}');
	if (needed) {
		emit_name(b, "required");
		emit_open(b, '[');
		for (const struct param *p = r->params; p->name; p++)
			if (p->needed)
				emit_text(b, p->name);
		emit_close(b, ']');
	}
	emit_close(b, '}');
	buf_puts(b, "}");
	if (r->scope == SCOPE_DEVICE)
		buf_puts(b, ",\"application/msgpack\":{\"schema\":{\"type\":"
			    "\"string\",\"format\":\"binary\"}}");
	buf_puts(b, "}}");
}

/* What every refusal looks like, whoever makes it. */
static void put_error_schema(struct buf *b)
{
	emit_name(b, "schemas");
	buf_puts(b, "{\"Error\":{\"type\":\"object\",\"additionalProperties\":false,"
		    "\"required\":[\"detail\"],\"properties\":{\"detail\":{\"type\":"
		    "\"string\",\"minLength\":1}}}}");
}

static const int REFUSALS[] = {400, 401, 403, 404, 409, 413, 422, 429, 503};
enum { NREFUSALS = sizeof(REFUSALS) / sizeof(*REFUSALS) };

static void put_error(struct buf *b, int status)
{
	emit_open(b, '{');
	put(b, "description", http_reason(status));
	if (status == 429) {
		emit_name(b, "headers");
		buf_puts(b, "{\"Retry-After\":{\"description\":\"seconds\",\"schema\":"
			    "{\"type\":\"integer\"}}}");
	}
	emit_name(b, "content");
	buf_puts(b, "{\"application/json\":{\"schema\":{\"$ref\":"
		    "\"#/components/schemas/Error\"}}}");
	emit_close(b, '}');
}

static void put_errors(struct buf *b)
{
	emit_name(b, "responses");
	emit_open(b, '{');
	for (size_t i = 0; i < NREFUSALS; i++) {
		emit_name(b, number(REFUSALS[i]).text);
		put_error(b, REFUSALS[i]);
	}
	emit_close(b, '}');
}

/* type: what is not JSON, or "". */
static void put_answer(struct buf *b, int status, const char *type)
{
	emit_open(b, '{');
	put(b, "description", http_reason(status));
	if (status != 204) {
		emit_name(b, "content");
		emit_open(b, '{');
		emit_name(b, *type ? type : "application/json");
		buf_printf(b, "{\"schema\":{\"type\":\"%s\"}}",
			*type ? "string" : "object");
		emit_close(b, '}');
	}
	emit_close(b, '}');
}

/* Those of the route's own list, and those that the server itself gives to any call. */
static bool refuses(const struct route *r, int status)
{
	switch (status) {
	case 400: /* no JSON, or a length below nothing */
	case 413:
	case 422:
		return true;
	case 503:
		return !r->alone;
	case 401:
		return r->least > ROLE_NONE || strstr(r->answers, "401");
	case 403:
		return r->least > ROLE_VIEWER || strstr(r->answers, "403");
	default:
		return strstr(r->answers, number(status).text);
	}
}

static void put_answers(struct buf *b, const struct route *r)
{
	char type[64];
	emit_name(b, "responses");
	emit_open(b, '{');
	for (const char *p = r->answers; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		int status = (int)strtol(p, NULL, 10);
		str_copy(type, sizeof(type),
			n > 4 ? (struct str){p + 4, (uint32_t)n - 4} : str_of(""));
		if (status < 400) {
			emit_name(b, number(status).text);
			put_answer(b, status, type);
		}
		p += n;
	}
	for (size_t i = 0; i < NREFUSALS; i++) {
		if (!refuses(r, REFUSALS[i]))
			continue;
		struct number status = number(REFUSALS[i]);
		emit_name(b, status.text);
		buf_printf(b, "{\"$ref\":\"#/components/responses/%s\"}", status.text);
	}
	emit_close(b, '}');
}

static void put_operation(struct buf *b, const struct route *r)
{
	static const char *const METHODS[METHOD_COUNT] = {
		"get", "post", "patch", "delete"};
	bool body =
		r->params && (r->method == METHOD_POST || r->method == METHOD_PATCH);
	emit_name(b, METHODS[r->method]);
	emit_open(b, '{');
	put(b, "summary", r->summary);
	put(b, "x-role", r->scope == SCOPE_DEVICE ? "device" : role_word(r->least));
	put_parameters(b, r, !body);
	if (body)
		put_body(b, r);
	put_answers(b, r);
	if (r->least > ROLE_NONE || r->scope == SCOPE_DEVICE) {
		emit_name(b, "security");
		buf_puts(b, "[{\"token\":[]}]");
	}
	emit_close(b, '}');
}

static void put_components(struct buf *b)
{
	emit_name(b, "components");
	emit_open(b, '{');
	emit_name(b, "securitySchemes");
	buf_puts(b, "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\","
		    "\"bearerFormat\":\"JWT\"}}");
	put_error_schema(b);
	put_errors(b);
	emit_close(b, '}');
}

/* Routes of one path stand together, in any order of paths. */
static bool first_of_path(const struct route *routes, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(routes[k].path, routes[i].path) == 0)
			return false;
	return true;
}

void openapi_write(const struct route *routes, size_t n, struct buf *b)
{
	emit_open(b, '{');
	put(b, "openapi", "3.0.3");
	emit_name(b, "info");
	buf_puts(b, "{\"title\":\"floatline\",\"version\":\"" FL_VERSION "\"}");
	emit_name(b, "servers");
	buf_puts(b, "[{\"url\":\"" API_BASE "\"}]");
	put_components(b);
	emit_name(b, "paths");
	emit_open(b, '{');
	for (size_t i = 0; i < n; i++) {
		if (!first_of_path(routes, i))
			continue;
		emit_name(b, routes[i].path);
		emit_open(b, '{');
		for (size_t k = i; k < n; k++)
			if (strcmp(routes[k].path, routes[i].path) == 0)
				put_operation(b, &routes[k]);
		emit_close(b, '}');
	}
	emit_close(b, '}');
	emit_close(b, '}');
}
