/*
 * near(a, b, tol): a is within tol of b, NaN never is. Include it after cmocka.h.
 */
#ifndef TESTS_NEAR_H
#define TESTS_NEAR_H

#include <math.h>

#define near(a, b, tol)                                                                \
	do {                                                                           \
		double a_ = (a), b_ = (b);                                             \
		if (!(fabs(a_ - b_) <= (tol)))                                         \
			fail_msg("%s = %g, not %g +- %g", #a, a_, b_, (double)(tol));  \
	} while (0)

#endif
