#include "ingest/guess_columns.h"

#include "ingest/clock.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static const char *const FORMATS[] = {"iso", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M:%S",
	"%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p",
	"%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S",
	"%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%Y/%m/%d %H:%M:%S",
	"%Y/%m/%d %H:%M", "%d-%b-%Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%Y%m%dT%H%M%S",
	"%Y%m%d%H%M%S", "%Y%m%d %H:%M:%S"};

static bool reads_all(const char *format, char cells[][GUESS_CELL], int n)
{
	for (int i = 0; i < n; i++) {
		int64_t t;
		struct str s = str_of(cells[i]);
		int r = strcmp(format, "iso") == 0 ? time_parse_iso(s, 0, &t)
						   : clock_pattern(format, s, &t);
		if (r < 0)
			return false;
	}
	return n > 0;
}

void guess_time(struct guess_column *c, char cells[][GUESS_CELL], int n)
{
	for (size_t f = 0; f < sizeof(FORMATS) / sizeof(*FORMATS); f++) {
		if (!reads_all(FORMATS[f], cells, n))
			continue;
		if (!c->time_format)
			c->time_format = FORMATS[f];
		else if (!c->other_format)
			c->other_format = FORMATS[f];
	}
	if (c->time_format || c->numeric < c->filled || c->filled == 0)
		return;
	if (c->min > 3e8 && c->max < 5e9) /* 1979 to 2128 */
		c->time_format = "epoch_s";
	else if (c->min > 3e11 && c->max < 5e12)
		c->time_format = "epoch_ms";
}

/* Does the name have the word, at its edges or between signs that are no letters? */
static bool has_word(const char *name, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = name; *p; p++) {
		size_t i = 0;
		while (i < n && tolower((unsigned char)p[i]) == word[i])
			i++;
		bool left = p == name || !isalpha((unsigned char)p[-1]);
		if (i == n && left && !isalpha((unsigned char)p[n]))
			return true;
	}
	return false;
}

static bool has_part(const char *name, const char *part)
{
	size_t n = strlen(part);
	for (const char *p = name; *p; p++) {
		size_t i = 0;
		while (i < n && tolower((unsigned char)p[i]) == part[i])
			i++;
		if (i == n)
			return true;
	}
	return false;
}

static bool any_part(const char *name, const char *const *parts)
{
	for (; *parts; parts++)
		if (has_part(name, *parts))
			return true;
	return false;
}

/* Columns that look like a measurement by name and are another quantity. */
static bool is_other(const char *name)
{
	static const char *const others[] = {"soc", "soh", "ripple", "ambient", "room",
		"outdoor", "setpoint", "set_point", "limit", "max", "min", "power",
		"energy", "capacity", "drop", "charge_v", "cutoff", "conduct", NULL};
	return any_part(name, others) || has_word(name, "ah") || has_word(name, "wh");
}

static int fit_voltage(struct guess_column *c)
{
	static const char *const names[] = {"volt", "spannung", NULL};
	bool milli = has_word(c->name, "mv") || (c->median > 1500 && c->median < 60000);
	int name = any_part(c->name, names)
			   ? 3
			   : (has_word(c->name, "v") || has_word(c->name, "u")) * 2;
	if (has_word(c->name, "mv") && !name)
		name = 2;
	double v = c->median * (milli ? 0.001 : 1);
	if (!name || is_other(c->name) || v < 0.5 || v > 1000)
		return 0;
	c->factor = milli ? 0.001 : 1;
	if (milli && !has_word(c->name, "mv"))
		c->unit_doubt = "millivolts, by the size of the values";
	return name + (v > 1.5 && v < 16);
}

static int fit_current(struct guess_column *c)
{
	static const char *const names[] = {"current", "amp", "strom", NULL};
	bool milli = has_word(c->name, "ma") || has_part(c->name, "milliamp");
	int name = any_part(c->name, names)
			   ? 3
			   : (has_word(c->name, "a") || has_word(c->name, "i")) * 2;
	if (milli && !name)
		name = 2;
	if (!name || is_other(c->name))
		return 0;
	if (!milli && (c->max > 2000 || c->min < -2000)) {
		milli = true;
		c->unit_doubt = "milliampere, by the size of the values";
	}
	c->factor = milli ? 0.001 : 1;
	return name;
}

static int fit_temperature(struct guess_column *c)
{
	int name = has_part(c->name, "temp")                                  ? 3
		   : has_word(c->name, "degc") || has_word(c->name, "t")      ? 2
		   : has_word(c->name, "degf") || has_part(c->name, "kelvin") ? 2
									      : 0;
	if (!name || is_other(c->name))
		return 0;
	bool f = has_word(c->name, "f") || has_word(c->name, "degf") ||
		 has_part(c->name, "fahr");
	bool k = has_word(c->name, "k") || has_part(c->name, "kelvin");
	if (!f && !k && c->median > 250 && c->median < 350) {
		k = true;
		c->unit_doubt = "kelvin, by the size of the values";
	} else if (!f && !k && c->median > 60 && c->median < 130) {
		f = true;
		c->unit_doubt = "degrees Fahrenheit, by the size of the values";
	}
	c->factor = f ? 5.0 / 9 : 1;
	c->offset = f ? -32 * 5.0 / 9 : k ? -273.15 : 0;
	return name + (has_part(c->name, "batt") || has_part(c->name, "cell"));
}

static int fit_resistance(struct guess_column *c)
{
	static const char *const names[] = {"resist", "impedance", "ohm", NULL};
	if (!any_part(c->name, names) || is_other(c->name) || c->min < 0)
		return 0;
	bool milli = has_part(c->name, "mohm") || has_part(c->name, "milliohm");
	bool micro = has_part(c->name, "uohm") || has_part(c->name, "microohm");
	c->factor = micro ? 0.001 : 1;
	if (!milli && !micro && c->median < 0.5) {
		c->factor = 1000;
		c->unit_doubt = "ohms, by the size of the values";
	}
	return 3;
}

static int fit_time(const struct guess_column *c)
{
	static const char *const names[] = {"time", "date", "stamp", "ts", NULL};
	if (!c->time_format)
		return 0;
	bool epoch = c->time_format[0] == 'e';
	return (epoch ? 1 : 3) + (any_part(c->name, names) ? 2 : 0);
}

static int fit_identity(const struct guess_column *c, int rows)
{
	static const char *const names[] = {"battery", "device", "serial", "imei",
		"code", "jar", "cell", "unit", "sensor", "string", NULL};
	if (c->filled < rows || !c->codes || c->time_format ||
		c->distinct >= GUESS_WORDS)
		return 0;
	bool id = has_word(c->name, "id") || has_word(c->name, "name");
	bool named = any_part(c->name, names);
	if (c->numeric == c->filled && !id)
		return 0;
	return (id ? 2 : 0) + (named ? 2 : 0);
}

static int fit_mode(const struct guess_column *c)
{
	return (has_word(c->name, "mode") || has_word(c->name, "state")) && c->modes
		       ? 2
		       : 0;
}

int guess_fit(struct guess_column *c, enum role role, int rows)
{
	bool number = c->filled > 0 && c->numeric * 10 >= c->filled * 9;
	c->factor = 1;
	c->offset = 0;
	c->unit_doubt = NULL;
	switch (role) {
	case R_TIME:
		return fit_time(c);
	case R_IDENTITY:
		return fit_identity(c, rows);
	case R_VOLTAGE:
		return number ? fit_voltage(c) : 0;
	case R_CURRENT:
		return number ? fit_current(c) : 0;
	case R_TEMPERATURE:
		return number ? fit_temperature(c) : 0;
	case R_RESISTANCE:
		return number ? fit_resistance(c) : 0;
	case R_MODE:
		return fit_mode(c);
	case R_NONE:
	case ROLES:
		break;
	}
	return 0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Steps of i smaller than this share of its spread are noise. */
static double step_size(const double *i, int n)
{
	double v[GUESS_ROWS];
	int k = 0;
	for (int j = 0; j < n; j++)
		if (!isnan(i[j]))
			v[k++] = i[j];
	if (k < 10)
		return INFINITY;
	qsort(v, (size_t)k, sizeof(*v), by_size);
	return 0.05 * (v[k * 98 / 100] - v[k * 2 / 100]);
}

double guess_sign(const double *v, const double *i, int n, int *steps)
{
	double least = step_size(i, n), lv = NAN, li = NAN;
	double sum = 0, vv = 0, ii = 0;
	*steps = 0;
	for (int k = 0; k < n; k++) {
		if (isnan(v[k]) || isnan(i[k]))
			continue;
		double dv = v[k] - lv, di = i[k] - li;
		lv = v[k];
		li = i[k];
		if (isnan(dv) || fabs(di) <= least || least == 0)
			continue;
		sum += dv * di;
		vv += dv * dv;
		ii += di * di;
		++*steps;
	}
	return vv > 0 && ii > 0 ? sum / sqrt(vv * ii) : 0;
}

double guess_drift(const double *v, const double *i, int n)
{
	double most = 0, sum = 0, last = NAN;
	for (int k = 0; k < n; k++)
		if (fabs(i[k]) > most)
			most = fabs(i[k]);
	for (int k = 0; k < n; k++) {
		if (isnan(v[k]) || isnan(i[k]))
			continue;
		bool flows = fabs(i[k]) > 0.2 * most;
		if (flows && !isnan(last))
			sum += (v[k] - last) * (i[k] > 0 ? 1 : -1);
		last = flows ? v[k] : NAN;
	}
	return sum;
}
