/* The reader of model.json: any bytes give a model or an error. What it accepts must be
 * usable: bounds in order, features within their range. */
#include "learn/predictor.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model m;
	struct feature_set s;
	struct err err;
	if (model_read_json((const char *)data, size, &m, &err) < 0)
		return 0;
	if (m.nfeatures < 1 || m.nfeatures > FIELDS_MAX)
		abort();
	model_features(&m, &s, &err);
	for (int i = 0; i < m.nfeatures; i++) {
		const struct histogram *h = &m.feature[i].reference;
		int bin = h->n > 0 ? histogram_bin(h, (float)m.feature[i].max) : 0;
		if (h->n < 0 || h->n > HISTOGRAM_BINS || bin < 0 ||
			(h->n && bin >= h->n))
			abort();
	}
	float x[FIELDS_MAX];
	for (int i = 0; i < m.nfeatures; i++)
		x[i] = (float)m.feature[i].max;
	struct estimate e = model_estimate(&m, 6, x);
	if (!(e.lower <= e.rul && e.rul <= e.upper))
		abort();
	return 0;
}
