/*
 * Decisions of people: kept in the database in one transaction with the audit log, then
 * told to the live pipeline (courier.h). The pipeline being away loses nothing: it is
 * told when it comes back.
 */
#ifndef WEB_DECIDE_H
#define WEB_DECIDE_H

#include "web/api.h"

/* SQL: what the last such decision about an alert or incident says. */
#define DECIDED(what, action, run, id)                                                 \
	"(SELECT k." what " FROM alert_action k WHERE k.run = " run                    \
	" AND k.subject_id = " id " AND k.action = '" action                           \
	"' ORDER BY k.ts DESC LIMIT 1)"

struct decision {
	const char *action; /* a word of alert_verb */
	const char *id;     /* of the alert or incident */
	const char *until;  /* ms as text, or NULL */
	const char *note;   /* or NULL; of 'assign': to whom */
};

/*
 * Writes down that the caller decided this about an alert or incident of production,
 * now. For inside a transaction. 0, or -1 with ERR_IO.
 */
int decide(struct call *c, const struct decision *d, struct err *err);
/* Tells the pipeline the decisions the caller made by this call. */
void tell_decisions(struct call *c, const char *id);
/* Tells it the rows of a query whose columns are the fields of the kind. */
void tell_rows(struct call *c, int kind, const struct db_query *q);

/* Writes the alert of the path, of that run, as the caller sees it. 200, 404 or -1. */
int alert_of(struct call *c, const char *run, struct err *err);
/* Writes the alerts of the incident of the path as an array. 0 or -1. */
int alerts_of_incident(struct call *c, const char *run, struct err *err);

/* The number of the production run, as SQL. */
#define PRODUCTION "(SELECT id FROM run WHERE name = '')"

/* Whether production has this battery, string, system or site, and the caller may see
 * it. 200; 422 naming the parameter 'subject'; -1. */
int check_subject(struct call *c, const char *subject, struct err *err);

#endif
