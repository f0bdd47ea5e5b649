/*
 * The interface as a table: every call with its path, who may use it, its parameters
 * and what it does. The server serves the table, openapi.json is printed from it, the
 * tests go through it: none of them can know a call that the others do not.
 */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include "report/monthly.h"
#include "web/account.h"
#include "web/http.h"
#include "web/limit.h"
#include "web/session.h"

#include <jansson.h>

#define API_BASE "/api/v1"

enum {
	PARAMS_MAX = 12, /* parameters of one call */
	LIMIT_MAX = 1000,
};

enum param_type {
	PARAM_TEXT,
	PARAM_INT,
	PARAM_TIME,
	PARAM_DURATION, /* as "15m"; the value is ms */
	PARAM_BOOL,
	PARAM_WORD,
	PARAM_NUMBER, /* bodies only, as the next: c->body has the value */
	PARAM_LIST,
	PARAM_OBJECT,
};

/* A parameter of the query, or a member of the JSON body. */
struct param {
	const char *name;
	enum param_type type;
	const char *doc;
	bool needed;
	double min, max;    /* PARAM_INT; PARAM_TEXT: least and most bytes (0: 256);
			       PARAM_LIST: items */
	const char *words;  /* PARAM_WORD: "a|b|c" */
	const char *preset; /* the value when it is not given; NULL: none */
};

/* What a {…} of a path names, and with it which site must be the user's to see. */
enum scope {
	SCOPE_NONE,
	SCOPE_SITE,
	SCOPE_CODE,
	SCOPE_DEVICE /* no user calls, but a device, with a token of its own */
};

struct route;

/* What all calls share. */
struct service {
	struct token_key key;
	struct limit *limit;     /* of log-ins */
	bool secure_cookies;     /* the page comes by https */
	struct meter *meter;     /* of answers; NULL: they are not counted */
	struct hub *hub;         /* of the live feed; NULL: there is none */
	struct courier *courier; /* into the live pipeline; NULL: there is none */
	const struct route *routes;
	size_t nroutes;
	struct simulations *simulations; /* NULL: there are none */
	const char *models;              /* the model registry's folder, or NULL */
	const char *dataset;             /* whose quality is reported, or NULL */
	struct prices prices; /* of the monthly report; currency "": not known */
};

/* One call on its way. */
struct call {
	const struct service *service;
	const struct route *route;
	const struct request *req;
	struct response *res;
	struct buf *out; /* the answer's body, JSON */
	struct db *db;
	int64_t now;
	struct account account; /* who calls; role ROLE_NONE: nobody */
	int64_t session;
	char id[128];                  /* the {…} of the path */
	const char *value[PARAMS_MAX]; /* of the route's parameters, checked, or NULL */
	char number[PARAMS_MAX][24];   /* where a value had to be rewritten */
	json_t *body;
	bool raw; /* a device posts a stream: the body is in req */
};

/* Returns the status; -1 with err: ERR_DATA is 422, ERR_IO 503. */
typedef int handler_fn(struct call *c, struct err *err);

struct route {
	enum method method;
	const char *path; /* below API_BASE; "/locations/{id}/batteries" */
	enum role least;  /* ROLE_NONE: anybody */
	enum scope scope;
	handler_fn *fn;
	const char *summary;
	const struct param *params; /* ends with a NULL name; may be NULL */
	const char *answers; /* what it gives when all is well, and its own refusals:
				"201 409"; "200:text/csv" where that is no JSON */
	bool alone;          /* answers without the database and who calls */
};

/*
 * Answers a request: finds the route, checks who calls, role, site, parameters and
 * body, and runs it. Whatever happens, res holds an answer. Paths outside API_BASE are
 * not for it (404).
 */
void api_serve(const struct service *s, struct db *db, const struct request *req,
	int64_t now, struct response *res);

/* What the call is that a request asks for, by its head. */
struct needs api_needs(const struct service *s, const struct request *req);

/* The checked value of a parameter of the call's route, or its preset, or NULL. */
const char *call_value(const struct call *c, const char *name);
/* The same as a number; 0 when there is none. */
int64_t call_int(const struct call *c, const char *name);

/* The array of a PARAM_LIST or the member that is a PARAM_OBJECT, or NULL when it was
 * not given. The call's. */
const json_t *call_json(const struct call *c, const char *name);
/* May the caller see the site of this code? */
bool call_sees(const struct call *c, const char *code);

/* The sites the caller may see, as a parameter for SEES: NULL is all. */
const char *call_sites(const struct call *c);

/* SQL: may the caller see what the row 'x' is about, by its columns run and subject: a
 * site or something in one? */
#define ABOUT_SEEN(x, p)                                                               \
	"(CAST(" p                                                                     \
	" AS text) IS NULL OR EXISTS (SELECT 1 FROM site s WHERE s.run = " x           \
	".run AND (" x ".subject = s.code OR " x                                       \
	".subject LIKE s.code || '-%') AND " SEES("s.code", p) "))"

#endif
