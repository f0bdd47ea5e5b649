/* A list of batteries as the book of a fleet: what is taken is whole and in order. */
#include "base/diag.h"
#include "ingest/fleet_book.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct fleet *f)
{
	int64_t jars = 0;
	for (int64_t i = 0; i < f->book.nstrings; i++) {
		struct fleet_string s;
		fleet_string(f, i, &s);
		if (s.first != jars || s.jars < 1 || s.jars > 64 || s.system < 0 ||
			s.system >= f->nsystems || s.site >= f->book.nsites ||
			!f->book.sites[s.site].plan)
			abort();
		jars += s.jars;
	}
	if (jars != fleet_jars(f) || fleet_strings(f, jars) != f->book.nstrings)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fleet fleet;
	struct err err = {0};
	struct text t;
	char path[4096];

	if (!fleet.nsites && (share_path("schemas/fleet/thailand.ini", path,
				      sizeof(path), &err) < 0 ||
				     fleet_load(path, &fleet, &err) < 0))
		abort();
	if (text_memory(&t, "book.csv", data, size, &err) < 0)
		return 0;
	if (fleet_book_text(&fleet, &t, &err) == 0)
		check(&fleet);
	else if (fleet.book.nstrings)
		abort();
	text_close(&t);
	fleet_unload(&fleet);
	return 0;
}
