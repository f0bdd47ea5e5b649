#include "base/code.h"

/* Cuts the last '-'-separated part off *rest and returns it; nil when there is only
 * one. */
static struct str cut(struct str *rest)
{
	for (uint32_t i = rest->len; i > 0; i--)
		if (rest->s[i - 1] == '-') {
			struct str part = {rest->s + i, rest->len - i};
			rest->len = i - 1;
			return part;
		}
	return STR_NIL;
}

static bool all_digits(struct str s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (s.s[i] < '0' || s.s[i] > '9')
			return false;
	return s.len > 0;
}

static bool lettered(struct str s, char letter)
{
	return s.len > 1 && s.s[0] == letter &&
	       all_digits((struct str){s.s + 1, s.len - 1});
}

/* Takes "-J07" or "-S1" off the end of *rest where it is there. */
static struct str cut_lettered(struct str *rest, char letter)
{
	struct str before = *rest;
	struct str part = cut(rest);
	if (part.s && lettered(part, letter))
		return part;
	*rest = before;
	return STR_NIL;
}

/* Takes "-ENV01" off: a room sensor hangs in a site, not in a system. */
static struct str cut_sensor(struct str *rest)
{
	struct str before = *rest;
	struct str part = cut(rest);
	uint32_t letters = 0;
	if (!part.s)
		return STR_NIL;
	while (letters < part.len && part.s[letters] >= 'A' && part.s[letters] <= 'Z')
		letters++;
	struct str digits = {part.s + letters, part.len - letters};
	if (letters > 1 && all_digits(digits) && memchr(rest->s, '-', rest->len))
		return part;
	*rest = before;
	return STR_NIL;
}

/* Takes "-UPS-01" off the end, but leaves "DC-CNX-01" alone: a site keeps two parts or
 * more. */
static struct str cut_system(struct str *rest)
{
	struct str before = *rest;
	struct str digits = cut(rest);
	struct str name = digits.s ? cut(rest) : STR_NIL;
	if (name.s && all_digits(digits) && memchr(rest->s, '-', rest->len))
		return (struct str){name.s, name.len + 1 + digits.len};
	*rest = before;
	return STR_NIL;
}

struct code_parts code_split(struct str code)
{
	struct code_parts p = {0};
	if (!code.s)
		return p;
	p.site = code;
	p.jar = cut_lettered(&p.site, 'J');
	p.string = cut_lettered(&p.site, 'S');
	if (!p.jar.s && !p.string.s)
		p.sensor = cut_sensor(&p.site);
	p.system = cut_system(&p.site);
	return p;
}

/* The beginning of code up to the end of 'part'. */
static struct str up_to(struct str code, struct str part)
{
	if (!part.s)
		return code;
	return (struct str){code.s, (uint32_t)(part.s + part.len - code.s)};
}

struct str code_string(struct str battery)
{
	return up_to(battery, code_split(battery).string);
}

struct str code_system(struct str battery_or_string)
{
	return up_to(battery_or_string, code_split(battery_or_string).system);
}

struct str code_site(struct str any)
{
	return code_split(any).site;
}
