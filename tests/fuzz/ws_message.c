/*
 * Any bytes as a message on a WebSocket. What is taken is within its bounds, and what
 * is refused says why.
 */
#include "web/ws_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ws_message m;
	struct err err = {0};
	if (ws_message_read((const char *)data, size, &m, &err) < 0) {
		if (err.class != ERR_DATA || err.msg[0] == '\0')
			abort();
		return 0;
	}
	if (size > WS_MESSAGE_MAX || m.last_seq < LAST_UNSAID ||
		strlen(m.token) >= sizeof(m.token) || strlen(m.code) > CODE_MAX ||
		strlen(m.run) > CODE_MAX || (m.type == WS_AUTH && !*m.token) ||
		(m.type == WS_SUBSCRIBE_LOCATION && !*m.code))
		abort();
	return 0;
}
