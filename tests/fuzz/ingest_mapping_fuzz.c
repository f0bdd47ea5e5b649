/* Mapping files of arbitrary bytes; what parses must bind to its own columns. */
#include "ingest/convert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct mapping m;
	static struct convert c;
	struct str header[MAP_TARGETS_MAX];
	struct err err = {0};
	int columns = 0;
	char *text = malloc(n + 1);
	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	if (mapping_parse(&m, "m", text, &err) == 0) {
		for (int i = 0; i < m.ntargets; i++)
			header[columns++] = str_of(m.targets[i].column);
		for (int i = 0; i < m.ntables; i++)
			m.tables[i].file[0] = '\0'; /* opens no file of a wild name */
		if (convert_open(&c, &m, header, columns, "f", ".", "A", &err) == 0) {
			union rec_any rec;
			struct converted out;
			struct row row = {.field = header, .n = columns};
			convert_row(&c, &row, 0, &rec, &out, &err);
		}
		convert_close(&c);
	}
	free(text);
	return 0;
}
