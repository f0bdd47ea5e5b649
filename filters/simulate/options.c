#include "options.h"

#include "engine.h"

#include "base/buf.h"
#include "base/now.h"
#include "base/parse.h"

#include <math.h>
#include <unistd.h>

static const int64_t START_MIN = INT64_C(-2208988800000); /* 1900 */
static const int64_t START_MAX = INT64_C(16725225600000); /* 2500 */

/* "30d" or "30d@15m". */
static int parse_backfill(struct options *o, struct err *err)
{
	const char *text = o->backfill;
	if (!text)
		return 0;
	const char *at = strchr(text, '@');
	struct str span = {text, (uint32_t)(at ? (size_t)(at - text) : strlen(text))};

	o->backfill_interval_ms = o->interval_ms;
	if (parse_duration_ms(span, &o->backfill_ms) < 0 ||
		(at && parse_duration_ms(str_of(at + 1), &o->backfill_interval_ms) <
				0) ||
		o->backfill_ms <= 0 || o->backfill_interval_ms < SECOND_MS ||
		o->backfill_interval_ms > HOUR_MS)
		return err_set(err, ERR_USAGE,
			"--backfill '%s' is not of the form 30d or 30d@15m (step 1s to "
			"1h)",
			text);
	return 0;
}

static int interval_error(const struct options *o, struct err *err)
{
	return err_set(err, ERR_USAGE,
		"--interval '%.100s' is not of the form 1m or 1m,environment=15m: 1s "
		"to "
		"1h, then a kind of telemetry and a multiple of that, up to 1d",
		o->interval_text);
}

/* One "environment=15m" of p, up to a comma. */
static int parse_kind_interval(struct options *o, const char *p, size_t n)
{
	static const char *const KINDS[SAMPLES] = {
		"environment", "string_telemetry", "telemetry"};
	const char *equals = memchr(p, '=', n);
	int64_t ms;
	if (!equals)
		return -1;
	struct str kind = {p, (uint32_t)(equals - p)};
	struct str span = {equals + 1, (uint32_t)(n - kind.len - 1)};
	if (parse_duration_ms(span, &ms) < 0 || ms < o->interval_ms || ms > DAY_MS ||
		ms % o->interval_ms)
		return -1;
	for (int i = 0; i < SAMPLES; i++)
		if (str_is(kind, KINDS[i])) {
			o->every_ms[i] = ms;
			return 0;
		}
	return -1;
}

/* "1m" or "1m,environment=15m,…". */
static int parse_interval(struct options *o, struct err *err)
{
	const char *p = o->interval_text;
	size_t n = strcspn(p, ",");
	struct str base = {p, (uint32_t)n};

	if (parse_duration_ms(base, &o->interval_ms) < 0 ||
		o->interval_ms < SECOND_MS || o->interval_ms > HOUR_MS)
		return interval_error(o, err);
	for (int i = 0; i < SAMPLES; i++)
		o->every_ms[i] = o->interval_ms;
	for (p += n; *p; p += n) {
		n = strcspn(++p, ",");
		if (parse_kind_interval(o, p, n) < 0)
			return interval_error(o, err);
	}
	return 0;
}

/* "2/4": the second of four. */
static int parse_shard(struct options *o, struct err *err)
{
	const char *text = o->shard_text, *slash = text ? strchr(text, '/') : NULL;
	if (!text)
		return 0;
	if (!slash || parse_i64(str_of(slash + 1), 1, 100000, &o->shards) < 0 ||
		parse_i64((struct str){text, (uint32_t)(slash - text)}, 1, o->shards,
			&o->shard) < 0)
		return err_set(
			err, ERR_USAGE, "--shard '%s' is not of the form 2/4", text);
	return 0;
}

static int64_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : n;
}

int options_check(struct options *o, struct err *err)
{
	if (parse_interval(o, err) < 0)
		return -1;
	if (o->truth_interval_ms < o->interval_ms)
		return err_set(err, ERR_USAGE,
			"--truth-interval must not be shorter than --interval");
	if (o->speed != 1 && !o->live)
		return err_set(err, ERR_USAGE, "--speed needs --live");
	if (o->control && !o->live)
		return err_set(err, ERR_USAGE, "--control needs --live");
	if (o->dataset && o->live)
		return err_set(err, ERR_USAGE,
			"--dataset is of a stretch of time that ends: leave --live "
			"away");
	if (o->run && (!*o->run || strlen(o->run) > CODE_MAX))
		return err_set(
			err, ERR_USAGE, "--run must be 1 to %d bytes long", CODE_MAX);
	o->by_clock = o->live && o->start == TIME_NIL && o->speed == 1;
	if (o->start == TIME_NIL && o->live)
		o->start = now_wall_ms() / o->interval_ms * o->interval_ms;
	else if (o->start == TIME_NIL)
		o->start = INT64_C(1767225600000); /* 2026-01-01: never the clock */
	if (isnan(o->days))
		o->days = o->live ? INFINITY : 1;
	if (o->jobs == 0)
		o->jobs = processors();
	if (parse_backfill(o, err) < 0 || parse_shard(o, err) < 0)
		return -1;
	/* history begins ten years earlier, lives end decades later */
	if (o->start - o->backfill_ms < START_MIN || o->start > START_MAX)
		return err_set(err, ERR_USAGE,
			"--start and --backfill must lie within 1900 to 2500");
	return 0;
}

static void identify_scenarios(const struct strlist *list, struct buf *b)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->v[i], *slash = strrchr(text, '/');
		buf_printf(b, " --scenario %s", slash ? slash + 1 : text);
	}
}

void options_identify(const struct options *o, struct buf *b)
{
	char start[TIME_TEXT_SIZE];
	buf_printf(b, "--seed %lld --start %s --interval %s --batteries %lld",
		(long long)o->seed, time_format(o->start, start), o->interval_text,
		(long long)o->batteries);
	if (isfinite(o->days))
		buf_printf(b, " --days %.9g", o->days);
	if (o->backfill)
		buf_printf(b, " --backfill %s", o->backfill);
	if (o->fleet)
		buf_printf(b, " --fleet %s",
			strrchr(o->fleet, '/') ? strrchr(o->fleet, '/') + 1 : o->fleet);
	if (o->site)
		buf_printf(b, " --site %s", o->site);
	if (o->string)
		buf_printf(b, " --string %s", o->string);
	if (!isnan(o->discharge_test_pct))
		buf_printf(b, " --discharge-test %.9g", o->discharge_test_pct);
	identify_scenarios(&o->scenarios, b);
	if (o->no_faults)
		buf_printf(b, " --no-sensor-faults");
	if (o->shards)
		buf_printf(b, " --shard %s", o->shard_text);
	if (o->truth)
		buf_printf(b, " --truth --truth-interval %lldms",
			(long long)o->truth_interval_ms);
	buf_putc(b, '\0');
}
