/* Commands to a simulation while it runs, over a ZeroMQ REP socket. */
#include "simulate.h"

#include "base/now.h"
#include "site/command.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <zmq.h>

enum { COMMAND_MAX = 65536, LOOK_EVERY_MS = 100 };

struct control {
	void *context, *socket;
	bool stopped, live; /* not live: history is being made */
	char text[COMMAND_MAX];
};

struct control *control_open(const char *endpoint, struct err *err)
{
	struct control *c = calloc(1, sizeof(*c));
	const int no_linger = 0;
	if (!c) {
		err_nomem(err);
		return NULL;
	}
	c->context = zmq_ctx_new();
	c->socket = c->context ? zmq_socket(c->context, ZMQ_REP) : NULL;
	if (!c->socket ||
		zmq_setsockopt(c->socket, ZMQ_LINGER, &no_linger, sizeof(no_linger)) <
			0 ||
		zmq_bind(c->socket, endpoint) < 0) {
		err_set(err, ERR_IO, "--control: cannot listen at '%s': %s", endpoint,
			zmq_strerror(errno));
		control_close(c);
		return NULL;
	}
	return c;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	if (c->socket)
		zmq_close(c->socket);
	if (c->context)
		zmq_ctx_term(c->context);
	free(c);
}

static json_t *time_text(int64_t ts)
{
	char text[TIME_TEXT_SIZE];
	return ts == TIME_NIL ? json_null() : json_string(time_format(ts, text));
}

/* Every part has the same scenarios, and the same time. */
static const struct plant *any_plant(const struct simulation *s)
{
	return s->parts[0].plant;
}

static json_t *status(const struct simulation *s, const struct control *c)
{
	json_int_t strings = 0, batteries = 0;
	for (int k = 0; k < s->nparts; k++) {
		const struct plant *p = s->parts[k].plant;
		strings += p->nstrings;
		for (int64_t i = 0; i < p->nstrings; i++)
			batteries += jars_wanted(p, &p->strings[i]);
	}
	return json_pack("{s:b,s:b,s:b,s:o,s:I,s:I,s:I}", "ok", 1, "running",
		!c->stopped, "live", c->live, "now", time_text(any_plant(s)->now),
		"strings", strings, "batteries", batteries, "scenarios",
		(json_int_t)stage_count(any_plant(s)));
}

/* Where its value is now: before it has begun, where it will begin. */
static double level_now(const struct simulation *s, const struct stage_entry *e)
{
	return e->begun ? stage_level(e, any_plant(s)->now) : e->from;
}

static json_t *describe(const struct simulation *s, const struct stage_entry *e)
{
	return json_pack("{s:i,s:s,s:s,s:o,s:o,s:f,s:f,s:f,s:b}", "id", e->id,
		"scenario", scenario_name(e->scenario.kind), "target",
		e->scenario.target, "start", time_text(e->begin), "end",
		time_text(e->end), "value", e->scenario.value, "level", level_now(s, e),
		"rate", e->scenario.rate, "active", e->begun);
}

static json_t *list(const struct simulation *s)
{
	json_t *known = json_array(), *planned = json_array();
	for (int k = 0; k < SCENARIO_KINDS; k++)
		json_array_append_new(
			known, json_string(scenario_name((enum scenario_kind)k)));
	for (size_t i = 0; i < any_plant(s)->stage.n; i++) {
		const struct stage_entry *e = &any_plant(s)->stage.v[i];
		if (!e->over)
			json_array_append_new(planned, describe(s, e));
	}
	return json_pack(
		"{s:b,s:o,s:o}", "ok", 1, "known", known, "scenarios", planned);
}

static json_t *refuse(const struct err *err)
{
	json_t *r = json_pack("{s:b,s:s}", "ok", 0, "error", err->msg);
	return r ? r : json_pack("{s:b,s:s}", "ok", 0, "error", "not UTF-8");
}

static json_t *apply(struct simulation *s, const struct command *c)
{
	struct err err = {0};
	int id = scenarios_add(s, &c->scenario, any_plant(s)->now, false, &err);
	return id < 0 ? refuse(&err) : json_pack("{s:b,s:i}", "ok", 1, "id", id);
}

/* What was set before on the same targets makes way. Returns where it has brought the
 * value. */
static double make_way(struct simulation *s, const struct scenario *setting)
{
	const struct plant *p = any_plant(s);
	double level = scenario_neutral(setting->kind);
	for (size_t i = 0; i < p->stage.n; i++) {
		const struct stage_entry *e = &p->stage.v[i];
		if (e->over || e->scenario.kind != setting->kind ||
			strcmp(e->scenario.target, setting->target) != 0)
			continue;
		level = level_now(s, e);
		scenarios_clear(s, e->id);
	}
	return level;
}

/* The value goes on from where it is. */
static json_t *set(struct simulation *s, const struct command *c)
{
	struct err err = {0};
	double level = make_way(s, &c->scenario);
	int id = scenarios_add(s, &c->scenario, any_plant(s)->now, false, &err);
	if (id < 0)
		return refuse(&err);
	scenarios_turn(s, id, level, c->scenario.rate);
	return json_pack("{s:b,s:i}", "ok", 1, "id", id);
}

static json_t *set_rate(struct simulation *s, const struct command *c)
{
	struct err err = {0};
	const struct stage_entry *e = stage_find(any_plant(s), c->id);
	if (e && scenarios_turn(s, c->id, level_now(s, e), c->rate))
		return json_pack("{s:b,s:i}", "ok", 1, "id", c->id);
	err_set(&err, ERR_USAGE, "no scenario has the id %d", c->id);
	return refuse(&err);
}

static json_t *clear(struct simulation *s, int id)
{
	struct err err = {0};
	int cleared = 0;
	const struct stage *stage = &any_plant(s)->stage;
	for (size_t i = 0; i < stage->n; i++)
		if (id == 0 || stage->v[i].id == id)
			cleared += scenarios_clear(s, stage->v[i].id);
	if (id && !cleared) {
		err_set(&err, ERR_USAGE, "no scenario has the id %d", id);
		return refuse(&err);
	}
	return json_pack("{s:b,s:i}", "ok", 1, "cleared", cleared);
}

static json_t *obey(struct simulation *s, struct control *c, size_t n)
{
	struct command command;
	struct err err = {0};

	if (command_parse(c->text, n, &command, &err) < 0)
		return refuse(&err);
	if (!c->live && command.verb != COMMAND_STATUS &&
		command.verb != COMMAND_LIST) {
		err_set(&err, ERR_USAGE,
			"history is still being made: ask again later");
		return refuse(&err);
	}
	switch (command.verb) {
	case COMMAND_START:
	case COMMAND_STOP:
		c->stopped = command.verb == COMMAND_STOP;
		return status(s, c);
	case COMMAND_STATUS:
		return status(s, c);
	case COMMAND_LIST:
		return list(s);
	case COMMAND_SET:
		return set(s, &command);
	case COMMAND_RATE:
		return set_rate(s, &command);
	case COMMAND_APPLY:
		return apply(s, &command);
	case COMMAND_CLEAR:
		return clear(s, command.id);
	}
	return refuse(&err);
}

static bool more_parts(void *socket)
{
	int more = 0;
	size_t size = sizeof(more);
	return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more;
}

/* One command, if one is there. */
static bool answer(struct simulation *s, struct control *c)
{
	int n = zmq_recv(c->socket, c->text, sizeof(c->text), ZMQ_DONTWAIT);
	if (n < 0)
		return false;
	struct err bad = {.msg = "longer than 64 KiB"};
	bool parts = false;
	while (more_parts(c->socket)) {
		char rest[1];
		zmq_recv(c->socket, rest, sizeof(rest), 0);
		parts = true;
	}
	if (parts)
		err_set(&bad, ERR_USAGE, "in several parts");
	json_t *reply = n > COMMAND_MAX || parts ? refuse(&bad) : obey(s, c, (size_t)n);
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	const char *sent = text ? text : "{\"ok\":false,\"error\":\"out of memory\"}";
	zmq_send(c->socket, sent, strlen(sent), 0);
	free(text);
	json_decref(reply);
	return true;
}

bool control_waits(const struct control *c)
{
	int events = 0;
	size_t size = sizeof(events);
	return zmq_getsockopt(c->socket, ZMQ_EVENTS, &events, &size) == 0 &&
	       (events & ZMQ_POLLIN);
}

void control_answer(struct simulation *s, struct control *c)
{
	c->live = false;
	while (answer(s, c))
		;
}

bool control_wait(struct simulation *s, struct control *c, int64_t due)
{
	int64_t before = now_wall_ms();
	c->live = true;
	while (!flow_interrupted(s->flow)) {
		while (answer(s, c))
			;
		int64_t now = now_wall_ms();
		if (c->stopped) {
			s->stopped_ms += now - before;
			due += now - before;
		}
		before = now;
		int64_t left = due - now;
		if (left <= 0 && !c->stopped)
			return true;
		zmq_pollitem_t item = {.socket = c->socket, .events = ZMQ_POLLIN};
		bool brief = left > 0 && left < LOOK_EVERY_MS && !c->stopped;
		zmq_poll(&item, 1, brief ? left : LOOK_EVERY_MS);
	}
	return false;
}
