/*
 * Prints floatline-records(5) from records.def: the build runs it, so that the page
 * cannot differ from the code.
 */
#include <stdio.h>
#include <string.h>

struct set {
	const char *name, *word; /* word NULL: the set begins */
};
struct field {
	const char *kind, *name, *type, *unit, *set, *need, *doc;
};
struct kind {
	int number;
	const char *name;
	int version;
	const char *doc;
};

/* clang-format off */
static const struct set SETS[] = {
#define NAMES(set) {#set, NULL},
#define NAME(set, word) {#set, #word},
#define END_NAMES(set)
#define KIND(number, name, version, doc)
#define FIELD(kind, name, type, unit, set, need, doc)
#define END_KIND(name)
#include "records.def"
#undef NAMES
#undef NAME
#undef KIND
#undef FIELD
	{NULL, NULL}};

#define NAMES(set)
#define NAME(set, word)

static const struct kind KINDS[] = {
#define KIND(number, name, version, doc) {number, #name, version, doc},
#define FIELD(kind, name, type, unit, set, need, doc)
#include "records.def"
#undef KIND
#undef FIELD
	{0, NULL, 0, NULL}};

static const struct field FIELDS[] = {
#define KIND(number, name, version, doc)
#define FIELD(kind, name, type, unit, set, need, doc) \
	{#kind, #name, #type, unit, #set, #need, doc},
#include "records.def"
	{0}};
/* clang-format on */

/* One row per type of records.def: how it travels. */
static const struct {
	const char *name, *wire, *doc;
} TYPES[] = {
	{"TIME", "int64", "milliseconds since 1970-01-01T00:00:00Z"},
	{"INT", "int32", "whole number"},
	{"LONG", "int64", "whole number"},
	{"F32", "float32", "finite; a reader also takes float64 and integers"},
	{"F64", "float64", "finite; a reader also takes float32 and integers"},
	{"ENUM", "uint", "index of a word of its set"},
	{"BITS", "uint", "bit I stands for word I of its set"},
	{"BOOL", "bool", "true or false"},
	{"CODE", "str", "identity, at most 64 bytes"},
	{"TEXT", "str", "UTF-8, at most 4096 bytes"},
	{"PAIRS", "array", "[[text, float32], ...], at most 32"},
	{"STRS", "array", "[text, ...], at most 32"},
	{"COUNTS", "array", "[[kind, count], ...], at most 128"},
	{"CHAIN", "array", "[[program, version, arguments], ...], at most 32"},
};

static const char HEAD[] =
	".\\\" Generated from schemas/records.def: do not edit.\n"
	".Dd August 25, 2026\n"
	".Dt FLOATLINE-RECORDS 5\n"
	".Os floatline\n"
	".Sh NAME\n"
	".Nm floatline-records\n"
	".Nd kinds of records in a floatline stream\n"
	".Sh DESCRIPTION\n"
	"A stream is a concatenation of MessagePack arrays\n"
	".Li [kind, field, field, ...] .\n"
	"Element 0 is the number of the kind; the fields follow by position.\n"
	"Missing values are nil.\n"
	"Current is positive when it charges the battery.\n"
	"Batteries are named\n"
	".Ar SITE Ns - Ns Ar SYSTEM Ns - Ns Ar STRING Ns - Ns Ar JAR ;\n"
	"sites, systems and strings by the prefixes of that.\n"
	".Ss The frame of a stream\n"
	"An\n"
	".Cm origin\n"
	"record opens a stream and an\n"
	".Cm end\n"
	"record closes it; a stream without the latter was cut off.\n"
	"Before the first record of a kind comes its schema record, kind 0:\n"
	".Pp\n"
	".Dl [0, kind, name, version, [[field, type, unit, words], ...]]\n"
	".Pp\n"
	"Readers find fields by name: fields they do not know are skipped, fields "
	"they\n"
	"expect and do not find are nil.\n"
	"Records of a kind that a program does not know are passed on byte for byte.\n"
	"Streams laid end to end are one stream.\n"
	".Ss Bounds\n"
	"A record is at most 1 MiB long and nested 8 deep, a kind has at most 96 "
	"fields,\n"
	"a set of words at most 31, kind numbers end at 127.\n"
	"A reader refuses anything larger before it allocates memory for it.\n"
	".Ss Types\n"
	".Bl -column \"COUNTS\" \"float32\" \"a description of some length\"\n"
	".It Em type Ta Em wire Ta Em meaning\n";

/* Text of a definition as mdoc: a hyphen stays one, a leading dot is no macro. */
static void put(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else
			putchar(*s);
	}
}

static void print_types(void)
{
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		printf(".It %s Ta %s Ta %s\n", TYPES[i].name, TYPES[i].wire,
			TYPES[i].doc);
	printf(".El\n");
}

static void print_fields(const struct kind *k)
{
	printf(".Bl -column \"ripple_voltage_rms_v\" \"COUNTS\" \"degC\" \"need\" "
	       "\"a description of some length\"\n"
	       ".It Em field Ta Em type Ta Em unit Ta \\& Ta Em meaning\n");
	for (const struct field *f = FIELDS; f->kind; f++) {
		if (strcmp(f->kind, k->name) != 0)
			continue;
		printf(".It %s Ta %s Ta %s Ta %s Ta ", f->name, f->type,
			*f->unit ? f->unit : "\\&",
			strcmp(f->need, "NEED") == 0 ? "need" : "\\&");
		put(f->doc);
		if (strcmp(f->set, "none") != 0 && strcmp(f->set, f->name) != 0)
			printf(" (set %s)", f->set);
		printf("\n");
	}
	printf(".El\n");
}

static void print_kinds(void)
{
	printf(".Sh KINDS\n"
	       "The number of the kind stands before its name.\n"
	       "A field marked\n.Em need\nis never nil.\n");
	for (const struct kind *k = KINDS; k->name; k++) {
		printf(".Ss %d %s\n", k->number, k->name);
		printf("Version %d: ", k->version);
		put(k->doc);
		printf(".\n");
		print_fields(k);
	}
}

static void print_sets(void)
{
	printf(".Sh WORDS\n"
	       "The words of enumerations (by value) and of bit sets (by bit), from "
	       "0.\n"
	       ".Bl -tag -width Ds\n");
	for (const struct set *s = SETS; s->name; s++) {
		if (!s->word)
			printf(".It Cm %s\n", s->name);
		else
			printf("%s%s\n", s->word, s[1].name && s[1].word ? "," : "");
	}
	printf(".El\n");
}

int main(void)
{
	fputs(HEAD, stdout);
	print_types();
	print_kinds();
	print_sets();
	printf(".Sh SEE ALSO\n"
	       ".Xr floatline 1 ,\n"
	       ".Xr floatline-decode 1 ,\n"
	       ".Xr floatline-encode 1 ,\n"
	       ".Xr floatline 7\n"
	       ".Pp\n"
	       ".Lk https://msgpack.org/ MessagePack\n");
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
