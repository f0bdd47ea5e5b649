#include "stream/outlet_internal.h"

#include "stream/signals.h"

#include <errno.h>
#include <stdio.h>

static int zmq_failed(const struct outlet *o, struct err *err)
{
	return err_set(
		err, ERR_IO, "cannot watch '%s': %s", o->name, zmq_strerror(errno));
}

int push_watch(struct outlet *o, void *zmq, struct err *err)
{
	char address[64];
	int immediate = 1; /* queue only for readers that are there */
	int poll_ms = SEND_POLL_MS, linger = 0;
	snprintf(address, sizeof(address), "inproc://watch-%s", o->feed);
	zmq_setsockopt(o->socket, ZMQ_IMMEDIATE, &immediate, sizeof(immediate));
	zmq_setsockopt(o->socket, ZMQ_SNDTIMEO, &poll_ms, sizeof(poll_ms));
	if (zmq_socket_monitor(o->socket, address,
		    ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) < 0)
		return zmq_failed(o, err);
	o->monitor = zmq_socket(zmq, ZMQ_PAIR);
	if (!o->monitor || zmq_connect(o->monitor, address) < 0)
		return zmq_failed(o, err);
	zmq_setsockopt(o->monitor, ZMQ_LINGER, &linger, sizeof(linger));
	return 0;
}

/* Takes the events that have come: each is a number, and an address of no interest. */
static void take_events(struct outlet *o)
{
	uint8_t event[6], address[ADDRESS_MAX];
	while (zmq_recv(o->monitor, event, sizeof(event), ZMQ_DONTWAIT) > 0) {
		uint16_t number;
		memcpy(&number, event, sizeof(number));
		zmq_recv(o->monitor, address, sizeof(address), 0);
		if (number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
			o->readers++;
		} else if (o->readers > 0) {
			o->readers--;
			o->reader_left = o->seq > 0 && !o->ended;
		}
	}
}

int push_check(struct outlet *o, struct err *err)
{
	take_events(o);
	if (o->reader_left)
		return err_set(err, ERR_IO,
			"the reader of '%s' has gone; what was on its way is lost",
			o->name);
	if (o->readers == 0 && signals_seen())
		return err_set(err, ERR_IO, "'%s': stopped while waiting for a reader",
			o->name);
	return 0;
}

int push_write(struct outlet *o, const uint8_t *p, size_t n, struct err *err)
{
	if (push_check(o, err) < 0)
		return -1;
	return outlet_send(o, NULL, ++o->seq, p, n, err);
}

bool outlet_ready(struct outlet *o)
{
	int events = 0;
	size_t size = sizeof(events);
	take_events(o);
	return o->readers > 0 && !o->reader_left &&
	       zmq_getsockopt(o->socket, ZMQ_EVENTS, &events, &size) == 0 &&
	       events & ZMQ_POLLOUT;
}

void outlet_abandon(struct outlet *o)
{
	o->reader_left = true;
}
