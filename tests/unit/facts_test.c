/* A simulated fleet against what is known of real ones: lives, resistance, climate. */

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fleet_util.h"
#include "near.h"

enum { FLEET = 1944 };

/* Lives, in years, of every block of a new fleet in rooms of room_c: no cycles but the
 * yearly test, no hard failures. Returns how many. */
static int lives(uint64_t seed, double room_c, double *years)
{
	static struct life_path path;
	struct plant *p = plant(seed, FLEET);
	double days[SERIES_MAX];
	struct life_upkeep upkeep = {.cycling_per_day = ageing_cycle(&model, 1) / 365,
		.next_test_days = INFINITY};
	int n = 0;

	path.from = START;
	for (int k = 0; k < LIFE_STEPS; k++) {
		path.stress[k] = (float)ageing_arrhenius(&model, room_c);
		path.room_c[k] = (float)room_c;
	}
	for (int64_t s = 0; s < p->nstrings; s++) {
		struct battery_series *series = &p->strings[s].series;
		for (int i = 0; i < series->n; i++)
			series->blocks[i].used = 0;
		for (int i = 0; i < series->n; i++)
			upkeep.replace_days[i] = upkeep.hard_failure_days[i] = INFINITY;
		life_forecast(series, &path, START, &upkeep, days);
		for (int i = 0; i < series->n; i++)
			years[n++] = days[i] / 365.25;
	}
	plant_free(p);
	return n;
}

/* Maximum likelihood of a Weibull distribution: the shape by Newton, then the scale. */
static void fit_weibull(const double *x, int n, double *shape, double *scale)
{
	double k = 4, logs = 0;
	for (int i = 0; i < n; i++)
		logs += log(x[i]) / n;
	for (int round = 0; round < 100; round++) {
		double a = 0, b = 0, c = 0;
		for (int i = 0; i < n; i++) {
			double w = pow(x[i], k), l = log(x[i]);
			a += w, b += w * l, c += w * l * l;
		}
		double f = b / a - 1 / k - logs;
		double slope = c / a - (b / a) * (b / a) + 1 / (k * k);
		k -= f / slope;
		*scale = pow(a / n, 1 / k);
	}
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += pow(x[i], k);
	*shape = k;
	*scale = pow(sum / n, 1 / k);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static double median(double *x, int n)
{
	qsort(x, (size_t)n, sizeof(*x), by_value);
	return x[n / 2];
}

/* 12 V "10-year" blocks at 25 degC: shape 3.5-5, scale 6-7.5 years. */
static void weibull(void **state)
{
	static double years[5 * FLEET];
	double shape, scale;
	int n = 0;
	for (uint64_t seed = 1; seed <= 5; seed++)
		n += lives(seed, 25, years + n);
	fit_weibull(years, n, &shape, &scale);
	print_message("life at 25 degC: shape %.2f, scale %.2f a\n", shape, scale);
	assert_true(shape > 3.5 && shape < 5);
	assert_true(scale > 6 && scale < 7.5);
}

/* Half the life for each 8 to 10 K. */
static void halving(void **state)
{
	static double cool[FLEET], warm[FLEET];
	int n = lives(1, 25, cool);
	assert_int_equal(lives(1, 35, warm), n);
	double ratio = median(cool, n) / median(warm, n);
	double halving_k = 10 * log(2) / log(ratio);
	print_message("life is halved by %.1f K\n", halving_k);
	assert_true(halving_k > 8 && halving_k < 10);
}

/* Resistance and capacity go together, and not quite: r of 0.6 to 0.8. */
static void resistance_and_capacity(void **state)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct plant *p = plant(seed, FLEET);
		double n = 0, c1 = 0, c2 = 0, r1 = 0, r2 = 0, cr = 0;
		for (int64_t s = 0; s < p->nstrings; s++)
			for (int i = 0; i < p->strings[s].series.n; i++) {
				const struct battery_block *b =
					&p->strings[s].blocks[i];
				double c = b->capacity_ah, r = b->r0_mohm;
				if (b->open || b->shorted)
					continue;
				n++, c1 += c, c2 += c * c, r1 += r, r2 += r * r;
				cr += c * r;
			}
		double r = (n * cr - c1 * r1) /
			   sqrt((n * c2 - c1 * c1) * (n * r2 - r1 * r1));
		print_message("correlation %.3f\n", r);
		assert_true(r < -0.6 && r > -0.8);
		plant_free(p);
	}
}

/* Sulfation takes capacity and leaves resistance; dry-out raises resistance first. */
static void causes_differ(void **state)
{
	struct battery_nature n = {.soh_new_pct = 100,
		.r0_new_mohm = 4.2,
		.i0_factor = 1,
		.r0_scatter = 1};
	double used = pow(0.25, 1 / model.ageing_exponent); /* 95 % of capacity */
	double wear = ageing_r0_mohm(&model, &n, used) / 4.2;
	n.cause = cause_dry_out;
	double dry = ageing_r0_mohm(&model, &n, used) / 4.2;
	n.cause = cause_sulfation;
	double sulfated = ageing_r0_mohm(&model, &n, used) / 4.2;
	near(ageing_soh_pct(&model, &n, used), 95, 1e-9);
	assert_true(dry - 1 > 1.8 * (wear - 1) && sulfated - 1 < 0.5 * (wear - 1));
}

/* The mean of each month and city, over 20 years, is the normal within 1 degC. */
static void monthly_means(void **state)
{
	for (int c = 0; c < fleet.nclimates; c++) {
		const struct climate *climate = &fleet.climates[c];
		double sum[12] = {0}, n[12] = {0};
		struct weather w;
		weather_init(&w, climate, 77 + (uint64_t)c, fleet.utc_offset_h);
		for (int64_t h = 0; h < 20 * 365.25 * 24; h++) {
			struct civil date;
			time_to_civil(START + h * HOUR_MS + w.utc_offset_ms, &date);
			sum[date.month - 1] +=
				weather_at(&w, START + h * HOUR_MS).temperature_c;
			n[date.month - 1]++;
		}
		for (int m = 0; m < 12; m++) {
			/* the mean of half cosines of 9 and 15 hours is their middle */
			double normal = (climate->max_c[m] + climate->min_c[m]) / 2;
			near(sum[m] / n[m], normal, 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weibull),
		cmocka_unit_test(halving),
		cmocka_unit_test(resistance_and_capacity),
		cmocka_unit_test(causes_differ),
		cmocka_unit_test(monthly_means),
	};
	return cmocka_run_group_tests(tests, load_fleet, NULL);
}
