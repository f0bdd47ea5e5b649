#include "web/http.h"
#include "record/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

const char *method_word(enum method m)
{
	static const char *const WORDS[METHOD_COUNT] = {
		"GET", "POST", "PATCH", "DELETE"};
	return WORDS[m];
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} REASONS[] = {{200, "OK"}, {201, "Created"}, {204, "No Content"},
		{304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"},
		{403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
		{409, "Conflict"}, {413, "Content Too Large"},
		{422, "Unprocessable Content"}, {429, "Too Many Requests"},
		{503, "Service Unavailable"}};
	for (size_t i = 0; i < sizeof(REASONS) / sizeof(*REASONS); i++)
		if (REASONS[i].status == status)
			return REASONS[i].reason;
	return "Internal Server Error";
}

static bool is_utf8(const char *s, size_t n)
{
	for (size_t i = 0, k; i < n; i += k)
		if ((k = utf8_length((const uint8_t *)s + i, n - i)) == 0)
			return false;
	return true;
}

int http_add_query(struct request *r, struct str f, struct err *err)
{
	if (r->nquery == QUERY_MAX)
		return err_set(err, ERR_DATA, "more than %d parameters", QUERY_MAX);
	if (f.len + 2 > sizeof(r->query_text) - r->query_len)
		return err_set(err, ERR_DATA, "the query is too long");
	if (memchr(f.s, '\0', f.len) || !is_utf8(f.s, f.len))
		return err_set(err, ERR_DATA, "the query is not UTF-8 text");
	const char *eq = memchr(f.s, '=', f.len);
	uint32_t name = eq ? (uint32_t)(eq - f.s) : f.len;
	uint32_t value = f.len - name - (eq != NULL);
	char *to = r->query_text + r->query_len;
	r->query[r->nquery++] = (struct pair){to, to + name + 1};
	memcpy(to, f.s, name);
	to[name] = '\0';
	memcpy(to + name + 1, f.s + f.len - value, value);
	to[name + 1 + value] = '\0';
	r->query_len += name + value + 2;
	return 0;
}

bool http_cookie(const struct request *r, const char *name, char *value, size_t size)
{
	size_t n = strlen(name);
	for (const char *p = r->cookie; *p;) {
		p += strspn(p, " ;");
		size_t len = strcspn(p, ";");
		if (len > n && p[n] == '=' && memcmp(p, name, n) == 0)
			return str_copy(value, size,
				(struct str){p + n + 1, (uint32_t)(len - n - 1)});
		p += len;
	}
	return false;
}

/* Is the weight in the parameters of a coding, ";q=0.5", above 0? Without one it is 1.
 */
static bool has_weight(const char *p)
{
	p += strspn(p, "; \t");
	if ((*p != 'q' && *p != 'Q') || p[1] != '=')
		return true;
	return strcspn(p + 2, "123456789") < strcspn(p + 2, ",; \t");
}

bool http_accepts(const struct request *r, const char *coding)
{
	size_t n = strlen(coding);
	bool any = false;
	for (const char *p = r->accept_encoding; *p; p += strcspn(p, ",")) {
		p += strspn(p, ", \t");
		size_t len = strcspn(p, ",; \t");
		if (len == n && strncasecmp(p, coding, n) == 0)
			return has_weight(p + len);
		if (len == 1 && *p == '*')
			any = has_weight(p + len);
	}
	return any;
}

int http_refuse(struct response *r, int status, const char *fmt, ...)
{
	char text[1200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_clear(&r->body);
	buf_puts(&r->body, "{\"detail\":");
	text_json_string(str_of(text), &r->body);
	buf_puts(&r->body, "}");
	r->type = NULL;
	return r->status = status;
}
