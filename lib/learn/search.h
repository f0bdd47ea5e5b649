/*
 * Hyperparameters by a small random search (Bergstra, Bengio 2012): the caller's choice
 * first, then draws from a seeded stream. Each is fitted with early stopping by the
 * error of log time on the validation rows, and the least of these errors wins:
 * likelihoods would reward a wide error where the estimate itself is what is wanted,
 * and make a few sudden deaths stop it early where the error is narrow. Not
 * thread-safe, as the booster is not.
 */
#ifndef LEARN_SEARCH_H
#define LEARN_SEARCH_H

#include "learn/booster.h"

struct search {
	int trials; /* >= 1 */
	struct booster_params first;
	/* Called after each trial with its error and the best; may be NULL. */
	void (*progress)(void *arg, int done, int of, double error, double best);
	void *arg;
};

struct search_result {
	struct booster_params params;
	struct booster_fit fit;
	int trial; /* from 0 */
};

/* Returns the best booster (the caller's), or NULL with err set. */
struct booster *search_run(const struct search *s, const struct booster_data *train,
	const struct booster_data *valid, struct search_result *out, struct err *err);

#endif
