#include "export/key.h"

#include "base/ids.h"
#include "base/rng.h"

#include <stdio.h>

char *export_key(
	char dst[EXPORT_KEY_SIZE], enum layout_id file, struct str code, int64_t number)
{
	uint64_t h =
		rng_key(rng_key(hash_bytes(code.s, code.len), file), (uint64_t)number);
	uint64_t a = rng_bits(h, 0), b = rng_bits(h, 1);
	a = (a & ~UINT64_C(0xf000)) | UINT64_C(0x8000);       /* version 8 */
	b = (b & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62); /* variant */
	snprintf(dst, EXPORT_KEY_SIZE, "%08x-%04x-%04x-%04x-%012llx",
		(unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
		(unsigned)(a & 0xffff), (unsigned)(b >> 48),
		(unsigned long long)(b & UINT64_C(0xffffffffffff)));
	return dst;
}
