/*
 * Counter-based random numbers: a number is a pure function of (key, counter), so that
 * results do not depend on the order or the chunks in which they are drawn. A key is
 * made once per stream (a battery's sensors, a site's weather …); SplitMix64 (Steele,
 * Lea, Flood 2014) gives the bits.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

static inline uint64_t rng_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The key of stream 'stream' under 'key' (the seed, or another key). */
static inline uint64_t rng_key(uint64_t key, uint64_t stream)
{
	return rng_mix(rng_mix(key + UINT64_C(0x9e3779b97f4a7c15)) ^
		       (stream * UINT64_C(0xd1342543de82ef95) + 1));
}

static inline uint64_t rng_bits(uint64_t key, uint64_t counter)
{
	return rng_mix(key + (counter + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Uniform within 0 < u < 1. */
static inline double rng_uniform(uint64_t key, uint64_t counter)
{
	return ((double)(rng_bits(key, counter) >> 11) + 0.5) * 0x1p-53;
}

/* Standard normal. */
double rng_normal(uint64_t key, uint64_t counter);
/* Poisson with a small mean (below about 20), by inversion. */
int rng_poisson(uint64_t key, uint64_t counter, double mean);

/* The standard normal quantile of 0 < p < 1 (P. Acklam's rational approximation,
 * relative error below 1.2e-9). */
double normal_quantile(double p);

#endif
