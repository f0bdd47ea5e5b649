/*
 * A request and its answer, as the handlers see them: no sockets, so that tests can
 * make them by hand. Text of a request belongs to it; everything is UTF-8 and decoded.
 */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include "base/buf.h"
#include "base/err.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PATCH, METHOD_DELETE, METHOD_COUNT };

const char *method_word(enum method m);

enum {
	PATH_MAX_LEN = 512,
	QUERY_MAX = 24,        /* parameters of one request */
	QUERY_TEXT_MAX = 4096, /* their bytes */
	HEADER_MAX = 1024,
	BODY_MAX = 128 << 10,
	BODY_OF_DEVICE_MAX = 8 << 20, /* samples */
};

struct pair {
	const char *name, *value;
};

struct request {
	enum method method;
	char path[PATH_MAX_LEN];
	char query_text[QUERY_TEXT_MAX]; /* what the pairs point into */
	struct pair query[QUERY_MAX];
	size_t nquery, query_len;
	char authorization[HEADER_MAX], cookie[HEADER_MAX], content_type[128];
	char origin[256], host[256];
	char if_none_match[64], accept_encoding[128];
	char address[64]; /* the client's */
	struct buf body;
};

/* What a request needs of the server. */
struct needs {
	size_t body_max; /* bytes of its body */
	bool alone;      /* no database: it is answered at once, whoever waits */
};

struct response {
	int status;
	const char *type; /* a constant; application/json unless set */
	char set_cookie[256];
	int retry_after_s;    /* 0: not sent */
	const char *cache;    /* Cache-Control; no-store unless set */
	const char *etag;     /* in its quotes; NULL: not sent */
	const char *encoding; /* Content-Encoding; NULL: none */
	bool varies;          /* it would be another for another Accept-Encoding */
	struct buf body;
	char log[512]; /* for the operator, not the client; "" nothing */
};

/* The reason phrase of a status that we send. */
const char *http_reason(int status);

/*
 * Adds the parameter 'name=value', percent-decoded. ERR_DATA: too long, too many, not
 * UTF-8, or a zero byte.
 */
int http_add_query(struct request *r, struct str fragment, struct err *err);
/* Copies the value of a cookie. Returns false when it is not there or does not fit. */
bool http_cookie(const struct request *r, const char *name, char *value, size_t size);

/* Does the client take this content coding ("gzip")? It must say so (RFC 9110, 12.5.3).
 */
bool http_accepts(const struct request *r, const char *coding);

/* Sets status and the body {"detail": "…"}. Returns the status. */
int http_refuse(struct response *r, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
