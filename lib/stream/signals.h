/*
 * TERM, INT and HUP, the one thing that belongs to the process and not to a value: the
 * handler sets a flag, and ends the process with status 3 on a second signal or when
 * the drain time-out is over. Not for libraries: only the flow installs it.
 */
#ifndef STREAM_SIGNALS_H
#define STREAM_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Installs the handlers. drain_timeout_ms (0: none) limits the time between the first
 * signal and the end. quiet_pipe: SIGPIPE is ignored (several outputs, sinks);
 * otherwise it gets its default action and ends the program quietly, even when the
 * parent had it ignored.
 */
void signals_install(int64_t drain_timeout_ms, bool quiet_pipe);
/* From now on HUP does not end the program, but is noted. */
void signals_watch_hangup(void);
/* Whether HUP has come since it was last asked. */
bool signals_hangup(void);
/* True once TERM or INT has come. */
bool signals_seen(void);
/* Waits until fd is readable, at most timeout_ms (-1: for ever), or a signal comes. 1
 * readable, 0 not, -1 signal. */
int signals_wait(int fd, int64_t timeout_ms);

#endif
