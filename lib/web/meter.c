#include "web/meter.h"

#include <pthread.h>
#include <stdlib.h>

/* Upper ends of the histogram, seconds; the last bucket has none. */
static const double BUCKETS[] = {
	0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
enum { NBUCKETS = sizeof(BUCKETS) / sizeof(*BUCKETS), CLASSES = 6 };

struct row {
	uint64_t answers[CLASSES]; /* by the status' first digit */
};

struct meter {
	pthread_mutex_t lock;
	uint64_t bucket[NBUCKETS + 1], count;
	double sum;
	size_t nroutes;
	struct row rows[]; /* and one for what is no route */
};

struct meter *meter_new(size_t nroutes)
{
	struct meter *m = calloc(1, sizeof(*m) + (nroutes + 1) * sizeof(struct row));
	if (!m)
		return NULL;
	m->nroutes = nroutes;
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void meter_free(struct meter *m)
{
	if (m)
		pthread_mutex_destroy(&m->lock);
	free(m);
}

void meter_count(struct meter *m, size_t route, int status, double seconds)
{
	size_t b = 0;
	while (b < NBUCKETS && seconds > BUCKETS[b])
		b++;
	pthread_mutex_lock(&m->lock);
	m->rows[route < m->nroutes ? route : m->nroutes]
		.answers[status >= 100 && status < 600 ? status / 100 : 0]++;
	m->bucket[b]++;
	m->count++;
	m->sum += seconds;
	pthread_mutex_unlock(&m->lock);
}

static void write_answers(struct meter *m, const struct route *routes, struct buf *out)
{
	buf_puts(out, "# HELP floatline_bridge_requests_total Calls answered.\n"
		      "# TYPE floatline_bridge_requests_total counter\n");
	for (size_t i = 0; i <= m->nroutes; i++)
		for (int k = 0; k < CLASSES; k++)
			if (m->rows[i].answers[k])
				buf_printf(out,
					"floatline_bridge_requests_total{method=\"%s\","
					"route=\"%s\",status=\"%dxx\"} %llu\n",
					i < m->nroutes ? method_word(routes[i].method)
						       : "",
					i < m->nroutes ? routes[i].path : "", k,
					(unsigned long long)m->rows[i].answers[k]);
}

static void write_times(struct meter *m, struct buf *out)
{
	uint64_t n = 0;
	buf_puts(out,
		"# HELP floatline_bridge_request_seconds From taking a call up to "
		"its answer.\n# TYPE floatline_bridge_request_seconds "
		"histogram\n");
	for (size_t b = 0; b < NBUCKETS; b++) {
		n += m->bucket[b];
		buf_printf(out,
			"floatline_bridge_request_seconds_bucket{le=\"%g\"} %llu\n",
			BUCKETS[b], (unsigned long long)n);
	}
	buf_printf(out,
		"floatline_bridge_request_seconds_bucket{le=\"+Inf\"} %llu\n"
		"floatline_bridge_request_seconds_sum %g\n"
		"floatline_bridge_request_seconds_count %llu\n",
		(unsigned long long)m->count, m->sum, (unsigned long long)m->count);
}

void meter_write(struct meter *m, const struct route *routes, struct buf *out)
{
	pthread_mutex_lock(&m->lock);
	write_answers(m, routes, out);
	write_times(m, out);
	pthread_mutex_unlock(&m->lock);
}
