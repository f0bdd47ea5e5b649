#include "estimate/ekf.h"

#include <string.h>

void ekf_init(struct ekf *f, const double x[EKF_N], const double std[EKF_N])
{
	memset(f, 0, sizeof(*f));
	for (int i = 0; i < EKF_N; i++) {
		f->x[i] = x[i];
		f->p[i][i] = std[i] * std[i];
	}
}

/* F has few entries off the identity, so F P F' is a few row and column operations. */
void ekf_predict(struct ekf *f, const struct ekf_transition *t)
{
	double(*p)[EKF_N] = f->p;
	for (int j = 0; j < EKF_N; j++) {
		p[EKF_V1][j] *= t->v1_v1;
		p[EKF_BIAS][j] *= t->bias_bias;
		p[EKF_DEEP][j] *= t->deep_deep;
		p[EKF_V2][j] = t->v2_v2 * p[EKF_V2][j] + t->v2_soc * p[EKF_SOC][j];
		p[EKF_SOC][j] += t->soc_lnq * p[EKF_LNQ][j];
	}
	for (int i = 0; i < EKF_N; i++) {
		p[i][EKF_V1] *= t->v1_v1;
		p[i][EKF_BIAS] *= t->bias_bias;
		p[i][EKF_DEEP] *= t->deep_deep;
		p[i][EKF_V2] = t->v2_v2 * p[i][EKF_V2] + t->v2_soc * p[i][EKF_SOC];
		p[i][EKF_SOC] += t->soc_lnq * p[i][EKF_LNQ];
	}
	for (int i = 0; i < EKF_N; i++)
		p[i][i] += t->noise[i];
}

double ekf_innovation_variance(const struct ekf *f, const double h[EKF_N], double r)
{
	double s = r;
	for (int i = 0; i < EKF_N; i++) {
		double u = 0;
		for (int j = 0; j < EKF_N; j++)
			u += f->p[i][j] * h[j];
		s += h[i] * u;
	}
	return s;
}

void ekf_update(struct ekf *f, const double h[EKF_N], double r, double y, unsigned mask)
{
	double u[EKF_N], k[EKF_N], m[EKF_N][EKF_N];
	double s = r;
	for (int i = 0; i < EKF_N; i++) {
		u[i] = 0;
		for (int j = 0; j < EKF_N; j++)
			u[i] += f->p[i][j] * h[j];
		s += h[i] * u[i];
	}
	for (int i = 0; i < EKF_N; i++) {
		k[i] = mask & EKF_BIT(i) ? u[i] / s : 0;
		f->x[i] += k[i] * y;
	}
	/* M = (I - k h) P, then P = M (I - k h)' + k r k'. */
	for (int i = 0; i < EKF_N; i++)
		for (int j = 0; j < EKF_N; j++)
			m[i][j] = f->p[i][j] - k[i] * u[j];
	for (int i = 0; i < EKF_N; i++) {
		double mh = 0;
		for (int j = 0; j < EKF_N; j++)
			mh += m[i][j] * h[j];
		double c = k[i] * r - mh;
		for (int j = 0; j < EKF_N; j++)
			m[i][j] += c * k[j];
	}
	for (int i = 0; i < EKF_N; i++) {
		f->p[i][i] = m[i][i];
		for (int j = 0; j < i; j++)
			f->p[i][j] = f->p[j][i] = 0.5 * (m[i][j] + m[j][i]);
	}
}

void ekf_shear(struct ekf *f, int state, int by, double factor)
{
	for (int j = 0; j < EKF_N; j++)
		f->p[state][j] += factor * f->p[by][j];
	for (int i = 0; i < EKF_N; i++)
		f->p[i][state] += factor * f->p[i][by];
}

void ekf_inflate(struct ekf *f, int state, double var)
{
	if (f->p[state][state] < var)
		f->p[state][state] = var;
}

void ekf_set(struct ekf *f, int state, double x, double var)
{
	f->x[state] = x;
	for (int j = 0; j < EKF_N; j++)
		f->p[state][j] = f->p[j][state] = 0;
	f->p[state][state] = var;
}
