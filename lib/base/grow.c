#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int grow(void *array, size_t *cap, size_t i, size_t size)
{
	if (i < *cap)
		return 0;
	size_t want = *cap ? *cap : 32;
	while (want <= i && want <= SIZE_MAX / 2)
		want *= 2;
	if (want <= i || want > SIZE_MAX / size)
		return -1;
	void *p; /* copied as bytes: the caller's pointer has a type of its own */
	memcpy(&p, array, sizeof(p));
	p = realloc(p, want * size);
	if (!p)
		return -1;
	memset((char *)p + *cap * size, 0, (want - *cap) * size);
	memcpy(array, &p, sizeof(p));
	*cap = want;
	return 0;
}
