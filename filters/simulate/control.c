/* Commands to a simulation while it runs, over a ZeroMQ REP socket. */
#include "simulate.h"

#include "site/command.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <zmq.h>

enum { COMMAND_MAX = 65536, LOOK_EVERY_MS = 100 };

struct control {
	void *context, *socket;
	bool stopped;
	int64_t stopped_ms; /* in all: how far the run is behind the clock */
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
	return json_pack("{s:b,s:b,s:o,s:I,s:I,s:I}", "ok", 1, "running", !c->stopped,
		"now", time_text(any_plant(s)->now), "strings", strings, "batteries",
		batteries, "scenarios", (json_int_t)any_plant(s)->stage.n);
}

static json_t *list(const struct simulation *s)
{
	json_t *known = json_array(), *planned = json_array();
	for (int k = 0; k < SCENARIO_KINDS; k++)
		json_array_append_new(
			known, json_string(scenario_name((enum scenario_kind)k)));
	for (size_t i = 0; i < any_plant(s)->stage.n; i++) {
		const struct stage_entry *e = &any_plant(s)->stage.v[i];
		json_array_append_new(planned,
			json_pack("{s:i,s:s,s:s,s:o,s:o,s:f,s:f,s:b}", "id", e->id,
				"scenario", scenario_name(e->scenario.kind), "target",
				e->scenario.target, "start", time_text(e->begin), "end",
				time_text(e->end), "value", e->scenario.value, "rate",
				e->scenario.rate, "active", e->begun));
	}
	return json_pack(
		"{s:b,s:o,s:o}", "ok", 1, "known", known, "scenarios", planned);
}

static json_t *refuse(const struct err *err)
{
	json_t *r = json_pack("{s:b,s:s}", "ok", 0, "error", err->msg);
	return r ? r : json_pack("{s:b,s:s}", "ok", 0, "error", "not UTF-8");
}

/* What was set before on the same targets makes way. */
static void replace_setting(struct simulation *s, const struct scenario *setting)
{
	const struct stage *stage = &any_plant(s)->stage;
	for (size_t i = 0; i < stage->n; i++)
		if (stage->v[i].scenario.kind == setting->kind &&
			strcmp(stage->v[i].scenario.target, setting->target) == 0)
			scenarios_clear(s, stage->v[i].id);
}

static json_t *apply(struct simulation *s, const struct command *c)
{
	struct err err = {0};
	int id = scenarios_add(s, &c->scenario, any_plant(s)->now, false, &err);
	return id < 0 ? refuse(&err) : json_pack("{s:b,s:i}", "ok", 1, "id", id);
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
		replace_setting(s, &command.scenario);
		return apply(s, &command);
	case COMMAND_APPLY:
		return apply(s, &command);
	case COMMAND_CLEAR:
		return clear(s, command.id);
	case COMMAND_VERBS:
		break;
	}
	return refuse(&err);
}

/* One command, if one is there. */
static bool answer(struct simulation *s, struct control *c)
{
	int n = zmq_recv(c->socket, c->text, sizeof(c->text), ZMQ_DONTWAIT);
	if (n < 0)
		return false;
	struct err long_one = {.msg = "longer than 64 KiB"};
	json_t *reply = n > COMMAND_MAX ? refuse(&long_one) : obey(s, c, (size_t)n);
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	const char *sent = text ? text : "{\"ok\":false,\"error\":\"out of memory\"}";
	zmq_send(c->socket, sent, strlen(sent), 0);
	free(text);
	json_decref(reply);
	return true;
}

bool control_wait(struct simulation *s, struct control *c, int64_t due)
{
	int64_t before = clock_ms();
	while (!flow_interrupted(s->flow)) {
		while (answer(s, c))
			;
		int64_t now = clock_ms();
		if (c->stopped)
			c->stopped_ms += now - before;
		before = now;
		int64_t left = due + c->stopped_ms - now;
		if (left <= 0 && !c->stopped)
			return true;
		zmq_pollitem_t item = {.socket = c->socket, .events = ZMQ_POLLIN};
		bool brief = left > 0 && left < LOOK_EVERY_MS && !c->stopped;
		zmq_poll(&item, 1, brief ? left : LOOK_EVERY_MS);
	}
	return false;
}
