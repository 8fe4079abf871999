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
FP      := -ffp-contract=off -fno-fast-math -fno-unsafe-math-optimizations
CFLAGS  += -std=c17 -D_POSIX_C_SOURCE=200809L -I. -I$(BUILD) $(WARN) $(FP) $(OPT) -g $(EXTRA)
LDLIBS  := -lutf8proc -lcrypto -ljansson -lz -lm -lpthread

# Sources in pipeline order. A folder's library holds all its .c files but the mains.
FOLDERS := base latent ir frontend codegen runtime
MAINS   := frontend/hlxfmt.c codegen/hlxc.c runtime/hlxrun.c
GEN     := $(BUILD)/frontend/hlxl_scan.c $(BUILD)/frontend/grammar.c

srcs     = $(sort $(filter-out $(MAINS),$(wildcard $(1)/*.c)))
objs     = $(patsubst %.c,$(BUILD)/%.o,$(call srcs,$(1)))
lib      = $(BUILD)/lib$(1).a

TOOLS   := $(BUILD)/bin/hlxc $(BUILD)/bin/hlxrun $(BUILD)/bin/hlxfmt
UNIT    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*_test.c))

.PHONY: all clean unit
.SECONDARY:
.DELETE_ON_ERROR:
all: $(TOOLS)

$(foreach f,$(FOLDERS),$(eval $(call lib,$(f)): $(call objs,$(f))))
$(call lib,frontend): $(patsubst %.c,%.o,$(GEN)) $(BUILD)/frontend/stdlib.o
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
	sh tools/embed.sh $(sort $(wildcard stdlib/*.hlxl)) >$@
# Whatever includes a generated header waits for it.
$(call objs,frontend) $(patsubst %.c,%.o,$(GEN)): | $(GEN)

# Tools link the folders they may see.
$(BUILD)/bin/hlxfmt: $(BUILD)/frontend/hlxfmt.o $(foreach f,frontend ir latent base,$(call lib,$(f)))
$(BUILD)/bin/hlxc: $(BUILD)/codegen/hlxc.o $(foreach f,codegen frontend runtime ir latent base,$(call lib,$(f)))
$(BUILD)/bin/hlxrun: $(BUILD)/runtime/hlxrun.o $(foreach f,runtime ir latent base,$(call lib,$(f)))
$(TOOLS):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

# Unit tests link everything; the linker takes what each needs.
$(BUILD)/tests/unit/%_test: $(BUILD)/tests/unit/%_test.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -Wl,--start-group $(foreach f,$(FOLDERS),$(wildcard $(call lib,$(f)))) -Wl,--end-group $(LDLIBS) -lcmocka -lmpfr -lgmp

# make unit NAME=lcb: builds the libraries that exist so far, then one test, and runs it.
LIBS    ?= $(FOLDERS)
unit: $(foreach f,$(LIBS),$(call lib,$(f)))
	$(MAKE) --no-print-directory BUILD=$(BUILD) $(BUILD)/tests/unit/$(NAME)_test
	$(BUILD)/tests/unit/$(NAME)_test

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
