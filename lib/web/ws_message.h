/*
 * What a client may say on its WebSocket: one JSON object a message, read strictly,
 * for anybody may send anything.
 */
#ifndef WEB_WS_MESSAGE_H
#define WEB_WS_MESSAGE_H

#include "base/err.h"
#include "record/kinds.h"
#include "web/token.h"

enum { WS_MESSAGE_MAX = 4096, FEED_ID_SIZE = 17 };

enum ws_type {
	WS_AUTH,
	WS_SUBSCRIBE_FLEET,
	WS_SUBSCRIBE_LOCATION,
	WS_SUBSCRIBE_BATTERY,
	WS_UNSUBSCRIBE_FLEET,
	WS_UNSUBSCRIBE_LOCATION,
	WS_UNSUBSCRIBE_BATTERY,
	WS_PING,
};

enum last_seq { LAST_UNSAID = -2, LAST_NONE = -1 };

struct ws_message {
	enum ws_type type;
	char token[ACCESS_TOKEN_SIZE];
	char feed[FEED_ID_SIZE]; /* "": not given */
	/* The number of the last message seen; LAST_NONE: a null, LAST_UNSAID: not
	 * given. */
	int64_t last_seq;
	char code[CODE_MAX + 1]; /* of the site or battery */
	char run[CODE_MAX + 1];  /* "": production */
	bool batch;              /* takes updates in arrays */
};

/* Reads the n bytes at p. ERR_DATA says what is wrong with them; any bytes are safe. */
int ws_message_read(const char *p, size_t n, struct ws_message *m, struct err *err);

#endif
