# floatline: one non-recursive Makefile.
#
#   make                 all programs into build/bin
#   make check           unit tests and bats
#   make lint            clang-format, shellcheck, mandoc, layering
#   make VARIANT=asan    ASan and UBSan     -> build/asan/bin
#   make VARIANT=tsan    ThreadSanitizer    -> build/tsan/bin (see scripts/tsan.supp)
#   make VARIANT=clang   the clang build    -> build/clang/bin
#   make coverage fuzz bench install uninstall clean
#
# A file placed in lib/*/, filters/, tests/unit/ or tests/fuzz/ is found by
# itself: nothing needs to be listed here.

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
CC = gcc
VARIANT ?=
B := build$(if $(VARIANT),/$(VARIANT))

PKGS := libzmq libpq sqlite3 zlib inih jansson gsl libsodium libwebsockets
# Kept lazy and cached: pkg-config must not run for 'make clean'.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wformat=2 -Wundef -Wvla -Wswitch-enum -Wno-unused-parameter
OPT := -O2 -g
CPPFLAGS = -D_GNU_SOURCE -Ilib -Ischemas -DFL_VERSION='"$(VERSION)"' \
	-DFL_SHAREDIR='"$(PREFIX)/share/floatline"' -DFL_LIBEXECDIR='"$(PREFIX)/libexec/floatline"'
CFLAGS = -std=c17 $(OPT) $(WARN) -fstack-protector-strong $(VFLAGS)
LDFLAGS = $(VFLAGS) -Wl,--as-needed
LDLIBS = $(PKG_LIBS) -lcsv -lxgboost -lm -lpthread

ifeq ($(VARIANT),asan)
VFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT := -O1 -g
else ifeq ($(VARIANT),tsan)
VFLAGS := -fsanitize=thread -fno-omit-frame-pointer
OPT := -O1 -g
else ifeq ($(VARIANT),clang)
CC := clang
else ifeq ($(VARIANT),cov)
VFLAGS := --coverage -fprofile-update=atomic
OPT := -O1 -g
else ifeq ($(VARIANT),fuzz)
CC := clang
VFLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPT := -O1 -g
endif

LIB_SRC := $(wildcard lib/*/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
LIB := $(B)/libfloatline.a

# A program is filters/NAME.c, or filters/NAME/*.c when it outgrew one file.
PROG_FILES := $(wildcard filters/*.c)
PROG_DIRS := $(patsubst filters/%/,%,$(dir $(wildcard filters/*/*.c)))
PROGS := $(sort $(PROG_FILES:filters/%.c=%) $(PROG_DIRS))
BINS := $(PROGS:%=$(B)/bin/%)
FILTER_SRC := $(PROG_FILES) $(wildcard filters/*/*.c)

UNIT_SRC := $(wildcard tests/unit/*.c)
UNITS := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/tests/fuzz/%)
BENCH_SRC := $(wildcard tests/bench/*.c)
BENCHES := $(BENCH_SRC:tests/bench/%.c=$(B)/tests/bench/%)
MAN := $(wildcard man/*.[157]) $(B)/man/floatline-records.5

# The page of bridge: its own files, and the modules it is made with, whose names for
# each other become paths.
NPM := build/npm
WWW := $(B)/share/floatline/www
WWW_SRC := $(shell find filters/bridge/www -type f ! -name 'package*' ! -name '.*')

all: $(BINS) $(B)/man/floatline-records.5 $(WWW)/.made

# A folder with the modules that a package.json and its lock file name.
define install_modules
	@mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
endef

$(NPM)/.made: $(addprefix filters/bridge/www/,package.json package-lock.json .npmrc)
	$(install_modules)

$(WWW)/.made: $(WWW_SRC) $(NPM)/.made
	@rm -rf $(@D) && mkdir -p $(@D)/vendor
	cd filters/bridge/www && cp -R index.html css js $(CURDIR)/$(@D)
	cp $(NPM)/node_modules/preact/dist/preact.mjs $(@D)/vendor/preact.js
	sed 's|from"preact"|from"./preact.js"|' $(NPM)/node_modules/preact/hooks/dist/hooks.mjs \
		>$(@D)/vendor/hooks.js
	cp $(NPM)/node_modules/htm/dist/htm.module.js $(@D)/vendor/htm.js
	cp $(NPM)/node_modules/uplot/dist/uPlot.esm.js $(@D)/vendor/uplot.js
	cp $(NPM)/node_modules/uplot/dist/uPlot.min.css $(@D)/vendor/uplot.css
	@touch $@

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

.SECONDEXPANSION:
$(BINS): $(B)/bin/%: $$(addprefix $(B)/obj/,$$(addsuffix .o,$$(basename $$(wildcard filters/$$*.c filters/$$*/*.c)))) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(B)/tests/bench/%: $(B)/obj/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lmsgpackc

$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# floatline-records(5) comes from the definitions themselves.
# What a model is told to be made by; written anew only when it changes.
$(B)/gen/revision.h: FORCE
	@mkdir -p $(@D)
	@printf '#define FL_REVISION "%s"\n' \
		"$$(git describe --always --dirty=+ 2>/dev/null || echo unknown)" >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(B)/obj/lib/learn/model.o: $(B)/gen/revision.h
$(B)/obj/lib/learn/model.o: CPPFLAGS += -I$(B)/gen

$(B)/gen/records_man: $(B)/obj/schemas/records_man.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^
$(B)/man/floatline-records.5: $(B)/gen/records_man
	@mkdir -p $(@D)
	$< >$@.tmp && mv $@.tmp $@

# What the tests of the page drive a browser with.
BROWSER := build/browser
$(BROWSER)/.made: $(addprefix tests/browser/,package.json package-lock.json .npmrc)
	$(install_modules)

browser: $(BROWSER)/.made
units: $(UNITS)
fuzzers: $(FUZZERS)
benches: $(BENCHES)

check: all units browser
	scripts/run-tests $(B)

lint:
	scripts/lint

coverage:
	scripts/coverage

fuzz:
	$(MAKE) VARIANT=fuzz fuzzers
	scripts/fuzz build/fuzz

bench: all benches
	scripts/bench $(B)

SHARE_FILES := $(shell find schemas pipelines -type f ! -name '*.c' ! -name '*.def' 2>/dev/null)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/floatline
	install -m 755 $(B)/bin/floatline $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(filter-out $(B)/bin/floatline,$(BINS)) $(DESTDIR)$(PREFIX)/libexec/floatline/
	for f in $(SHARE_FILES); do install -D -m "$$(stat -c %a $$f)" $$f \
		$(DESTDIR)$(PREFIX)/share/floatline/$$f || exit 1; done
	cd $(WWW) && find . -type f ! -name '.*' -exec install -D -m 644 {} \
		$(abspath $(DESTDIR)$(PREFIX))/share/floatline/www/{} \;
	for f in $(MAN); do install -D -m 644 $$f \
		$(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$${f##*/} || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/floatline
	rm -rf $(DESTDIR)$(PREFIX)/libexec/floatline $(DESTDIR)$(PREFIX)/share/floatline
	for f in $(MAN); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$${f##*/}; done

clean:
	rm -rf build

.PHONY: FORCE all units browser fuzzers benches check lint coverage fuzz bench install uninstall clean
.SECONDARY:
.DELETE_ON_ERROR:

-include $(B)/obj/schemas/records_man.d $(LIB_SRC:%.c=$(B)/obj/%.d) $(FILTER_SRC:%.c=$(B)/obj/%.d) \
	$(UNIT_SRC:%.c=$(B)/obj/%.d) $(FUZZ_SRC:%.c=$(B)/obj/%.d) $(BENCH_SRC:%.c=$(B)/obj/%.d)
