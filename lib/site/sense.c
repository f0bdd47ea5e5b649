#include "site/sense.h"

#include "base/inifile.h"
#include "base/rng.h"

#include <math.h>

#define NUM(f, hi)                                                                     \
	{                                                                              \
		"sensor", #f, INIFILE_F64, true, offsetof(struct sensors, f), 0, hi,   \
			0, 0                                                           \
	}
#define SIZE(f)                                                                        \
	{                                                                              \
		"fault", #f, INIFILE_F64, true, offsetof(struct sensors, f), 0, 1e6,   \
			0, 0                                                           \
	}
#define RATE(of, f, hi)                                                                \
	{                                                                              \
		"fault " #of, #f, INIFILE_F64, true,                                   \
			offsetof(struct sensors, of##_faults.f), 0, hi, 0, 0           \
	}
#define FAULTS(of)                                                                     \
	RATE(of, gap_per_year, 1000), RATE(of, stuck_per_year, 1000),                  \
		RATE(of, offset_per_year, 1000), RATE(of, gap_median_h, 1000),         \
		RATE(of, stuck_median_h, 1000), RATE(of, offset_median_h, 1000),       \
		RATE(of, sigma, 5)

static const struct inifile_key KEYS[] = {
	NUM(voltage_noise_v, 100),
	NUM(voltage_step_v, 100),
	NUM(temperature_noise_k, 100),
	NUM(temperature_step_k, 100),
	NUM(resistance_noise, 1),
	NUM(current_full_scale_a, 1e6),
	NUM(current_noise_fs, 1),
	NUM(current_offset_a, 1e6),
	NUM(float_noise_a, 1000),
	NUM(float_range_a, 1000),
	NUM(string_voltage_noise, 1),
	NUM(room_noise_k, 100),
	NUM(humidity_noise_pct, 100),
	FAULTS(jar),
	FAULTS(string),
	FAULTS(room),
	SIZE(voltage_fault_v),
	SIZE(temperature_fault_k),
	SIZE(current_fault_a),
	SIZE(float_fault_a),
	SIZE(humidity_fault_pct),
	{0},
};

/* Streams of a sensor's own, apart from what its bearer is made of. */
enum { STREAM_NOISE = 0x53454e53, CHANNELS = 8 };

int sensors_load(const char *path, struct sensors *s, struct err *err)
{
	*s = (struct sensors){0};
	return inifile_load(path, KEYS, s, err);
}

static double noise(uint64_t key, int64_t ts, int channel)
{
	return rng_normal(rng_key(key, STREAM_NOISE),
		(uint64_t)ts * CHANNELS + (uint64_t)channel);
}

void sensors_never_fail(struct sensors *s)
{
	s->jar_faults = s->string_faults = s->room_faults = (struct fault_rates){0};
}

/*
 * Puts the fault into the readings v[channels], which have offsets of size[] (one
 * standard deviation). False: the sample is lost.
 */
static bool spoil(const struct fault *f, struct sense_hold *hold, float *const *v,
	const double *size)
{
	float *reading = v[f->channel];
	switch (f->sort) {
	case FAULT_NONE:
		return true;
	case FAULT_GAP:
		return false;
	case FAULT_STUCK:
		if (hold->from != f->from)
			*hold = (struct sense_hold){f->from, *reading};
		*reading = hold->value;
		return true;
	case FAULT_OFFSET:
		*reading += (float)(f->size * size[f->channel]);
		return true;
	}
	return true;
}

/* What a scenario does to one reading. False: the sample is lost. */
static bool force(
	const struct sensor_fault *forced, struct sense_hold *hold, float *reading)
{
	const int64_t FORCED = -1; /* no fault of its own begins then */
	const double one = 1;
	struct fault f = {.sort = forced->sort, .size = forced->offset, .from = FORCED};
	if (f.sort == FAULT_NONE && hold->from == FORCED)
		hold->from = 0;
	return spoil(&f, hold, &reading, &one);
}

static double quantise(double v, double step)
{
	return step > 0 ? round(v / step) * step : v;
}

bool sense_string(const struct sensors *s, const struct plant *p,
	const struct plant_string *string, struct sense_hold *hold,
	struct rec_string_telemetry *out)
{
	uint64_t key = string->key;
	double v = string->series.voltage_v, i = string->series.current_a;
	bool on_load = string->charger.mode == mode_discharge;
	double offset = s->current_offset_a * (2 * rng_uniform(key, 2) - 1);
	double ripple = 0.4 + 0.8 * rng_uniform(key, 3); /* this charger's, A rms [E] */
	int flags = 0;

	if (string->charger.mode == mode_equalize)
		flags |= BIT(string_flags_equalize);
	if (string->generator_test)
		flags |= BIT(string_flags_generator_test);
	if (on_load && !string->testing)
		flags |= BIT(string_flags_transfer);
	double amperes =
		i + offset +
		s->current_noise_fs * s->current_full_scale_a * noise(key, p->now, 0);
	double volts = v * (1 + s->string_voltage_noise * noise(key, p->now, 1));
	double milli = i + s->float_noise_a * noise(key, p->now, 2);
	ripple *= on_load ? 0.1 : 1 + 0.1 * noise(key, p->now, 3);
	*out = (struct rec_string_telemetry){
		.ts = p->now,
		.voltage_v = (float)quantise(volts, 0.01),
		.current_a = (float)quantise(amperes, 0.01),
		.float_current_a = fabs(i) <= s->float_range_a
					   ? (float)quantise(milli, 0.001)
					   : NAN,
		.mode = (int)string->charger.mode,
		.ripple_voltage_rms_v = (float)(0.25 * ripple),
		.ripple_current_rms_a = (float)ripple,
		.flags = flags,
		.power_w = (float)(quantise(volts, 0.01) * quantise(amperes, 0.01)),
		.thd_pct = (float)(3 + 0.2 * noise(key, p->now, 4)),
		.quality = 0,
	};
	struct fault f = fault_at(&s->string_faults, key, 3, p->now);
	float *const readings[] = {
		&out->voltage_v, &out->current_a, &out->float_current_a};
	const double sizes[] = {string->series.n * s->voltage_fault_v,
		s->current_fault_a, s->float_fault_a};
	return spoil(&f, hold, readings, sizes) &&
	       force(&string->sensor, hold, &out->current_a);
}

bool sense_jar(const struct sensors *s, const struct plant *p,
	const struct plant_string *string, int jar, float current_a,
	struct sense_hold *hold, struct rec_telemetry *out)
{
	const struct battery_block *b = &string->blocks[jar];
	uint64_t key = string->jars[jar].key;
	double r = b->r0_mohm * battery_warmth(p->model->r0_per_k, b->temperature_c);

	*out = (struct rec_telemetry){
		.ts = p->now,
		.voltage_v = (float)quantise(
			b->voltage_v + s->voltage_noise_v * noise(key, p->now, 0),
			s->voltage_step_v),
		.current_a = current_a,
		.temperature_c = (float)quantise(
			b->temperature_c +
				s->temperature_noise_k * noise(key, p->now, 1),
			s->temperature_step_k),
		.resistance_mohm =
			(float)(r * (1 + s->resistance_noise * noise(key, p->now, 2))),
		.mode = (int)string->charger.mode,
		.quality = 0,
	};
	struct fault f = fault_at(&s->jar_faults, key, 2, p->now);
	float *const readings[] = {&out->voltage_v, &out->temperature_c};
	const double sizes[] = {s->voltage_fault_v, s->temperature_fault_k};
	return spoil(&f, hold, readings, sizes) &&
	       force(&string->jars[jar].sensor, hold, &out->voltage_v);
}

bool sense_room(const struct sensors *s, const struct plant *p,
	const struct plant_site *site, struct sense_hold *hold,
	struct rec_environment *out)
{
	double t = site->room.temperature_c +
		   s->room_noise_k * noise(site->key, p->now, 0);
	double h = site->room.humidity_pct +
		   s->humidity_noise_pct * noise(site->key, p->now, 1);
	*out = (struct rec_environment){
		.ts = p->now,
		.temperature_c = (float)quantise(t, s->temperature_step_k),
		.humidity_pct = (float)fmin(100, fmax(0, quantise(h, 0.1))),
		.hvac = (int)site->room.hvac,
		.outdoor_temperature_c =
			(float)quantise(site->outdoors.temperature_c, 0.1),
	};
	struct fault f = fault_at(&s->room_faults, site->key, 2, p->now);
	float *const readings[] = {&out->temperature_c, &out->humidity_pct};
	const double sizes[] = {s->temperature_fault_k, s->humidity_fault_pct};
	if (!spoil(&f, hold, readings, sizes))
		return false;
	out->humidity_pct = fminf(100, fmaxf(0, out->humidity_pct));
	return true;
}
