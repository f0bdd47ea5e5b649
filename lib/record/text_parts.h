/*
 * What text.c (JSON) and text_cell.c (cells) share.
 */
#ifndef RECORD_TEXT_PARTS_H
#define RECORD_TEXT_PARTS_H

#include "record/mp.h"
#include "record/text.h"

/* Appends the value at the cursor, of any type, as JSON; depth is bounded by
 * record_frame. */
void text_any(struct mp_in *in, struct buf *out);
/* An integer that mp_int can read stands at the cursor. */
bool text_integer_ahead(const struct mp_in *in);
/* 0, or -1 with err set: out of memory, or the bytes were malformed. */
int text_done(const struct mp_in *in, const struct buf *out, struct err *err);

#endif
