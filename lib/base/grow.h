/* Arrays that are as long as what is numbered (ids.h), whenever a number is new. */
#ifndef BASE_GROW_H
#define BASE_GROW_H

#include <stddef.h>

/*
 * Grows an array of *cap elements of 'size' bytes so that index i fits; new elements
 * are zero. 'array' is the address of the caller's pointer to the array, of whatever
 * type. Returns 0, or -1 when out of memory: the array is then as it was.
 */
int grow(void *array, size_t *cap, size_t i, size_t size);

#endif
