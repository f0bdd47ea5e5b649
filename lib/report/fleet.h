/* What the checks remember of each model, string and battery of a dataset. */
#ifndef REPORT_FLEET_H
#define REPORT_FLEET_H

#include "record/kinds.h"
#include "report/table.h"

/* Running sums of one quantity: count, sum and sum of squares. */
struct sums {
	int64_t n;
	double sum, squares;
};

/* Of two quantities, for their correlation. */
struct pair_sums {
	int64_t n;
	double x, y, xx, yy, xy;
};

struct model {
	double nominal_v, capacity_ah, float_min_v, float_max_v;
};

struct string {
	char code[CODE_MAX + 1];
	uint32_t line;
	double jars; /* as it says; NaN: it does not */
	double nominal_v;
	uint32_t installed; /* batteries that are not replaced */
	uint32_t model;     /* of its first battery; IDS_NONE */
	/* its last sample */
	int64_t ts, sample_line; /* TIME_NIL: none yet */
	double voltage_v, current_a;
	int mode;          /* -1: not told */
	int64_t off_float; /* when it was last not on float; TIME_NIL: not seen so */
	/* the jars sampled at moment.ts */
	struct {
		int64_t ts;
		struct sums voltage_v, temperature_c;
	} moment;
	struct sums float_v, float_a, float_t, spread; /* V a jar, A, degC, V */
};

/* A stretch of the time over which charge is balanced. */
struct balance {
	int64_t from, last; /* TIME_NIL: none */
	double soc_pct, ah_in, ah_out;
};

struct battery {
	char code[CODE_MAX + 1];
	uint32_t line, string, model;
	bool replaced, successor; /* has one; is one */
	int64_t manufactured, installed, warranty, replaced_at, first, last;
	double initial_mohm;
	struct sums temperature_c, resistance_mohm, soh_pct;
	double soh_least; /* so far; NaN: none */
	int64_t soh_day;  /* of soh_reference */
	double soh_reference;
	bool rises, rises_far, collapsed, unbalanced;
	struct balance balance;
	double calc_soc; /* at calc_ts */
	int64_t calc_ts;
};

struct fleet_facts {
	struct keys keys;
	struct model *models;
	struct string *strings;
	struct battery *batteries;
	size_t nmodels, nstrings, nbatteries;
	int64_t first_sample, last_sample; /* of all jars; TIME_NIL: none */
	struct pair_sums voltage_soc;      /* V a 12 V block and %, off charge */
	int64_t off_float_samples, joined; /* samples of strings not on float; of jars
					      with one of their string */
};

/* How many blocks of its model are in series in a string, of which a monitor may see
 * some only; NaN: not told. */
double series_of(const struct fleet_facts *f, const struct string *s);

void sums_add(struct sums *s, double v); /* NaN is not counted */
double sums_mean(const struct sums *s);  /* NaN: none */
double sums_sd(const struct sums *s);
void pair_add(struct pair_sums *s, double x, double y);
/* Pearson's r; NaN: fewer than 3, or one does not vary. */
double pair_correlation(const struct pair_sums *s);

/* Reads the master data and what in it must agree. 0, or -1 out of memory. */
int fleet_read(struct quality *q, struct fleet_facts *f, struct err *err);
void fleet_release(struct fleet_facts *f);

/* samples.c: reads all samples. 0 or -1. */
int samples_read(struct quality *q, struct fleet_facts *f, struct err *err);
/* judge.c: what the fleet as a whole comes to. */
void judge(struct quality *q, struct fleet_facts *f);
/* transactions.c: events, tests, alerts, features and predictions. 0 or -1. */
int transactions_read(struct quality *q, struct fleet_facts *f, struct err *err);
/* states.c: how batteries are said to be at the end. */
void states_read(struct quality *q, const struct fleet_facts *f);

#endif
