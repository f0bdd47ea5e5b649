/*
 * Codes: the identity of everything, SITE-SYSTEM-STRING-JAR. A code names its parents
 * by its own beginning: "DC-CNX-01-UPS-01-S1-J07" is a jar of the string
 * "DC-CNX-01-UPS-01-S1", of the system "DC-CNX-01-UPS-01", of the site "DC-CNX-01".
 * From the right, a jar is J and digits, a string S and digits, a system letters and,
 * after a '-', digits; the rest is the site. A room sensor of a site has letters and
 * digits in one part: "DC-CNX-01-ENV01". A code of another shape (a single battery of a
 * foreign data set) is its own string, system and site.
 */
#ifndef BASE_CODE_H
#define BASE_CODE_H

#include "base/str.h"

struct code_parts {
	/* The parts alone: "UPS-01", "S1"; nil where absent. */
	struct str site, system, string, jar, sensor;
};

struct code_parts code_split(struct str code);

/* The code of the parent, a beginning of the argument; the argument itself where it has
 * no such part. */
struct str code_string(struct str battery);
struct str code_system(struct str battery_or_string);
struct str code_site(struct str any);

#endif
