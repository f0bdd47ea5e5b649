#include "estimate/surface.h"

#include <math.h>

static const double FARAD_PER_AH = 10; /* fact sheet, section 1: 1 kF/100 Ah */
static const double FADE_S = 86400;    /* at rest it lasts about a day [E] */

void surface_set(struct surface *s, const struct battery_model *m, double over_v)
{
	double share =
		m->surface_ah > 0 && m->surface_deep_ah > 0 ? m->surface_deep : 0;
	s->deep_v = share * over_v;
	s->quick_v = over_v - s->deep_v;
}

double surface_deep_left(const struct battery_model *m, double charge_as)
{
	return m->surface_deep_ah > 0 ? exp(-charge_as / (3600 * m->surface_deep_ah))
				      : 1;
}

double surface_quick_v(const struct battery_model *m, double quick_v, double charge_as)
{
	if (m->surface_ah > 0)
		return quick_v * exp(-charge_as / (3600 * m->surface_ah));
	double farad = m->surface_f > 0 ? m->surface_f : FARAD_PER_AH * m->capacity_ah;
	return fmax(0, quick_v - charge_as / farad);
}

void surface_step(
	struct surface *s, const struct battery_model *m, double mean_a, double dt_s)
{
	double keep = fmax(0, 1 - dt_s / FADE_S);
	s->quick_v *= keep;
	s->deep_v *= keep;
	if (!(mean_a < 0))
		return;
	s->quick_v = surface_quick_v(m, s->quick_v, -mean_a * dt_s);
	s->deep_v *= surface_deep_left(m, -mean_a * dt_s);
}
