#include "learn/shap.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

/* All that a path asks of one feature: lo <= x < hi, or missing where that goes there
 * as well. 'cover' is the share of the training rows that meet it, given the rest. */
struct condition {
	float lo, hi;
	uint16_t feature;
	bool missing;
	double cover;
};

struct leaf {
	uint32_t first; /* of its conditions */
	uint32_t table; /* what it gives: [2^n][n], by the conditions met */
	uint8_t n;
};

struct test {
	float lo, hi;
	uint16_t feature;
	bool missing;
};

struct tree {
	uint32_t first, end; /* of its leaves */
};

struct shap {
	int cols;
	double bias;
	struct tree *tree;
	struct leaf *leaf;
	struct test *test;
	float *table;
	size_t ntrees, nleaves, ntests, ntable;
	size_t cap_leaves, cap_tests, cap_table;
};

/* A tree as XGBoost writes it: lists by node. */
struct nodes {
	json_t *left, *right, *feature, *split, *def, *cover;
	size_t n;
	int cols;
};

enum grown { GROWN, TOO_DEEP, DAMAGED, NO_MEMORY };

static bool reserve(void **p, size_t *cap, size_t want, size_t size)
{
	if (want <= *cap)
		return true;
	size_t n = *cap * 2 > want ? *cap * 2 : want;
	void *q = realloc(*p, n * size);
	if (!q)
		return false;
	*p = q;
	*cap = n;
	return true;
}

/* What leaf value v gives to condition i of the n on its path when those in 'met' are
 * met: the Shapley value of the game in which a known condition is met or ends the
 * path, and an unknown one lets its share of the rows through. */
static double share_of(const struct condition *c, int n, unsigned met, int i, double v)
{
	/* The polynomial's coefficient k: all ways to know k of the others. */
	double ways[SHAP_DEPTH_MAX + 1] = {1}, sum = 0, weight = 1.0 / n;
	int others = 0;
	for (int j = 0; j < n; j++) {
		if (j == i)
			continue;
		double known = met >> j & 1;
		ways[++others] = 0;
		for (int k = others; k > 0; k--)
			ways[k] = ways[k] * c[j].cover + ways[k - 1] * known;
		ways[0] *= c[j].cover;
	}
	/* weight: k! (n - 1 - k)! / n! */
	for (int k = 0; k < n; k++) {
		sum += ways[k] * weight;
		weight *= (double)(k + 1) / (n - 1 - k > 0 ? n - 1 - k : 1);
	}
	return v * ((double)(met >> i & 1) - c[i].cover) * sum;
}

static void fill_table(float *table, const struct condition *c, int n, double v)
{
	for (unsigned met = 0; met < 1u << n; met++)
		for (int i = 0; i < n; i++)
			*table++ = (float)share_of(c, n, met, i, v);
}

static enum grown add_leaf(
	struct shap *s, const struct condition *c, int n, double value)
{
	size_t entries = ((size_t)1 << n) * (size_t)n;
	double mean = value;
	if (s->ntable + entries > SHAP_TABLE_MAX)
		return TOO_DEEP;
	if (!reserve((void **)&s->leaf, &s->cap_leaves, s->nleaves + 1,
		    sizeof(*s->leaf)) ||
		!reserve((void **)&s->test, &s->cap_tests, s->ntests + (size_t)n,
			sizeof(*s->test)) ||
		!reserve((void **)&s->table, &s->cap_table, s->ntable + entries,
			sizeof(*s->table)))
		return NO_MEMORY;
	s->leaf[s->nleaves++] =
		(struct leaf){(uint32_t)s->ntests, (uint32_t)s->ntable, (uint8_t)n};
	fill_table(s->table + s->ntable, c, n, value);
	s->ntable += entries;
	for (int i = 0; i < n; i++) {
		s->test[s->ntests++] =
			(struct test){c[i].lo, c[i].hi, c[i].feature, c[i].missing};
		mean *= c[i].cover;
	}
	s->bias += mean;
	return GROWN;
}

static double real_at(const json_t *list, size_t i)
{
	return json_number_value(json_array_get(list, i));
}

static size_t index_at(const json_t *list, size_t i)
{
	return (size_t)json_integer_value(json_array_get(list, i));
}

/* Of a tree's default directions: 0 and 1, or false and true. */
static bool truth_at(const json_t *list, size_t i)
{
	const json_t *v = json_array_get(list, i);
	return json_is_true(v) || json_integer_value(v) == 1;
}

/* Joins to a path what the way into a child asks. Returns the new length, or -1. */
static int narrow(struct condition *c, int n, const struct nodes *t, size_t node,
	size_t child, bool left)
{
	size_t feature = index_at(t->feature, node);
	float at = (float)real_at(t->split, node);
	int i = 0;
	while (i < n && c[i].feature != feature)
		i++;
	if (i == SHAP_DEPTH_MAX)
		return -1;
	if (i == n)
		c[n++] = (struct condition){
			-INFINITY, INFINITY, (uint16_t)feature, true, 1};
	if (left)
		c[i].hi = fminf(c[i].hi, at);
	else
		c[i].lo = fmaxf(c[i].lo, at);
	c[i].missing = c[i].missing && truth_at(t->def, node) == left;
	c[i].cover *= real_at(t->cover, child) / real_at(t->cover, node);
	return n;
}

static enum grown grow(struct shap *s, const struct nodes *t, size_t node,
	const struct condition *path, int n)
{
	size_t child[2] = {index_at(t->right, node), index_at(t->left, node)};
	if (json_integer_value(json_array_get(t->left, node)) < 0)
		return add_leaf(s, path, n, real_at(t->split, node));
	/* Children stand after their parents, so this ends. */
	if (child[0] <= node || child[1] <= node || child[0] >= t->n ||
		child[1] >= t->n || index_at(t->feature, node) >= (size_t)t->cols ||
		!(real_at(t->cover, node) > 0))
		return DAMAGED;
	for (int left = 1; left >= 0; left--) {
		struct condition c[SHAP_DEPTH_MAX];
		memcpy(c, path, sizeof(*c) * (size_t)n);
		int k = narrow(c, n, t, node, child[left], left);
		enum grown g = k < 0 ? TOO_DEEP : grow(s, t, child[left], c, k);
		if (g != GROWN)
			return g;
	}
	return GROWN;
}

static enum grown add_tree(struct shap *s, const json_t *o)
{
	struct nodes t = {json_object_get(o, "left_children"),
		json_object_get(o, "right_children"),
		json_object_get(o, "split_indices"),
		json_object_get(o, "split_conditions"),
		json_object_get(o, "default_left"), json_object_get(o, "sum_hessian"),
		0, s->cols};
	const json_t *lists[] = {t.left, t.right, t.feature, t.split, t.def, t.cover};
	struct condition none[SHAP_DEPTH_MAX];
	t.n = json_array_size(t.left);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (json_array_size(lists[i]) != t.n)
			return DAMAGED;
	struct tree *tree = &s->tree[s->ntrees++];
	tree->first = (uint32_t)s->nleaves;
	enum grown g = t.n ? grow(s, &t, 0, none, 0) : DAMAGED;
	tree->end = (uint32_t)s->nleaves;
	return g;
}

static json_t *walk_to(json_t *o, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		o = json_object_get(o, keys[i]);
	return o;
}

static enum grown add_trees(struct shap *s, json_t *model)
{
	static const char *const trees[] = {
		"learner", "gradient_booster", "model", "trees"};
	static const char *const base[] = {
		"learner", "learner_model_param", "base_score"};
	json_t *list = walk_to(model, trees, 4);
	const char *text = json_string_value(walk_to(model, base, 3));
	double score = text ? strtod(text, NULL) : 0;
	size_t n = json_array_size(list);
	if (!(score > 0))
		return DAMAGED;
	s->bias = log(score);
	s->tree = calloc(n + 1, sizeof(*s->tree));
	enum grown g = s->tree ? GROWN : NO_MEMORY;
	for (size_t i = 0; g == GROWN && i < n; i++)
		g = add_tree(s, json_array_get(list, i));
	return g;
}

static int settle(enum grown g, struct shap **out, struct err *err)
{
	if (g != GROWN) {
		shap_free(*out);
		*out = NULL;
	}
	if (g == NO_MEMORY)
		return err_nomem(err);
	if (g == DAMAGED)
		return err_set(err, ERR_DATA,
			"the trees cannot be explained: not the layout of XGBoost 1.7");
	return g == GROWN;
}

int shap_new(struct booster *b, int cols, struct shap **out, struct err *err)
{
	struct buf text = {0};
	json_error_t why;
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	(*out)->cols = cols;
	if (booster_json(b, &text, err) < 0) {
		buf_release(&text);
		shap_free(*out);
		*out = NULL;
		return -1;
	}
	json_t *model = json_loadb((const char *)text.data, text.len, 0, &why);
	buf_release(&text);
	enum grown g = add_trees(*out, model);
	json_decref(model);
	return settle(g, out, err);
}

static unsigned conditions_met(const struct test *t, int n, const float *x)
{
	unsigned met = 0;
	for (int i = 0; i < n; i++) {
		float v = x[t[i].feature];
		bool in = (v >= t[i].lo) & (v < t[i].hi);
		met |= (unsigned)(in | (isnan(v) & t[i].missing)) << i;
	}
	return met;
}

static void explain(
	const struct shap *s, const struct tree *t, const float *x, float *phi)
{
	for (uint32_t i = t->first; i < t->end; i++) {
		const struct leaf *l = &s->leaf[i];
		const struct test *c = s->test + l->first;
		const float *give =
			s->table + l->table + (size_t)conditions_met(c, l->n, x) * l->n;
		for (int k = 0; k < l->n; k++)
			phi[c[k].feature] += give[k];
	}
}

void shap_contributions(const struct shap *s, const float *x, size_t rows, float *out)
{
	size_t cols = (size_t)s->cols;
	for (size_t r = 0; r < rows; r++) {
		float *phi = out + r * (cols + 1);
		for (size_t i = 0; i < cols; i++)
			phi[i] = 0;
		phi[cols] = (float)s->bias;
	}
	/* A tree's tables stay in the cache while all rows go by. */
	for (size_t t = 0; t < s->ntrees; t++)
		for (size_t r = 0; r < rows; r++)
			explain(s, &s->tree[t], x + r * cols, out + r * (cols + 1));
}

void shap_free(struct shap *s)
{
	if (!s)
		return;
	free(s->tree);
	free(s->leaf);
	free(s->test);
	free(s->table);
	free(s);
}
