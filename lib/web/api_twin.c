/* What would become of a battery: its twin run forward under a profile of load. */
#include "estimate/whatif.h"
#include "record/text.h"
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

#include <math.h>

enum { PARTS_MOST = 200, POINTS = 240 };
static const double MINUTES_MOST = 10080, LOAD_MOST_A = 10000;

const struct param SIMULATE_PARAMS[] = {RUN_PARAM,
	{"battery", PARAM_TEXT, "its code", true, 1, 127, NULL, NULL},
	{"profile", PARAM_LIST,
		"parts, one after the other: {minutes, load_a (or current_a, below 0), "
		"temperature_c (of the room)}; a week at most",
		true, 1, PARTS_MOST, NULL, NULL},
	{0}};

struct start {
	int64_t ts;
	bool there;
	char model[CODE_MAX + 1];
	struct whatif_state state;
};

static double real(const char *cell, double otherwise)
{
	return cell ? strtod(cell, NULL) : otherwise;
}

static int take_start(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct start *s = ctx;
	s->there = true;
	s->ts = cell_time(cells[0]);
	str_copy(s->model, sizeof(s->model), str_of(cell_text(cells[1])));
	s->state = (struct whatif_state){real(cells[2], 100) / 100,
		real(cells[3], 0) / 100, real(cells[4], NAN), real(cells[5], 0),
		real(cells[6], NAN), real(cells[7], 0), real(cells[8], 25)};
	return 0;
}

static int read_start(
	struct call *c, const char *battery, struct start *s, struct err *err)
{
	return db_select(c->db,
		DB_QUERY("SELECT p.ts, b.model, p.soc_pct, p.soc_std_pct, "
			 "p.capacity_ah, p.capacity_std_ah, p.r0_mohm, p.r0_std_mohm, "
			 "t.temperature_c FROM battery b JOIN run r ON r.id = b.run "
			 "LEFT JOIN twin_state_latest p ON p.run = b.run AND p.battery "
			 "= b.id LEFT JOIN telemetry_latest t ON t.run = b.run AND "
			 "t.battery = b.id WHERE r.name = $1 AND b.code = $2",
			call_value(c, "run"), battery),
		take_start, s, err);
}

/* A number of a part: true when there is none or it lies within. */
static bool number_of(
	const json_t *part, const char *name, double min, double max, double *v)
{
	const json_t *j = json_object_get(part, name);
	if (!j || json_is_null(j))
		return true;
	*v = json_number_value(j);
	return json_is_number(j) && *v >= min && *v <= max;
}

static bool knows_members(const json_t *part)
{
	static const char *const NAMES[] = {
		"minutes", "load_a", "current_a", "temperature_c"};
	size_t known = 0;
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++)
		known += json_object_get(part, NAMES[i]) != NULL;
	return known == json_object_size(part);
}

static bool read_part(const json_t *j, struct whatif_part *p)
{
	double load = NAN, current = NAN;
	*p = (struct whatif_part){NAN, 0, NAN};
	if (!json_is_object(j) || !knows_members(j) ||
		!number_of(j, "minutes", 0.01, MINUTES_MOST, &p->minutes) ||
		!number_of(j, "load_a", 0, LOAD_MOST_A, &load) ||
		!number_of(j, "current_a", -LOAD_MOST_A, 0, &current) ||
		!number_of(j, "temperature_c", -40, 80, &p->room_c))
		return false;
	p->load_a = !isnan(load) ? load : !isnan(current) ? -current : 0;
	return !isnan(p->minutes) && (isnan(load) || isnan(current));
}

static int read_profile(struct call *c, struct whatif_part *parts, size_t *n,
	double *minutes, struct err *err)
{
	const json_t *list = call_json(c, "profile");
	*n = json_array_size(list);
	*minutes = 0;
	for (size_t i = 0; i < *n; i++) {
		if (!read_part(json_array_get(list, i), &parts[i]))
			return err_set(err, ERR_DATA,
				"part %zu of 'profile' is not {minutes, load_a or "
				"current_a below 0, temperature_c}",
				i + 1);
		*minutes += parts[i].minutes;
	}
	if (*minutes > MINUTES_MOST)
		return err_set(err, ERR_DATA, "the profile is longer than a week");
	return 0;
}

static void put_real(struct buf *b, const char *name, double v)
{
	emit_name(b, name);
	text_f32((float)v, b);
}

static void put_point(void *ctx, const struct whatif_point *p)
{
	struct buf *b = ctx;
	emit_open(b, '{');
	put_real(b, "minute", p->minute);
	put_real(b, "soc_pct", 100 * p->soc);
	put_real(b, "voltage_v", p->voltage_v);
	put_real(b, "temperature_c", p->temperature_c);
	emit_close(b, '}');
}

static int simulate(struct call *c, const char *battery, const struct start *s,
	const struct battery_model *m, struct err *err)
{
	struct whatif_part parts[PARTS_MOST];
	struct whatif out;
	size_t n;
	double minutes;
	if (read_profile(c, parts, &n, &minutes, err) < 0)
		return -1;
	emit_open(c->out, '{');
	emit_name(c->out, "battery");
	emit_text(c->out, battery);
	emit_name(c->out, "from_ts");
	emit_time(c->out, s->ts);
	put_real(c->out, "cutoff_v", m->cutoff_v);
	emit_name(c->out, "points");
	emit_open(c->out, '[');
	whatif_run(m, &s->state, parts, n, minutes / POINTS, put_point, c->out, &out);
	emit_close(c->out, ']');
	put_real(c->out, "minutes_to_cutoff", out.minutes);
	put_real(c->out, "minutes_lower", out.lower_min);
	put_real(c->out, "minutes_upper", out.upper_min);
	emit_close(c->out, '}');
	return 200;
}

int api_twin_simulate(struct call *c, struct err *err)
{
	const char *battery = call_value(c, "battery");
	struct start s = {.ts = TIME_NIL};
	struct battery_model m;
	struct err why = {0};
	if (call_sees(c, battery) && read_start(c, battery, &s, err) < 0)
		return -1;
	if (!s.there)
		return http_refuse(c->res, 404, "no '%s'", battery);
	if (s.ts == TIME_NIL || isnan(s.state.capacity_ah))
		return http_refuse(
			c->res, 409, "the twin has said nothing of '%s'", battery);
	if (battery_model_named(s.model, &m, &why) < 0) {
		str_copy(c->res->log, sizeof(c->res->log), str_of(why.msg));
		return http_refuse(c->res, 409,
			"there is no battery model '%s' to run '%s' by", s.model,
			battery);
	}
	return simulate(c, battery, &s, &m, err);
}
