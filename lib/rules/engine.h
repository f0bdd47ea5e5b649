/*
 * The alert engine: takes the records of a stream one by one, holds every battery,
 * string and sensor against the rules, and hands back alerts, incidents and status
 * records as they change. Memory: a state of fixed size for each subject and rule. Same
 * records in the same order, same output; it never looks at a clock.
 */
#ifndef RULES_ENGINE_H
#define RULES_ENGINE_H

#include "base/buf.h"
#include "base/err.h"
#include "rules/rule.h"

struct engine_options {
	const char *model;   /* of batteries that name none: schemas/models */
	bool pending;        /* report pending alerts, too */
	bool mute_scenarios; /* what a scenario runs on is as under maintenance */
	/* Takes a record of kind alert, incident or status; its strings live until it
	 * returns. */
	void (*emit)(void *user, int kind, const void *rec);
};

struct rule_count {
	int64_t fired, escalated, suppressed, resolved, open;
};

struct engine;

/* The rules must outlive the engine. Returns NULL with err set: the model is unknown,
 * or out of memory. */
struct engine *engine_new(
	const struct rule_set *rules, const struct engine_options *o, struct err *err);
void engine_free(struct engine *e);

/* Before the first record: names the run, part of every id ("" for production), and
 * what 'emit' is called with. */
void engine_begin(struct engine *e, const char *run, void *user);

/*
 * Other rules from now on; they must outlive the engine as the first ones did, which
 * are free to go. What goes on under a rule's name keeps its alerts, as they are; those
 * of a rule that is no more are resolved. Returns 0, or -1 out of memory (all is as
 * before).
 */
int engine_reload(struct engine *e, const struct rule_set *rules, struct err *err);

/*
 * The state as bytes, and back into an engine that has begun and was fed nothing. The
 * rules of the state may be others: what follows is as after engine_reload. 'identity'
 * must be the same. engine_save returns 0, or -1 out of memory; engine_load 0, or -1
 * with ERR_USAGE (another version, identity) or ERR_IO (damaged).
 */
int engine_save(struct engine *e, const char *identity, struct buf *out);
int engine_load(
	struct engine *e, const char *identity, const struct buf *in, struct err *err);

/* Whether records of that kind matter to it: others need not be decoded. */
bool engine_wants(const struct engine *e, int kind);

/* Takes a decoded record. Returns 0, 1 with err set when it is of no use as it is, or
 * -1 when out of memory. */
int engine_feed(struct engine *e, int kind, const void *rec, struct err *err);

/* After the last record, where nothing goes on another time: tells what was put off. */
void engine_end(struct engine *e);

/* What rule i did until now. */
const struct rule_count *engine_count(const struct engine *e, int rule);
int64_t engine_incidents(const struct engine *e);
/* State of one battery. */
size_t engine_battery_bytes(const struct engine *e);

#endif
