/*
 * explain MODEL-DIR ROWS FILE: predicts and explains ROWS rows, drawn within the
 * model's ranges, as predict does, best of five, on one thread. Prints 'trees|rows a
 * second|the same by the C API of XGBoost, SHAP values alone', and leaves the rows in
 * FILE (float32) for others to do the same.
 */
#include "base/rng.h"
#include "learn/predictor.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 5 };

/* Of the processor: others may be busy, too. */
static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	fprintf(stderr, "explain: %s\n", what);
	exit(3);
}

struct work {
	struct model m;
	float *x, *coverage, *phi;
	struct prediction *out;
	size_t rows;
};

static void draw(struct work *w)
{
	for (size_t i = 0; i < w->rows * (size_t)w->m.nfeatures; i++) {
		const struct model_feature *f =
			&w->m.feature[i % (size_t)w->m.nfeatures];
		w->x[i] = (float)(f->min + rng_uniform(1, i) * (f->max - f->min));
	}
	for (size_t i = 0; i < w->rows; i++)
		w->coverage[i] = 1;
}

static double time_ours(struct work *w, struct predictor *p)
{
	double best = 1e9;
	for (int i = 0; i < ROUNDS; i++) {
		double t = now_s();
		if (predictor_run(p, w->x, w->coverage, w->rows, w->out, NULL) < 0)
			die("cannot predict");
		t = now_s() - t;
		best = t < best ? t : best;
	}
	return best;
}

/* One round: it is slow. */
static double time_bare(struct work *w, struct booster *b)
{
	double t = now_s();
	if (booster_contributions(b, w->x, w->rows, w->m.nfeatures, w->phi, NULL) < 0)
		die("XGBoost cannot predict");
	return now_s() - t;
}

static void save_rows(const struct work *w, const char *path)
{
	size_t n = w->rows * (size_t)w->m.nfeatures;
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(w->x, sizeof(*w->x), n, f) != n || fclose(f) != 0)
		die("cannot write the rows");
}

int main(int argc, char **argv)
{
	struct work w = {0};
	struct err err = {0};
	if (argc != 4 || (w.rows = strtoul(argv[2], NULL, 10)) == 0)
		die("usage: explain MODEL-DIR ROWS FILE");
	struct booster *b = model_load(argv[1], &w.m, &err);
	struct booster *own = b ? model_load(argv[1], &w.m, &err) : NULL;
	struct predictor *p = own ? predictor_new(&w.m, own, &err) : NULL;
	if (!p)
		die(err.msg);
	size_t cols = (size_t)w.m.nfeatures;
	w.x = calloc(w.rows * cols, sizeof(*w.x));
	w.coverage = calloc(w.rows, sizeof(*w.coverage));
	w.phi = calloc(w.rows * (cols + 1), sizeof(*w.phi));
	w.out = calloc(w.rows, sizeof(*w.out));
	if (!w.x || !w.coverage || !w.phi || !w.out)
		die("out of memory");
	draw(&w);
	save_rows(&w, argv[3]);
	double ours = time_ours(&w, p), bare = time_bare(&w, b);
	printf("%d|%.0f|%.0f\n", booster_trees(b), (double)w.rows / ours,
		(double)w.rows / bare);
	predictor_free(p);
	booster_free(b);
	free(w.x);
	free(w.coverage);
	free(w.phi);
	free(w.out);
}
