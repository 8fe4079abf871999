# Helix: one Makefile, no recursion. `make` builds everything into build/.
#
#   make deps | deps-dev     install what Debian needs to build and run | to test and lint
#   make demo                compile the stdlib transformer and train it
#   make check               all tests            make bench      speed tables
#   make lint layers tour    style, include rules, a walk through the sources
#   make install PREFIX=/usr/local

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
OPT     ?= -O2
WARN    := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
# Floating point means what it says: no contraction, no reassociation, whatever OPT is.
FP      := -ffp-contract=off -fno-fast-math -fno-unsafe-math-optimizations -fno-math-errno
CFLAGS  += -std=c17 -D_POSIX_C_SOURCE=200809L -I. -I$(BUILD) $(WARN) $(FP) $(OPT) -g $(EXTRA)
# SPIRV-Tools comes as a static archive of C++; a tool that does not use it does not load libstdc++.
LDLIBS  := -Wl,--as-needed -lutf8proc -lcrypto -ljansson -lz -lSPIRV-Tools -lstdc++ -lm -lpthread

# Sources in pipeline order. A folder's library holds all its .c files but the mains.
FOLDERS := base latent ir frontend codegen runtime
MAINS   := latent/hlxls.c frontend/hlxfmt.c codegen/hlxc.c runtime/hlxrun.c
GEN     := $(BUILD)/frontend/hlxl_scan.c $(BUILD)/frontend/grammar.c

srcs     = $(sort $(filter-out $(MAINS),$(wildcard $(1)/*.c)))
objs     = $(patsubst %.c,$(BUILD)/%.o,$(call srcs,$(1)))
lib      = $(BUILD)/lib$(1).a

LIBS    ?= $(FOLDERS)
TOOLS   := $(BUILD)/bin/hlxc $(BUILD)/bin/hlxrun $(BUILD)/bin/hlxfmt $(BUILD)/bin/hlxls
UNIT    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*_test.c))

.PHONY: all libs tools lib unit units deps deps-dev demo check prove bench ulp lint layers tour format man \
        editors install uninstall clean
.SECONDARY:
.DELETE_ON_ERROR:
all: tools lib
tools: $(TOOLS)
libs: $(foreach f,$(FOLDERS),$(call lib,$(f)))
units: $(UNIT)

$(foreach f,$(FOLDERS),$(eval $(call lib,$(f)): $(call objs,$(f))))
$(call lib,frontend): $(patsubst %.c,%.o,$(GEN)) $(BUILD)/frontend/stdlib.o \
    $(BUILD)/frontend/errors.o
$(BUILD)/lib%.a:
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: $(BUILD)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wno-error -Wno-unused-function -MMD -MP -c -o $@ $<

# Generated sources.
$(BUILD)/frontend/%.c: frontend/%.l
	@mkdir -p $(@D)
	flex -o $@ --header-file=$(@:.c=.h) $<
$(BUILD)/frontend/%.c: frontend/%.y
	@mkdir -p $(@D)
	bison -Wall -Werror --header=$(@:.c=.h) -o $@ $<
$(BUILD)/frontend/stdlib.c: $(wildcard stdlib/*.hlxl) tools/embed.sh
	@mkdir -p $(@D)
	sh tools/embed.sh stdlib_files $(sort $(wildcard stdlib/*.hlxl)) >$@
$(BUILD)/frontend/errors.c: docs/errors.md tools/embed.sh
	@mkdir -p $(@D)
	sh tools/embed.sh error_pages $< >$@
# The kernel that hashes states, which the runtime carries as words.
HASH    := $(BUILD)/runtime/hash_kernel.c
$(call lib,runtime): $(HASH:.c=.o)
$(BUILD)/tools/hash_kernel: $(patsubst %,$(BUILD)/%.o,tools/hash_kernel codegen/emit_hash codegen/spv codegen/spv_kit) \
    $(call lib,base)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)
$(HASH): $(BUILD)/tools/hash_kernel
	@mkdir -p $(@D)
	$< >$@
# The program that tests devices, compiled and packed. It is a library of its own, as hlxc makes it
# and links the runtime's.
DOCTOR  := $(BUILD)/runtime/doctor_pack.c
$(BUILD)/libdoctor.a: $(DOCTOR:.c=.o)
$(BUILD)/runtime/doctor.hbin: runtime/doctor.hlxl $(BUILD)/bin/hlxc
	@mkdir -p $(@D)
	$(BUILD)/bin/hlxc runtime/doctor.hlxl -o $@
$(DOCTOR): $(BUILD)/runtime/doctor.hbin tools/embed_gzip.sh
	sh tools/embed_gzip.sh runtime/doctor_run.h doctor_pack $< >$@
# Whatever includes a generated header waits for it.
$(call objs,frontend) $(patsubst %.c,%.o,$(GEN)): | $(GEN)

# Tools link the folders they may see.
$(BUILD)/bin/hlxls: $(BUILD)/latent/hlxls.o $(foreach f,latent base,$(call lib,$(f)))
$(BUILD)/bin/hlxfmt: $(BUILD)/frontend/hlxfmt.o $(foreach f,frontend ir latent base,$(call lib,$(f)))
$(BUILD)/bin/hlxc: $(BUILD)/codegen/hlxc.o $(foreach f,codegen frontend runtime ir latent base,$(call lib,$(f)))
$(BUILD)/bin/hlxrun: $(BUILD)/runtime/hlxrun.o $(foreach f,runtime doctor ir latent base,$(call lib,$(f)))
$(TOOLS):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

# The evaluator's inner loops; their bits do not depend on it (tests/exact/flags.sh).
$(addprefix $(BUILD)/ir/,tape_run.o eval_matmul.o eval_fold.o eval_move.o): OPT = -O3

# Parsing, which is most of what hlxfmt does.
$(patsubst %.c,%.o,$(GEN)): OPT = -O3

# libhlx: what runtime/hlx.c needs, and of it only what hlx.h declares can be seen from outside. In
# the static library that takes one object, whose hidden names become local.
VERSION  := $(shell sed -n 's/.*HLX_VERSION "\(.*\)"/\1/p' base/version.h)
SONAME   := libhlx.so.$(firstword $(subst ., ,$(VERSION)))
LIBHLX   := $(BUILD)/lib/libhlx.so $(BUILD)/lib/libhlx.a
PIC      := $(foreach f,base latent ir runtime,$(call objs,$(f)))
PIC      := $(PIC:$(BUILD)/%=$(BUILD)/pic/%) $(addprefix $(BUILD)/pic/runtime/,hash_kernel.o doctor_pack.o)
lib: $(LIBHLX)
$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<
$(BUILD)/pic/%.o: $(BUILD)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<
$(BUILD)/pic/all.a: $(PIC)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/lib/$(SONAME): $(BUILD)/pic/all.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--exclude-libs,ALL -Wl,--no-undefined -o $@ \
	    $(BUILD)/pic/runtime/hlx.o $< $(LDLIBS)
$(BUILD)/lib/libhlx.so: $(BUILD)/lib/$(SONAME)
	ln -sf $(SONAME) $@
$(BUILD)/lib/libhlx.a: $(BUILD)/pic/all.a
	@mkdir -p $(@D)
	ld -r -o $(BUILD)/pic/libhlx.o $(BUILD)/pic/runtime/hlx.o $<
	objcopy --localize-hidden $(BUILD)/pic/libhlx.o
	@rm -f $@
	ar rcs $@ $(BUILD)/pic/libhlx.o

# Unit tests link everything; the linker takes what each needs.
GROUP    = -Wl,--start-group $(foreach f,$(FOLDERS) doctor,$(wildcard $(call lib,$(f)))) -Wl,--end-group
DOC_LIB  = $(if $(filter runtime,$(LIBS)),$(BUILD)/libdoctor.a)
$(BUILD)/tests/unit/%_test: $(BUILD)/tests/unit/%_test.o $(foreach f,$(LIBS),$(call lib,$(f))) $(DOC_LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(GROUP) $(LDLIBS) -lcmocka -lmpfr -lgmp
$(BUILD)/tests/unit/grad_test: $(BUILD)/tests/oracle64.o
$(BUILD)/tests/unit/gen_test: $(patsubst %,$(BUILD)/tests/gen/%.o,layout program round)

# Readers of what hlxc writes, for tests/device/*.sh; a forger of receipts.
DEVICE  := $(BUILD)/tests/device/guard $(BUILD)/tests/device/hazard $(BUILD)/tests/receipt/forge \
    $(BUILD)/tests/exact/batches $(BUILD)/tests/exact/swap
$(DEVICE): %: %.o $(foreach f,$(LIBS),$(call lib,$(f))) $(DOC_LIB)
	$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(GROUP) $(LDLIBS)

# What a command takes, for tests/bench/bench.sh.
$(BUILD)/tests/bench/cost: $(BUILD)/tests/bench/cost.o
	$(CC) $(CFLAGS) -o $@ $<

# How fast values are written and read, for tests/bench/bench.sh.
$(BUILD)/tests/bench/codecs: $(BUILD)/tests/bench/codecs.o $(foreach f,latent base,$(call lib,$(f)))
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

# make unit NAME=lcb [LIBS="base latent"]: builds the libraries named, one test, and runs it.
unit: $(foreach f,$(LIBS),$(call lib,$(f)))
	$(MAKE) --no-print-directory BUILD=$(BUILD) $(BUILD)/tests/unit/$(NAME)_test
	$(BUILD)/tests/unit/$(NAME)_test

# ULP of the exact functions: all 2^32 inputs of each (minutes); `make check` takes a sample.
ULP     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/ulp/*.c))
$(BUILD)/tests/ulp/ulp: $(ULP) $(BUILD)/runtime/doctor_pairs.o $(foreach f,ir latent base,$(call lib,$(f)))
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS) -lmpfr -lgmp
$(ULP): OPT = -O3 -march=native
ulp: $(BUILD)/tests/ulp/ulp
	$<

# Colours for editors, from the tables: committed, as people install them from here.
$(BUILD)/tools/editors: $(BUILD)/tools/editors.o $(call lib,base)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)
editors: $(BUILD)/tools/editors
	$< textmate >editors/textmate/hlx.tmLanguage.json
	$< vim >editors/vim/syntax/hlx.vim

# -- what people type -----------------------------------------------------------------------------
deps:
	@sh tools/deps.sh build
deps-dev:
	@sh tools/deps.sh dev

demo: deps
	@$(MAKE) --no-print-directory -j2 tools
	$(BUILD)/bin/hlxc examples/tiny_transformer.hlxl -o $(BUILD)/tiny_transformer.hbin
	$(BUILD)/bin/hlxrun $(BUILD)/tiny_transformer.hbin --train

SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
    -DHLX_TEST_FAULTS
check: deps-dev
	@$(MAKE) --no-print-directory -j2 tools
	@$(MAKE) --no-print-directory -j2 units $(BUILD)/tests/ulp/ulp $(BUILD)/tools/editors $(DEVICE)
	@$(MAKE) --no-print-directory -j2 BUILD=$(BUILD)/san OPT=-O1 EXTRA='$(SAN)' tools
	@$(MAKE) --no-print-directory -j2 BUILD=$(BUILD)/san OPT=-O1 EXTRA='$(SAN)' units
	@sh tests/check.sh $(BUILD) $(BUILD)/san $(SUITES)

# The table of digests: every configuration there is on this machine; REPEAT=5, JOBS=4.
prove: deps
	@$(MAKE) --no-print-directory -j2 tools
	@sh tests/exact/prove.sh $(BUILD)

bench: deps
	@$(MAKE) --no-print-directory -j2 tools
	@$(MAKE) --no-print-directory $(BUILD)/tests/bench/cost $(BUILD)/tests/bench/codecs
	@sh tests/bench/bench.sh $(BUILD)

SOURCES := $(foreach f,$(FOLDERS) tests/unit tests/ulp tests/exact tests/fuzz tests/device tests/bench \
    tests/gen tests/store tools,$(wildcard $(f)/*.[ch]))
TIDY    := $(filter %.c,$(SOURCES))
layers:
	@awk -f tools/layers.awk $(foreach f,$(FOLDERS),$(wildcard $(f)/*.[chly])) && echo "ok - layers"
tour:
	@sh tools/tour.sh
format:
	clang-format -i $(SOURCES)
lint: layers
	clang-format --dry-run -Werror $(SOURCES)
	@awk 'length > 120 && !/VK_LAYER_ENABLES/ {print FILENAME ":" FNR ": over 120 columns"; bad = 1} END {exit bad}' \
	    Makefile tools/*.sh tests/*.sh tests/*/*.sh
	@$(MAKE) --no-print-directory -j2 BUILD=$(BUILD)/clang CC=clang tools
	printf '%s\n' $(TIDY) | xargs -P2 -I{} clang-tidy --quiet --warnings-as-errors='*' {} -- \
	    -std=c17 -D_POSIX_C_SOURCE=200809L -I. -I$(BUILD)/clang

man: $(patsubst docs/%.scd,$(BUILD)/man/%,$(wildcard docs/*.scd))
$(BUILD)/man/%: docs/%.scd
	@mkdir -p $(@D)
	scdoc <$< >$@

EXAMPLES := $(patsubst %/,%,$(wildcard examples/*/))
install: tools lib
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(addprefix $(DESTDIR)$(PREFIX)/share/hlx/,examples $(EXAMPLES)) \
	    $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install $(TOOLS) $(DESTDIR)$(PREFIX)/bin
	for d in examples $(EXAMPLES); do \
	    install -m 644 $$(find $$d -maxdepth 1 -type f) $(DESTDIR)$(PREFIX)/share/hlx/$$d || exit 1; \
	done
	install -m 644 runtime/hlx.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(BUILD)/lib/libhlx.a $(DESTDIR)$(PREFIX)/lib
	install $(BUILD)/lib/$(SONAME) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libhlx.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' runtime/hlx.pc.in \
	    >$(DESTDIR)$(PREFIX)/lib/pkgconfig/hlx.pc
	@if command -v scdoc >/dev/null; then $(MAKE) --no-print-directory man && \
	    install -m 644 $(BUILD)/man/* $(DESTDIR)$(PREFIX)/share/man/man1; \
	else echo "scdoc is missing: man pages are not installed"; fi
uninstall:
	rm -f $(patsubst $(BUILD)/%,$(DESTDIR)$(PREFIX)/%,$(TOOLS)) \
	    $(DESTDIR)$(PREFIX)/include/hlx.h $(DESTDIR)$(PREFIX)/lib/libhlx.* \
	    $(DESTDIR)$(PREFIX)/lib/pkgconfig/hlx.pc
	rm -rf $(DESTDIR)$(PREFIX)/share/hlx $(DESTDIR)$(PREFIX)/share/man/man1/hlx*.1

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
