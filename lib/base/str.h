/*
 * Strings that are not ours: a pointer and a length, not NUL-terminated, owned by
 * whoever made the buffer. s == NULL means missing (nil), which is not the same as "".
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *s;
	uint32_t len;
};

#define STR_NIL ((struct str){NULL, 0})
/* printf("%.*s", STR_ARG(x)) */
#define STR_ARG(x) (int)(x).len, (x).s ? (x).s : ""

/* A view of the NUL-terminated string s; NULL gives STR_NIL. */
static inline struct str str_of(const char *s)
{
	return (struct str){s, s ? (uint32_t)strlen(s) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && !a.s == !b.s &&
	       (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

static inline bool str_is(struct str a, const char *b)
{
	return a.s && a.len == strlen(b) && memcmp(a.s, b, a.len) == 0;
}

/*
 * Copies a into dst (of size bytes) and terminates it; a longer string is cut.
 * Returns false when it was cut. nil gives "".
 */
bool str_copy(char *dst, size_t size, struct str a);

/*
 * The length of the well-formed UTF-8 sequence at s, of which n bytes (> 0) are at
 * hand; 0 when it is none (RFC 3629: no surrogates, no overlong forms, nothing past
 * U+10FFFF).
 */
size_t utf8_length(const uint8_t *s, size_t n);

#endif
