/* Simulations: drills beside the fleet, seen by nobody who does not ask for their run.
 */
#include "web/api.h"
#include "web/audit.h"
#include "web/cell.h"
#include "web/emit.h"
#include "web/simulation.h"

static const char *const STATES[] = {"starting", "running", "stopping", "failed"};

const struct param SIMULATION_PARAMS[] = {
	{"location", PARAM_TEXT, "the site, which must be one of the fleet", true, 1,
		CODE_MAX, NULL, NULL},
	{"scenario", PARAM_TEXT, "what happens, see /scenarios; nothing if absent",
		false, 1, 31, NULL, NULL},
	{"parameters", PARAM_OBJECT, "numbers, of those the scenario has", false, 0, 0,
		NULL, NULL},
	{"speed", PARAM_INT, "its clock goes so many times as fast", false, 1,
		SPEED_MAX, NULL, "600"},
	{0}};

#define SIMULATION_ID                                                                  \
	{                                                                              \
		"id", PARAM_INT, "the simulation", true, 1, INT32_MAX, NULL, NULL      \
	}

const struct param SIMULATION_ID_PARAMS[] = {SIMULATION_ID, {0}};

const struct param APPLY_PARAMS[] = {SIMULATION_ID,
	{"scenario", PARAM_TEXT, "what happens, see /scenarios", true, 1, 31, NULL,
		NULL},
	{"target", PARAM_TEXT,
		"codes of the simulation's site, systems, strings or batteries, commas "
		"between; the site if absent",
		false, 1, SCENARIO_TARGET_MAX - 1, NULL, NULL},
	{"parameters", PARAM_OBJECT, "numbers, of those the scenario has", false, 0, 0,
		NULL, NULL},
	{0}};

const struct param CLEAR_PARAMS[] = {SIMULATION_ID,
	{"scenario", PARAM_TEXT, "end this one only", false, 1, 31, NULL, NULL}, {0}};

static void put_text(struct buf *b, const char *name, const char *text)
{
	emit_name(b, name);
	emit_text(b, *text ? text : NULL);
}

static void put_simulation(struct buf *b, const struct simulation *v)
{
	emit_open(b, '{');
	emit_name(b, "id");
	emit_int(b, v->id);
	put_text(b, "run", v->run);
	put_text(b, "location", v->site);
	put_text(b, "scenario", v->scenario);
	emit_name(b, "parameters");
	buf_puts(b, v->parameters);
	emit_name(b, "speed");
	emit_int(b, v->speed);
	put_text(b, "started_by", v->started_by);
	emit_name(b, "started");
	emit_time(b, v->started);
	emit_name(b, "clock");
	emit_time(b, v->clock == TIME_NIL ? v->started : v->clock);
	emit_name(b, "live");
	emit_bool(b, v->live);
	put_text(b, "state", STATES[v->state]);
	put_text(b, "message", v->message);
	emit_close(b, '}');
}

static int none_here(struct call *c)
{
	return http_refuse(c->res, 409, "this bridge runs no simulations");
}

static int no_simulation(struct call *c)
{
	return http_refuse(c->res, 404, "no simulation '%s'", call_value(c, "id"));
}

/* The simulation a call is about, if the caller may see its site: 200, or a refusal. */
static int find(struct call *c, struct simulation *v)
{
	if (!c->service->simulations)
		return none_here(c);
	if (!simulations_get(c->service->simulations, call_int(c, "id"), v) ||
		!account_sees(&c->account, v->site))
		return no_simulation(c);
	return 200;
}

int api_simulation_status(struct call *c, struct err *err)
{
	struct simulation v[SIMULATIONS_MAX];
	int n = c->service->simulations ? simulations_all(c->service->simulations, v)
					: 0;
	int64_t seen = 0;
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	for (int i = 0; i < n; i++) {
		if (!account_sees(&c->account, v[i].site))
			continue;
		put_simulation(c->out, &v[i]);
		seen++;
	}
	emit_close(c->out, ']');
	emit_name(c->out, "total");
	emit_int(c->out, seen);
	emit_close(c->out, '}');
	return 200;
}

static void put_real(struct buf *b, const char *name, double v)
{
	emit_name(b, name);
	buf_printf(b, "%.10g", v);
}

static void put_parameter(struct buf *b, const struct drill_parameter *p)
{
	emit_open(b, '{');
	put_text(b, "name", p->name);
	put_text(b, "unit", p->unit);
	put_real(b, "min", p->min);
	put_real(b, "max", p->max);
	put_real(b, "preset", p->preset);
	put_text(b, "doc", p->doc);
	emit_close(b, '}');
}

static void put_scenario(struct buf *b, enum scenario_kind kind)
{
	struct drill_parameter p[DRILL_PARAMETERS];
	int n = drill_parameters(kind, p);
	emit_open(b, '{');
	put_text(b, "name", scenario_name(kind));
	put_text(b, "title", drill_title(kind));
	emit_name(b, "targets");
	buf_puts(b, "[\"site\",\"system\",\"string\",\"battery\"]");
	emit_name(b, "parameters");
	emit_open(b, '[');
	for (int i = 0; i < n; i++)
		put_parameter(b, &p[i]);
	emit_close(b, ']');
	emit_close(b, '}');
}

int api_scenarios(struct call *c, struct err *err)
{
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	for (int k = 0; k < SCENARIO_KINDS; k++)
		put_scenario(c->out, (enum scenario_kind)k);
	emit_close(c->out, ']');
	emit_name(c->out, "total");
	emit_int(c->out, SCENARIO_KINDS);
	emit_close(c->out, '}');
	return 200;
}

static int audit(struct call *c, const char *action, const struct simulation *v,
	const char *details, struct err *err)
{
	return audit_write(c->db,
		&(struct audit){c->now, c->account.username, action, v->run, details,
			c->req->address},
		err);
}

static int take_one(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_int(cells[0]);
	return 0;
}

/* Is the site there for the caller? 200, 404 or -1. */
static int check_site(struct call *c, const char *site, struct err *err)
{
	int64_t n = 0;
	if (db_select(c->db,
		    DB_QUERY("SELECT count(*) FROM site s JOIN run r ON r.id = s.run "
			     "WHERE r.name = '' AND s.code = $1",
			    site),
		    take_one, &n, err) < 0)
		return -1;
	return n > 0 && account_sees(&c->account, site)
		       ? 200
		       : http_refuse(c->res, 404, "no '%s'", site);
}

/* The order a call gives, of a site that is there. 200, or a refusal. */
static int take_order(struct call *c, struct simulation *v, struct err *err)
{
	const char *scenario = call_value(c, "scenario");
	const json_t *parameters = call_json(c, "parameters");
	*v = (struct simulation){.speed = call_int(c, "speed"), .started = c->now};
	str_copy(v->site, sizeof(v->site), str_of(call_value(c, "location")));
	str_copy(v->scenario, sizeof(v->scenario), str_of(scenario ? scenario : ""));
	str_copy(v->started_by, sizeof(v->started_by), str_of(c->account.username));
	str_copy(v->parameters, sizeof(v->parameters), str_of("{}"));
	char *text = parameters ? json_dumps(parameters, JSON_COMPACT) : NULL;
	bool fits =
		!text || str_copy(v->parameters, sizeof(v->parameters), str_of(text));
	free(text);
	return fits ? 200 : err_set(err, ERR_DATA, "there are too many parameters");
}

static int start(struct call *c, struct simulation *v, struct err *err)
{
	json_t *commands[DRILL_MEMBERS];
	int n = *v->scenario ? drill_commands(v->scenario, v->site,
				       call_json(c, "parameters"), commands, err)
			     : 0;
	if (n < 0)
		return -1;
	int status =
		simulations_start(c->service->simulations, c->db, v, commands, n, err);
	for (int i = 0; i < n; i++)
		json_decref(commands[i]);
	if (status == 409)
		return http_refuse(c->res, 409,
			"there are %d simulations already: stop one first",
			SIMULATIONS_MAX);
	return status;
}

int api_simulation_start(struct call *c, struct err *err)
{
	struct simulation v;
	if (!c->service->simulations)
		return none_here(c);
	int status = check_site(c, call_value(c, "location"), err);
	if (status == 200)
		status = take_order(c, &v, err);
	if (status == 200)
		status = start(c, &v, err);
	if (status != 201)
		return status;
	if (audit(c, "simulation.start", &v, v.scenario, err) < 0)
		return -1;
	put_simulation(c->out, &v);
	return 201;
}

int api_simulation_stop(struct call *c, struct err *err)
{
	struct simulation v;
	int status = find(c, &v);
	if (status != 200)
		return status;
	status = simulations_stop(c->service->simulations, c->db, v.id, c->now, err);
	if (status == 404)
		return no_simulation(c);
	if (status < 0 || audit(c, "simulation.stop", &v, NULL, err) < 0)
		return -1;
	buf_printf(c->out, "{\"id\":%lld,\"purged\":true}", (long long)v.id);
	return 200;
}

/* Sends a command; 200 when it was obeyed, or a refusal. *answer is the caller's. */
static int ask(struct call *c, const struct simulation *v, const json_t *command,
	json_t **answer)
{
	*answer = simulations_ask(c->service->simulations, v->id, command);
	if (!*answer)
		return http_refuse(c->res, 409, "the simulation does not answer");
	if (json_is_true(json_object_get(*answer, "ok")))
		return 200;
	const char *why = json_string_value(json_object_get(*answer, "error"));
	return http_refuse(c->res, v->live ? 422 : 409, "%s",
		why ? why : "the simulation refuses it");
}

static int tell(struct call *c, const struct simulation *v, const json_t *command)
{
	json_t *answer;
	int status = ask(c, v, command, &answer);
	json_decref(answer);
	return status;
}

/* What was done, and how the simulation stands after it. */
static int done(struct call *c, const struct simulation *v, const char *action,
	const char *details, struct err *err)
{
	struct simulation now = *v;
	if (audit(c, action, v, details, err) < 0)
		return -1;
	simulations_get(c->service->simulations, v->id, &now);
	put_simulation(c->out, &now);
	return 200;
}

int api_scenarios_apply(struct call *c, struct err *err)
{
	json_t *commands[DRILL_MEMBERS];
	struct simulation v;
	const char *target = call_value(c, "target");
	int status = find(c, &v);
	if (status != 200)
		return status;
	int n = drill_commands(call_value(c, "scenario"), target ? target : v.site,
		call_json(c, "parameters"), commands, err);
	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		status = status == 200 ? tell(c, &v, commands[i]) : status;
		json_decref(commands[i]);
	}
	return status == 200
		       ? done(c, &v, "simulation.apply", call_value(c, "scenario"), err)
		       : status;
}

/* Ends those planned or under way of that name, or all. */
static int clear_named(struct call *c, const struct simulation *v, const char *name)
{
	size_t i;
	json_t *list = json_pack("{s:s}", "command", "list"), *answer, *e;
	int status = ask(c, v, list, &answer);
	json_array_foreach(json_object_get(answer, "scenarios"), i, e)
	{
		const char *of = json_string_value(json_object_get(e, "scenario"));
		if (status != 200 || !of || strcmp(of, name) != 0)
			continue;
		json_t *clear = json_pack("{s:s,s:O}", "command", "clear", "id",
			json_object_get(e, "id"));
		status = tell(c, v, clear);
		json_decref(clear);
	}
	json_decref(answer);
	json_decref(list);
	return status;
}

static int clear_all(struct call *c, const struct simulation *v)
{
	json_t *clear = json_pack("{s:s}", "command", "clear");
	int status = tell(c, v, clear);
	json_decref(clear);
	return status;
}

int api_scenarios_clear(struct call *c, struct err *err)
{
	struct simulation v;
	const char *name = call_value(c, "scenario");
	int status = find(c, &v);
	if (status == 200)
		status = name ? clear_named(c, &v, name) : clear_all(c, &v);
	return status == 200 ? done(c, &v, "simulation.clear", name, err) : status;
}
