/* battery_states.json: an object of objects, by key of the battery. */
#include "report/fleet.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

static const off_t STATES_MAX = 64 << 20; /* bytes: it is held as a whole */

static void check_states(struct quality *q, const struct fleet_facts *f, json_t *states)
{
	const char *key;
	json_t *state;
	json_object_foreach(states, key, state)
	{
		q->checks[CHECK_REFERENCES].checked++;
		q->checks[CHECK_CELLS].checked++;
		if (ids_find(&f->keys.of[LAYOUT_BATTERY], str_of(key)) == IDS_NONE)
			finding(q, CHECK_REFERENCES, LAYOUT_STATES, 0,
				"'%.60s' is not in battery", key);
		if (!json_is_object(state))
			finding(q, CHECK_CELLS, LAYOUT_STATES, 0,
				"the state of '%.60s' is no object", key);
	}
}

static void lack(struct quality *q, const char *what)
{
	finding(q, CHECK_FILES, LAYOUT_STATES, 0, "%s", what);
	finding_raise(q, CHECK_FILES, VERDICT_WARN);
}

void states_read(struct quality *q, const struct fleet_facts *f)
{
	char path[4200];
	struct stat st;
	json_error_t why;
	snprintf(path, sizeof(path), "%.4000s/" LAYOUT_STATES, q->dir);
	q->checks[CHECK_FILES].checked++;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		lack(q, "is not there (the rest can do without)");
		return;
	}
	if (st.st_size > STATES_MAX) {
		lack(q, "is too large to be checked");
		return;
	}
	json_t *states = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(states)) {
		check_states(q, f, states);
	} else {
		finding(q, CHECK_ROWS, LAYOUT_STATES, states ? 1 : why.line,
			"no JSON object: %s", states ? "another value" : why.text);
		finding_raise(q, CHECK_ROWS, VERDICT_FAIL);
	}
	json_decref(states);
}
