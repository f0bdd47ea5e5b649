#include "site/fleet.h"

#include "base/inifile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT(type, s, f, size)                                                         \
	{                                                                              \
		s, #f, INIFILE_TEXT, true, offsetof(struct type, f), 0, 0, size, 0     \
	}
#define NUM(type, s, f, lo, hi)                                                        \
	{                                                                              \
		s, #f, INIFILE_F64, true, offsetof(struct type, f), lo, hi, 0, 0       \
	}
#define WHOLE(type, s, f, lo, hi)                                                      \
	{                                                                              \
		s, #f, INIFILE_INT, true, offsetof(struct type, f), lo, hi, 0, 0       \
	}
#define MONTHS(f, lo, hi)                                                              \
	{                                                                              \
		"climate", #f, INIFILE_LIST, true, offsetof(struct climate, f), lo,    \
			hi, 12, offsetof(struct climate, months)                       \
	}

static const struct inifile_key FLEET_KEYS[] = {
	TEXT(fleet, "fleet", battery_model, FLEET_NAME_MAX),
	TEXT(fleet, "fleet", timezone, FLEET_NAME_MAX),
	{"fleet", "systems", INIFILE_TEXT, true, offsetof(struct fleet, systems_text),
		0, 0, 4 * FLEET_NAME_MAX, 0},
	WHOLE(fleet, "fleet", strings_per_system, 1, 9),
	WHOLE(fleet, "fleet", jars_per_string, 1, 64),
	NUM(fleet, "fleet", utc_offset_h, -14, 14),
	NUM(fleet, "fleet", discharge_test_pct, 0, DISCHARGE_TEST_PCT_MAX),
	WHOLE(fleet, "fleet", discharge_test_days, 7, 365),
	NUM(fleet, "fleet", oldest_years, 0, FLEET_OLDEST_YEARS),
	{0},
};
static const struct inifile_key AGE_KEYS[] = {
	NUM(string_age, "string", age_years, 0, FLEET_OLDEST_YEARS),
	{0},
};
static const struct inifile_key CLIMATE_KEYS[] = {
	MONTHS(max_c, -60, 60),
	MONTHS(min_c, -60, 60),
	MONTHS(rh_pct, 0, 100),
	{0},
};
static const struct inifile_key REGION_KEYS[] = {
	NUM(region, "region", outages_per_year, 0, 1000),
	NUM(region, "region", dips_per_year, 0, 1000),
	NUM(region, "region", outage_median_min, 0.1, 10000),
	NUM(region, "region", outage_sigma, 0, 5),
	WHOLE(region, "region", wet_from, 1, 12),
	WHOLE(region, "region", wet_to, 1, 12),
	{0},
};
static const struct inifile_key SITE_KEYS[] = {
	TEXT(site_plan, "site", name, FLEET_NAME_MAX),
	TEXT(site_plan, "site", city, FLEET_NAME_MAX),
	{"site", "region", INIFILE_TEXT, true, offsetof(struct site_plan, region_name),
		0, 0, FLEET_NAME_MAX, 0},
	{"site", "climate", INIFILE_TEXT, true,
		offsetof(struct site_plan, climate_name), 0, 0, FLEET_NAME_MAX, 0},
	NUM(site_plan, "site", latitude, -90, 90),
	NUM(site_plan, "site", longitude, -180, 180),
	{0},
};

struct load {
	const char *path;
	struct fleet *fleet;
	bool begun,
		alike; /* a key has been read; the file is read for another's sake */
	struct err fault;
};

/* The entry called 'name' of an array of entries that begin with their name; a new one
 * if there is room, else NULL. */
static void *entry(void *array, size_t size, int *n, int max, const char *name)
{
	char *base = array;
	for (int i = 0; i < *n; i++)
		if (strcmp(base + size * (size_t)i, name) == 0)
			return base + size * (size_t)i;
	if (*n == max || strlen(name) >= FLEET_NAME_MAX || !*name)
		return NULL;
	char *fresh = base + size * (size_t)(*n)++;
	snprintf(fresh, FLEET_NAME_MAX, "%s", name);
	return fresh;
}

static int set(struct fleet *f, const char *section, const char *name,
	const char *value, struct err *e)
{
	const char *blank = strchr(section, ' ');
	const char *what = blank ? blank + 1 : "";
	const struct inifile_key *keys;
	const char *table;
	void *to;

	if (strcmp(section, "fleet") == 0) {
		return inifile_set(FLEET_KEYS, section, name, value, f, e);
	} else if (strncmp(section, "climate ", 8) == 0) {
		keys = CLIMATE_KEYS, table = "climate";
		to = entry(f->climates, sizeof(f->climates[0]), &f->nclimates,
			FLEET_CLIMATES_MAX, what);
	} else if (strncmp(section, "region ", 7) == 0) {
		keys = REGION_KEYS, table = "region";
		to = entry(f->regions, sizeof(f->regions[0]), &f->nregions,
			FLEET_REGIONS_MAX, what);
	} else if (strncmp(section, "site ", 5) == 0) {
		keys = SITE_KEYS, table = "site";
		to = entry(f->sites, sizeof(f->sites[0]), &f->nsites, FLEET_SITES_MAX,
			what);
	} else if (strncmp(section, "string ", 7) == 0) {
		keys = AGE_KEYS, table = "string";
		to = entry(
			f->ages, sizeof(f->ages[0]), &f->nages, FLEET_AGES_MAX, what);
	} else {
		return err_set(e, ERR_USAGE, "unknown section [%s]", section);
	}
	if (!to)
		return err_set(
			e, ERR_USAGE, "[%s]: too many, or a name too long", section);
	return inifile_set(keys, table, name, value, to, e);
}

static int read_file(struct load *l, struct err *err);

/* The file beside this one that says what this one does not. */
static int be_like(struct load *l, const char *name)
{
	char path[512];
	const char *slash = strrchr(l->path, '/');
	int n = slash ? (int)(slash - l->path) + 1 : 0;
	struct load like = {.path = path, .fleet = l->fleet, .alike = true};
	if (l->begun || l->alike)
		return err_set(&l->fault, ERR_USAGE,
			"'like' is the first key of a file, of one that is like no "
			"other");
	if (strchr(name, '/') || snprintf(path, sizeof(path), "%.*s%s", n, l->path,
					 name) >= (int)sizeof(path))
		return err_set(&l->fault, ERR_USAGE,
			"'like' is the name of a file in the same folder");
	return read_file(&like, &l->fault);
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct load *l = user;
	if (l->fault.class)
		return 0;
	int r = strcmp(section, "fleet") == 0 && strcmp(name, "like") == 0
			? be_like(l, value)
			: set(l->fleet, section, name, value, &l->fault);
	l->begun = true;
	return r == 0;
}

static int read_file(struct load *l, struct err *err)
{
	return inifile_each(l->path, on_key, l, &l->fault, err);
}

int fleet_system(struct fleet *f, struct str name)
{
	for (int i = 0; i < f->nsystems; i++)
		if (str_is(name, f->systems[i]))
			return i;
	if (f->nsystems == FLEET_SYSTEMS_MAX || name.len >= sizeof(f->systems[0]))
		return -1;
	str_copy(f->systems[f->nsystems], sizeof(f->systems[0]), name);
	return f->nsystems++;
}

static int split_systems(struct fleet *f, struct err *err)
{
	const char *p = f->systems_text + strspn(f->systems_text, " ");
	while (*p) {
		size_t n = strcspn(p, " ");
		if (fleet_system(f, (struct str){p, (uint32_t)n}) < 0)
			return err_set(err, ERR_USAGE,
				"'systems': '%.*s' is one too many", (int)n, p);
		p += n;
		p += strspn(p, " ");
	}
	return 0;
}

/* A string that is not there has no age. */
static int know_strings(const struct fleet *f, struct err *err)
{
	int64_t n = fleet_strings(f, fleet_jars(f));
	for (int i = 0; i < f->nages; i++) {
		struct fleet_string s = {.site = -1};
		for (int64_t k = 0; k < n && strcmp(s.code, f->ages[i].code) != 0; k++)
			fleet_string(f, k, &s);
		if (strcmp(s.code, f->ages[i].code) != 0)
			return err_set(err, ERR_USAGE, "[string %s]: no such string",
				f->ages[i].code);
	}
	return 0;
}

static int resolve(struct fleet *f, struct err *err)
{
	if (split_systems(f, err) < 0)
		return -1;
	if (!f->nsites || !f->nsystems || !f->strings_per_system || !f->jars_per_string)
		return err_set(err, ERR_USAGE,
			"a site and 'systems', 'strings_per_system' and "
			"'jars_per_string' in [fleet] are needed");
	for (int i = 0; i < f->nsites; i++) {
		struct site_plan *s = &f->sites[i];
		for (int k = 0; k < f->nregions; k++)
			if (strcmp(f->regions[k].name, s->region_name) == 0)
				s->region = &f->regions[k];
		for (int k = 0; k < f->nclimates; k++)
			if (strcmp(f->climates[k].name, s->climate_name) == 0 &&
				f->climates[k].months == 12)
				s->climate = &f->climates[k];
		if (!s->region || !s->climate || strlen(s->code) < 4)
			return err_set(err, ERR_USAGE,
				"[site %s]: no such region or climate (or one without "
				"twelve months), or no code like DC-BKK-01",
				s->code);
	}
	return know_strings(f, err);
}

int fleet_load(const char *path, struct fleet *f, struct err *err)
{
	struct load l = {.path = path, .fleet = f};
	struct err fault = {0};
	*f = (struct fleet){.discharge_test_days = DISCHARGE_TEST_DAYS,
		.oldest_years = FLEET_OLDEST_YEARS};
	if (read_file(&l, err) < 0)
		return -1;
	if (resolve(f, &fault) < 0)
		return err_set(err, ERR_USAGE, "'%s': %s", path, fault.msg);
	return 0;
}

void fleet_unload(struct fleet *f)
{
	free(f->book.sites);
	free(f->book.strings);
	free(f->book.jars);
	f->book = (struct fleet_book){0};
}

int fleet_jars_per_site(const struct fleet *f)
{
	return f->nsystems * f->strings_per_system * f->jars_per_string;
}

int64_t fleet_jars(const struct fleet *f)
{
	if (f->book.nstrings)
		return f->book.njars;
	return (int64_t)fleet_jars_per_site(f) * f->nsites;
}

int64_t fleet_strings(const struct fleet *f, int64_t njars)
{
	int64_t n = 0;
	if (!f->book.nstrings)
		return (njars + f->jars_per_string - 1) / f->jars_per_string;
	while (n < f->book.nstrings && f->book.strings[n].first < njars)
		n++;
	return n;
}

void fleet_string(const struct fleet *f, int64_t number, struct fleet_string *out)
{
	int per_system = f->strings_per_system;
	char site[FLEET_NAME_MAX];
	if (f->book.nstrings) {
		*out = f->book.strings[number];
		return;
	}
	*out = (struct fleet_string){.site = number / (per_system * f->nsystems),
		.first = number * f->jars_per_string,
		.system = (int)(number / per_system % f->nsystems),
		.position = (int)(number % per_system) + 1,
		.jars = f->jars_per_string};
	fleet_site(f, out->site, site);
	snprintf(out->code, sizeof(out->code), "%.30s-%.12s-S%d", site,
		f->systems[out->system], out->position);
}

double fleet_age_years(const struct fleet *f, const char *string)
{
	for (int i = 0; i < f->nages; i++)
		if (strcmp(f->ages[i].code, string) == 0)
			return f->ages[i].age_years;
	return NAN;
}

int fleet_fits(const struct fleet *f, double rated_ah, struct err *err)
{
	for (int64_t s = 0; s < f->book.nstrings; s++) {
		const struct fleet_string *string = &f->book.strings[s];
		for (int i = 0; i < string->jars; i++) {
			double ah = (double)f->book.jars[string->first + i]
					    .initial_capacity_ah;
			if (ah < 0.8 * rated_ah || ah > 1.25 * rated_ah)
				return err_set(err, ERR_USAGE,
					"%s-J%02d: %g Ah when new: the batteries of "
					"this "
					"fleet have %g Ah",
					string->code, i + 1, ah, rated_ah);
		}
	}
	return 0;
}

/* Length of a code without its number: "DC-BKK-" of "DC-BKK-01". */
static size_t stem(const char *code)
{
	const char *dash = strrchr(code, '-');
	return dash ? (size_t)(dash - code) + 1 : strlen(code);
}

const struct site_plan *fleet_plan(const struct fleet *f, const char *code)
{
	size_t n = stem(code);
	const struct site_plan *found = NULL;
	for (int k = 0; k < f->nsites; k++) {
		const struct site_plan *s = &f->sites[k];
		if (strcmp(s->code, code) == 0)
			return s;
		if (!found && stem(s->code) == n && strncmp(s->code, code, n) == 0)
			found = s;
	}
	return found;
}

const struct site_plan *fleet_site(const struct fleet *f, int64_t i, char *dst)
{
	if (f->book.nstrings) {
		str_copy(dst, FLEET_NAME_MAX, str_of(f->book.sites[i].code));
		return f->book.sites[i].plan;
	}
	const struct site_plan *s = &f->sites[i % f->nsites];
	int64_t clone = i / f->nsites;
	size_t n = stem(s->code);
	int same = 0;

	for (int k = 0; k < f->nsites; k++)
		same += stem(f->sites[k].code) == n &&
			strncmp(f->sites[k].code, s->code, n) == 0;
	long number = strtol(s->code + n, NULL, 10);
	snprintf(dst, FLEET_NAME_MAX, "%.*s%02ld", (int)n, s->code,
		number + (long)clone * same);
	return s;
}
