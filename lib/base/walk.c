#include "base/walk.h"
#include "base/grow.h"

void walk_bytes(struct walk *k, void *p, size_t n)
{
	if (k->failed || n == 0)
		return;
	if (k->out) {
		buf_append(k->out, p, n);
		k->failed = k->out->failed;
	} else if (n > k->left) {
		k->failed = true;
	} else {
		memcpy(p, k->in, n);
		k->in += n;
		k->left -= n;
	}
}

uint32_t walk_number(struct walk *k, size_t n)
{
	uint32_t x = (uint32_t)n;
	walk_bytes(k, &x, sizeof(x));
	return k->failed ? 0 : x;
}

struct str walk_text(struct walk *k, struct str s)
{
	uint32_t n = walk_number(k, s.len);
	if (k->out) {
		buf_append(k->out, s.s, s.len);
		return s;
	}
	if (k->failed || n > k->left) {
		k->failed = true;
		return STR_NIL;
	}
	struct str read = {(const char *)k->in, n};
	k->in += n;
	k->left -= n;
	return read;
}

bool walk_element(
	struct walk *k, bool has, void *array, size_t *cap, size_t i, size_t size)
{
	char *elements;
	if (!walk_number(k, has))
		return false;
	if (grow(array, cap, i, size) < 0) {
		k->failed = true;
		return false;
	}
	memcpy(&elements, array, sizeof(elements));
	walk_bytes(k, elements + i * size, size);
	return !k->failed;
}

int walk_open(
	struct walk *k, const struct buf *in, const struct buf *want, struct err *err)
{
	if (want->failed)
		return err_nomem(err);
	if (in->len < want->len || memcmp(in->data, want->data, want->len) != 0)
		return err_set(err, ERR_USAGE,
			"the state was kept by another version, or with other options "
			"or another run: use the same, or another --state");
	*k = (struct walk){.in = in->data + want->len, .left = in->len - want->len};
	return 0;
}

int walk_end(const struct walk *k, struct err *err)
{
	if (k->failed || k->left)
		return err_set(err, ERR_IO, "the state is damaged; remove it");
	return 0;
}
