/*
 * Sensors: what they read of the plant's state. Noise is a pure function of sensor and
 * time, so a coarser sampling reads the same values at the same times.
 */
#ifndef SITE_SENSE_H
#define SITE_SENSE_H

#include "site/plant.h"

struct sensors {
	double voltage_noise_v, voltage_step_v, temperature_noise_k, temperature_step_k;
	double resistance_noise, current_full_scale_a, current_noise_fs,
		current_offset_a;
	double float_noise_a, float_range_a, string_voltage_noise, room_noise_k,
		humidity_noise_pct;
};

/* Reads schemas/models/sensors.ini or a file like it. As inifile_load. */
int sensors_load(const char *path, struct sensors *s, struct err *err);

/* One sample of everything at p->now. Codes in the records are the caller's to set. */
void sense_string(const struct sensors *s, const struct plant *p,
	const struct plant_string *string, struct rec_string_telemetry *out);
/* current_a: as sense_string read it; the jars have no current sensor of their own. */
void sense_jar(const struct sensors *s, const struct plant *p,
	const struct plant_string *string, int jar, float current_a,
	struct rec_telemetry *out);
void sense_room(const struct sensors *s, const struct plant *p,
	const struct plant_site *site, struct rec_environment *out);

#endif
