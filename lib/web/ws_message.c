#include "web/ws_message.h"

#include <jansson.h>

/* Members that a message has or may have. */
enum {
	TOKEN = 1,
	FEED = 2,
	LAST = 4,
	LOCATION = 8,
	BATTERY = 16,
	RUN = 32,
	BATCH = 64
};

static const struct {
	const char *word;
	int needs, takes;
} TYPES[] = {
	[WS_AUTH] = {"auth", TOKEN, TOKEN | FEED | LAST | BATCH},
	[WS_SUBSCRIBE_FLEET] = {"subscribe_fleet", 0, RUN | LAST},
	[WS_SUBSCRIBE_LOCATION] = {"subscribe_location", LOCATION,
		LOCATION | RUN | LAST},
	[WS_SUBSCRIBE_BATTERY] = {"subscribe_battery", BATTERY, BATTERY | RUN | LAST},
	[WS_UNSUBSCRIBE_FLEET] = {"unsubscribe_fleet", 0, RUN},
	[WS_UNSUBSCRIBE_LOCATION] = {"unsubscribe_location", LOCATION, LOCATION | RUN},
	[WS_UNSUBSCRIBE_BATTERY] = {"unsubscribe_battery", BATTERY, BATTERY | RUN},
	[WS_PING] = {"ping", 0, 0},
};

static int copy_text(const char *name, json_t *v, bool may_be_empty, char *dst,
	size_t size, struct err *err)
{
	if (!json_is_string(v))
		return err_set(err, ERR_DATA, "'%s' is a text", name);
	struct str s = {json_string_value(v), (uint32_t)json_string_length(v)};
	if ((s.len == 0 && !may_be_empty) || memchr(s.s, '\0', s.len) ||
		!str_copy(dst, size, s))
		return err_set(err, ERR_DATA, "'%s' has from %d to %zu bytes, none 0",
			name, may_be_empty ? 0 : 1, size - 1);
	return 0;
}

static int take_last(json_t *v, struct ws_message *m, struct err *err)
{
	m->last_seq = LAST_NONE;
	if (json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return err_set(err, ERR_DATA, "'last_seq' is a number from 0, or null");
	m->last_seq = json_integer_value(v);
	return 0;
}

/* Takes a member. Returns its bit, 0 for one that no message has, -1. */
static int take_member(
	const char *name, json_t *v, struct ws_message *m, struct err *err)
{
	if (strcmp(name, "token") == 0)
		return copy_text(name, v, false, m->token, sizeof(m->token), err) < 0
			       ? -1
			       : TOKEN;
	if (strcmp(name, "feed") == 0)
		return !json_is_null(v) && copy_text(name, v, false, m->feed,
						   sizeof(m->feed), err) < 0
			       ? -1
			       : FEED;
	if (strcmp(name, "last_seq") == 0)
		return take_last(v, m, err) < 0 ? -1 : LAST;
	if (strcmp(name, "run") == 0)
		return copy_text(name, v, true, m->run, sizeof(m->run), err) < 0 ? -1
										 : RUN;
	if (strcmp(name, "batch") == 0) {
		m->batch = json_is_true(v);
		return json_is_boolean(v)
			       ? BATCH
			       : err_set(err, ERR_DATA, "'batch' is true or false");
	}
	int which = strcmp(name, "location") == 0  ? LOCATION
		    : strcmp(name, "battery") == 0 ? BATTERY
						   : 0;
	if (which && copy_text(name, v, false, m->code, sizeof(m->code), err) < 0)
		return -1;
	return which;
}

static int find_type(json_t *o, struct err *err)
{
	json_t *type = json_object_get(o, "type");
	for (size_t i = 0; json_is_string(type) && i < sizeof(TYPES) / sizeof(*TYPES);
		i++)
		if (strcmp(json_string_value(type), TYPES[i].word) == 0)
			return (int)i;
	return err_set(err, ERR_DATA, "no such 'type' of message");
}

static int read_object(json_t *o, struct ws_message *m, struct err *err)
{
	const char *name;
	json_t *v;
	int given = 0, type = find_type(o, err);
	if (type < 0)
		return -1;
	m->type = (enum ws_type)type;
	json_object_foreach(o, name, v)
	{
		if (strcmp(name, "type") == 0)
			continue;
		int bit = take_member(name, v, m, err);
		if (bit < 0)
			return -1;
		if (!(bit & TYPES[type].takes))
			return err_set(err, ERR_DATA, "'%s' takes no such member",
				TYPES[type].word);
		given |= bit;
	}
	if (TYPES[type].needs & ~given)
		return err_set(err, ERR_DATA, "'%s' lacks a member", TYPES[type].word);
	return 0;
}

int ws_message_read(const char *p, size_t n, struct ws_message *m, struct err *err)
{
	json_error_t e;
	*m = (struct ws_message){.last_seq = LAST_UNSAID};
	if (n > WS_MESSAGE_MAX)
		return err_set(err, ERR_DATA, "the message is longer than %d bytes",
			WS_MESSAGE_MAX);
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, &e);
	if (!o)
		return err_set(err, ERR_DATA, "the message is no JSON: %s", e.text);
	int r = json_is_object(o)
			? read_object(o, m, err)
			: err_set(err, ERR_DATA, "the message is a JSON object");
	json_decref(o);
	return r;
}
