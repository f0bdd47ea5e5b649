/*
 * The extended Kalman filter of one battery: seven states, scalar measurements, no
 * allocation. It knows linear algebra only; what the states mean in volts is in
 * circuit.h, when which of them may learn is in twin.h.
 *
 * Updates are of Joseph form and take a mask: a state outside it is "considered"
 * (Schmidt): its uncertainty counts in the innovation, its value and variance stay.
 * Joseph form is right for any gain, so the covariance stays consistent.
 */
#ifndef ESTIMATE_EKF_H
#define ESTIMATE_EKF_H

enum {
	EKF_SOC,  /* state of charge, 1 = full, of the capacity at 25 degC and 10 h */
	EKF_V1,   /* overvoltage of the fast branch, V */
	EKF_V2,   /* overvoltage of the slow branch, V */
	EKF_LNR0, /* ln of the ohmic resistance at 25 degC in ohm */
	EKF_LNQ,  /* ln of the capacity at 25 degC and 10 h in Ah */
	EKF_BIAS, /* slow error of the modelled voltage, V */
	EKF_DEEP, /* deep surface charge (surface.h), V */
	EKF_N
};
#define EKF_BIT(state) (1u << (state))
#define EKF_ALL ((1u << EKF_N) - 1)

struct ekf {
	double x[EKF_N];
	double p[EKF_N][EKF_N];
};

/* The transition matrix is the identity but for these entries. */
struct ekf_transition {
	double soc_lnq;      /* d soc / d lnQ */
	double v1_v1;        /* d V1 / d V1 */
	double v2_v2;        /* d V2 / d V2 */
	double v2_soc;       /* d V2 / d soc */
	double bias_bias;    /* d bias / d bias */
	double deep_deep;    /* d deep / d deep */
	double noise[EKF_N]; /* variances added, all >= 0 */
};

/* Sets the states and a diagonal covariance from standard deviations. */
void ekf_init(struct ekf *f, const double x[EKF_N], const double std[EKF_N]);

/* P := F P F' + Q. The caller has already moved x. */
void ekf_predict(struct ekf *f, const struct ekf_transition *t);

/* Variance of a scalar measurement with row h and noise variance r: h P h' + r. */
double ekf_innovation_variance(const struct ekf *f, const double h[EKF_N], double r);

/*
 * Scalar update with innovation y, row h, noise variance r (> 0), changing only the
 * states in mask. Joseph form, symmetrised.
 */
void ekf_update(
	struct ekf *f, const double h[EKF_N], double r, double y, unsigned mask);

/* The covariance where 'state' is another quantity: what it was plus factor times 'by'.
 * The values stay: they are the caller's. */
void ekf_shear(struct ekf *f, int state, int by, double factor);
/* Raises the variance of one state to at least var, leaving its covariances. */
void ekf_inflate(struct ekf *f, int state, double var);
/* Forgets all covariances of one state and sets its value and variance anew. */
void ekf_set(struct ekf *f, int state, double x, double var);

#endif
