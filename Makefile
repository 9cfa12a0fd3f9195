# SPDX-License-Identifier: GPL-2.0-or-later
#
# The one Makefile of pagetax. `make help` lists what it can do.
#
#     include/ src/  ->  libpagetax.a  --.
#     sim/           ->  libsim.a  ------+-->  pagetax      (sim/main.c on top)
#     tests/         ->  libhelpers.a  --+-->  test_*       (one program a file)
#     examples/          libpagetax.a alone
#
#     build/                 the optimised build: libpagetax.a, pagetax
#     build/count/           the same program, counting what operations cost
#     build/watch/           the same, with every load and store of metadata
#     build/check/           the same sources with asserts, and the tests
#     build/check/fan2/...   the library with tiny constants, and tests/tiny_*
#     build/clang/  build/address+undefined/  build/m32/  ...
#                            each choice of CC, SANITIZE and M32 is a whole
#                            build of its own, so they stand beside each other
#
# Sources are found by wildcard, headers by the compiler (-MMD). Each folder of
# objects holds the flags it was built with and is built again when they change.

VERSION := 0.1.0

MAKEFLAGS += -r
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

# -- what the caller may set --------------------------------------------------

ifeq ($(origin CC),default)
CC     := gcc
endif
ifeq ($(origin AR),default)
AR     := ar
endif
# With sanitizers -O2 costs more in the compiler than the tests get back.
CFLAGS  ?= $(if $(SANITIZE),-O1,-O2) -g
LDFLAGS ?=
PREFIX  ?= /usr/local
DESTDIR ?=
O       ?= build
JOBS    ?= $(shell nproc)
INSTALL ?= install

SANITIZE ?=
M32      ?=
WERROR   ?= $(if $(filter true,$(CI)),1)

SCALE      ?= 1/64
INPUT      ?= tests/data/fork-sample
ALLOCATORS ?= linked,twoword

# Seconds a fuzz program runs; all of them, or some by name.
SECONDS ?= 10
FUZZ    ?= $(patsubst tests/fuzz_%.c,%,$(wildcard tests/fuzz_*.c))

# Seconds a test program may take; sanitizers make it slower, not wrong.
TEST_TIMEOUT ?= $(if $(SANITIZE),900,400)

define HELP
  make                      $(O)/libpagetax.a and $(O)/pagetax, optimised
  make lib                  the library only, which needs nothing but libc
  make examples             programs that use the library: $(B)/examples
  make check                install what is missing, build and run every test
  make run                  install what is missing, replay INPUT, report
                              (INPUT=$(INPUT) ALLOCATORS=$(ALLOCATORS))
  make run-scenarios        simulate every built-in scenario at SCALE ($(SCALE))
  make pictures             draw those of the README anew
  make determinism          the same scenarios by five compilations: same bytes?
  make bench-engine         what an event of a simulation costs
  make bench-tera           the same at 1 TiB and at 64 GiB; takes 17 GiB
  make bench-trace-dat      how fast a trace.dat of two million records is read
  make bench                measure the allocators' speed (BENCH=quick|full)
  make costs                words and lines of metadata an operation touches
                              (INPUT=$(INPUT))
  make figures              published figures, computed anew: $(B)/figures
  make fuzz                 mutate what users write, SECONDS=$(SECONDS) each; FUZZ=NAMES
  make layers               prove that includes and symbols point down only
  make debug                $(T)/pagetax, with asserts
  make deps                 install the Debian packages that are missing
  make install, uninstall   under PREFIX ($(PREFIX)), below DESTDIR
  make dist                 a tarball of the last commit
  make compile_commands.json
  make clean

  CC=clang                  any of these makes a build of its own
  SANITIZE=address,undefined | thread
  M32=1                     a 32-bit build (gcc-multilib)
  CFLAGS='-O0 -g'  LDFLAGS=  O=FOLDER  JOBS=N
  WERROR=1                  warnings are errors (so they are when CI=true)
  V=1                       show the commands
endef

# -- which build this is ------------------------------------------------------

empty :=
comma := ,
space := $(empty) $(empty)

cc_name := $(notdir $(lastword $(CC)))
variant := $(subst $(space),-,$(strip $(filter-out gcc cc,$(cc_name)) \
	     $(subst $(comma),+,$(SANITIZE)) $(if $(M32),m32)))
B       := $(O)$(if $(variant),/$(variant))
T       := $(B)/check

# -- flags --------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wpointer-arith -Wcast-qual -Wvla -Wformat=2 -Wundef \
	    $(if $(WERROR),-Werror)

# Recorded files and simulated memory pass 2 GiB on 32-bit machines too.
cpp_flags := -Iinclude -Isrc -D_FILE_OFFSET_BITS=64
c_flags   := -std=gnu11 $(CFLAGS) $(WARNINGS) -pthread
ld_flags  := $(CFLAGS) $(LDFLAGS) -pthread

ifneq ($(SANITIZE),)
c_flags  += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
ld_flags += -fsanitize=$(SANITIZE)
endif

pkg_config := pkg-config

ifneq ($(M32),)
# Sums round as on 64 bits only without the old floating-point unit.
c_flags  += -m32 -msse2 -mfpmath=sse
ld_flags += -m32
# zlib's zconf.h stands in a folder of the other architecture.
cpp_flags += -idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)
# pkg-config is to find the 32-bit libraries only.
pkg_config := PKG_CONFIG_LIBDIR=/usr/lib/$(shell $(CC) -m32 -print-multiarch 2>/dev/null)/pkgconfig \
	      pkg-config
endif

# Only the program reads files; the library needs nothing but libc.
PACKAGES      := libzstd jansson nettle inih $(if $(M32),,zlib gsl)
TEST_PACKAGES := check

# Read trace.dat, too, where the library is there; nothing else needs it.
have_tracecmd := $(shell $(pkg_config) --exists libtracecmd 2>/dev/null && echo 1)
PACKAGES      += $(if $(have_tracecmd),libtracecmd)

# Fused multiplications would round otherwise than separate ones.
sim_flags := -I. $(if $(have_tracecmd),-DHAVE_LIBTRACECMD) -ffp-contract=off -DPAGETAX_VERSION='"$(VERSION)"' \
	     -DPAGETAX_DATADIR='"$(PREFIX)/share/pagetax"' \
	     $(shell $(pkg_config) --cflags $(PACKAGES) 2>/dev/null)
# Headers of GSL and zlib are of one architecture only; libraries may be of two.
sim_libs  := $(shell $(pkg_config) --libs $(PACKAGES) 2>/dev/null) \
	     $(if $(M32),-lz -l:libgsl.so.27 -l:libgslcblas.so.0) -lm

test_flags := -I. $(shell $(pkg_config) --cflags $(TEST_PACKAGES) $(PACKAGES) 2>/dev/null)
test_libs  := $(shell $(pkg_config) --libs $(TEST_PACKAGES) 2>/dev/null)

# -- sources ------------------------------------------------------------------

below = $(sort $(foreach f,$(wildcard $(1)/*),$(call below,$(f),$(2)) $(filter $(2),$(f))))

lib_src  := $(call below,src,%.c)
sim_src  := $(call below,sim,%.c)
main_src := sim/main.c
example_src := $(wildcard examples/*.c)

# tests/: test_*, tiny_* and counted_* are programs, fuzz_* are none of `make
# check`, and the rest helps; what needs the program's parts is named sim_*.
test_src   := $(wildcard tests/test_*.c)
tiny_src   := $(wildcard tests/tiny_*.c)
counted_src := $(wildcard tests/counted_*.c)
fuzz_src   := $(wildcard tests/fuzz_*.c)
helper_src := $(filter-out tests/test_% tests/tiny_% tests/counted_% tests/fuzz_%,$(wildcard tests/*.c))
tiny_helper_src := $(filter-out tests/sim_%,$(helper_src))

# -- recipes ------------------------------------------------------------------

# One line for each command; all of it with V=1, none of it with make -s.
V      ?=
Q      := $(if $(filter 1,$(V)),,@)
silent := $(findstring s,$(firstword -$(MAKEFLAGS)))
say     = $(if $(silent),@:,$(if $(Q),@printf '  %-8s%s\n' '$(1)' '$(2)'))

# Write a line into a file, and touch the file only if that changes it.
update = printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $(1) || \
	 printf '%s\n' '$(subst ','\'',$(2))' >$(1)

.PHONY: FORCE
FORCE:

# $(call objects,FOLDER,FLAGS): how any source becomes an object in FOLDER.
define objects
$(1)/%.o: %.c $(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(cpp_flags) $$(c_flags) $$(instrumented) $(2) -MMD -MP -c -o $$@ $$<
$(1)/sim/%.o: sim/%.c $(1)/flags $(1)/flags.sim
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(cpp_flags) $$(sim_flags) $$(c_flags) $(2) -MMD -MP -c -o $$@ $$<
$(1)/tests/%.o: tests/%.c $(1)/flags $(1)/flags.tests
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(cpp_flags) $$(test_flags) $$(c_flags) $(2) -MMD -MP -c -o $$@ $$<
$(1)/flags: FORCE
	@mkdir -p $$(@D)
	$$(if $$(wildcard $$@),,@CC='$$(CC)' scripts/deps --check $$(deps_options))
	@$$(call update,$$@,$$(CC) $$(cpp_flags) $$(c_flags) $(2))
$(1)/flags.sim: FORCE | $(1)/flags
	@$$(call update,$$@,$$(sim_flags))
$(1)/flags.tests: FORCE | $(1)/flags
	@$$(call update,$$@,$$(test_flags))
$(1)/sources: FORCE | $(1)/flags
	@$$(call update,$$@,$$(all_src))
endef

all_src = $(lib_src) $(sim_src) $(example_src) $(test_src) $(tiny_src) $(counted_src) $(fuzz_src) $(helper_src)

# $(call archive,FILE,OBJECT FOLDER,SOURCES); made anew each time, so that it
# never keeps the object of a source that is gone.
define archive
$(1): $(3:%.c=$(2)/%.o) $(2)/sources
	$$(call say,AR,$$@)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$(filter %.o,$$^)
endef

# $(call program,FILE,OBJECT,ARCHIVES,LIBRARIES)
define program
$(1): $(2) $(3)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(ld_flags) -o $$@ $(2) $(3) $(4)
endef

# $(call build,FOLDER,FLAGS,FLAGS OF ITS LINKS): library and program of a folder
define build
$(call objects,$(1)/obj,$(2))
$(call archive,$(1)/libpagetax.a,$(1)/obj,$(lib_src))
$(call archive,$(1)/obj/libsim.a,$(1)/obj,$(filter-out $(main_src),$(sim_src)))
$(call program,$(1)/pagetax,$(1)/obj/sim/main.o,\
	$(1)/obj/libsim.a $(1)/libpagetax.a,$(3) $(sim_libs))
endef

# -- the optimised build ------------------------------------------------------

.PHONY: all
all: $(B)/pagetax $(if $(variant),,compile_commands.json)

$(eval $(call build,$(B),-DNDEBUG))

# -- the library without the program ------------------------------------------

.PHONY: lib examples
lib: $(B)/libpagetax.a
examples: $(example_src:%.c=$(B)/%)

$(foreach folder,$(B) $(T),$(foreach e,$(example_src:%.c=%),$(eval \
	$(call program,$(folder)/$(e),$(folder)/obj/$(e).o,$(folder)/libpagetax.a,))))

# -- the counting build, for the figures ---------------------------------------

C := $(B)/count

$(eval $(call build,$(C),-DNDEBUG -DPAGETAX_COUNT))

# -- the watched build, which counts words and lines of every design ------------
#
# The compiler announces each load and store of the library to
# src/base/cost_hooks.c, through what it has for the thread sanitizer. Where
# that has another use, or is not to be had, there is no such build.

W := $(B)/watch

can_watch     := $(if $(SANITIZE)$(M32),,1)
watched       := -fsanitize=thread $(addprefix -fno-builtin-,memcpy memmove memset)
watched_links := $(addprefix -Wl$(comma)--wrap=,memcpy memmove memset)

$(addprefix $(W)/obj/src/,alloc/% lib/% machine/%): instrumented = $(watched)

$(eval $(call build,$(W),-DNDEBUG -DPAGETAX_COUNT -DPAGETAX_HOOKS,$(watched_links)))

# Tests of what is counted run in that build.
counted_programs := $(if $(can_watch),$(counted_src:tests/%.c=$(W)/%))

$(eval $(call archive,$(W)/obj/libhelpers.a,$(W)/obj,$(tiny_helper_src)))
$(foreach t,$(counted_programs),$(eval $(call program,$(t),$(W)/obj/tests/$(notdir $(t)).o,\
	$(W)/obj/libhelpers.a $(W)/libpagetax.a,$(watched_links) $(test_libs) -lm)))

# -- the checked build and its tests ------------------------------------------

.PHONY: debug
debug: $(T)/pagetax

$(eval $(call build,$(T),-DPAGETAX_COUNT))
$(eval $(call archive,$(T)/obj/libhelpers.a,$(T)/obj,$(helper_src)))

test_programs := $(test_src:tests/%.c=$(T)/%)
$(foreach t,$(test_programs),$(eval $(call program,$(t),$(T)/obj/tests/$(notdir $(t)).o,\
	$(T)/obj/libhelpers.a $(T)/obj/libsim.a $(T)/libpagetax.a,\
	$(test_libs) $(sim_libs))))

# It runs them.
$(T)/test_examples: $(example_src:%.c=$(T)/%)

# Our own calls for memory fail when the test says so; those of libraries do not.
$(T)/test_faults: ld_flags += $(foreach f,malloc aligned_alloc calloc realloc strdup strndup,-Wl,--wrap=$(f))

# Pages so small that ten entries make a deep tree: `fan` child words a node.
tiny_fan2 := -DPAGE_SHIFT=4 -DMAX_PAGE_ORDER=3 -DPAGEBLOCK_ORDER=2 -DKM_MAX_IDX=4
tiny_fan4 := -DPAGE_SHIFT=5 -DMAX_PAGE_ORDER=3 -DPAGEBLOCK_ORDER=2 -DKM_MAX_IDX=4
tiny_fan8 := -DPAGE_SHIFT=6 -DMAX_PAGE_ORDER=4 -DPAGEBLOCK_ORDER=3 -DKM_MAX_IDX=4
# For structs that would not fit into such pages: five of 48 bytes in 256, or ten.
tiny_fan32 := -DPAGE_SHIFT=8 -DMAX_PAGE_ORDER=3 -DPAGEBLOCK_ORDER=2 -DKM_MAX_IDX=4
tiny_fan64 := -DPAGE_SHIFT=9 -DMAX_PAGE_ORDER=3 -DPAGEBLOCK_ORDER=2 -DKM_MAX_IDX=4
# Sanitizers look at the same lines in each: at the deepest trees, and at all designs.
TINY_VARIANTS := $(if $(SANITIZE),fan2 fan32,fan2 fan4 fan8 fan32 fan64)

# $(call tiny,VARIANT): every tiny_* program, as VARIANT/tiny_*
define tiny
$(call objects,$(T)/$(1)/obj,$(tiny_$(1)))
$(call archive,$(T)/$(1)/libpagetax.a,$(T)/$(1)/obj,$(lib_src))
$(call archive,$(T)/$(1)/obj/libhelpers.a,$(T)/$(1)/obj,$(tiny_helper_src))
$(foreach t,$(tiny_src:tests/%.c=%),
$(call program,$(T)/$(1)/$(t),$(T)/$(1)/obj/tests/$(t).o,\
	$(T)/$(1)/obj/libhelpers.a $(T)/$(1)/libpagetax.a,$(test_libs) -lm))
endef
$(foreach v,$(TINY_VARIANTS),$(eval $(call tiny,$(v))))

tiny_programs := $(foreach v,$(TINY_VARIANTS),$(tiny_src:tests/%.c=$(T)/$(v)/%))

# What takes long begins first, so that no processor waits for the other at last.
check_programs := $(tiny_programs) $(counted_programs) $(test_programs)
long_programs  := $(filter $(addprefix %_,explore conformance validate report \
			simulate cli random tax parallel),$(check_programs))

.PHONY: check test do-check
check: deps
	@$(submake) do-check
test: check

do-check: $(T)/pagetax $(check_programs)
	@PAGETAX=$(T)/pagetax PAGETAX_PLOTS=plots SANITIZE=$(SANITIZE) \
	scripts/run-tests -t $(TEST_TIMEOUT) -l $(T)/log \
		$(long_programs) $(filter-out $(long_programs),$(check_programs))

# -- fuzzing ------------------------------------------------------------------

# libFuzzer comes with clang; its build is one of those that stand beside. What
# a program finds worth keeping stays in its corpus and is where it goes on the
# next time. More memory at once than this is refused, as a full machine would.
fuzz_build   := CC=clang SANITIZE=address,undefined,fuzzer-no-link
fuzz_memory  := 64
fuzz_options := -timeout=20 -rss_limit_mb=2048 -max_len=65536 -close_fd_mask=1

.PHONY: fuzz fuzz-objects do-fuzz $(FUZZ:%=fuzz-%)
fuzz:
	@scripts/deps clang
	@$(submake) $(fuzz_build) do-fuzz

$(foreach t,$(fuzz_src),$(eval $(call program,$(t:tests/%.c=$(T)/%),\
	$(t:tests/%.c=$(T)/obj/tests/%.o),\
	$(T)/obj/libhelpers.a $(T)/obj/libsim.a $(T)/libpagetax.a,\
	-fsanitize=fuzzer $(test_libs) $(sim_libs))))

# For who wants to know only that they still compile.
fuzz-objects: $(fuzz_src:tests/%.c=$(T)/obj/tests/%.o)

do-fuzz: $(FUZZ:%=fuzz-%)
$(FUZZ:%=fuzz-%): fuzz-%: $(T)/fuzz_%
	$(call say,FUZZ,$*)
	@mkdir -p $(O)/fuzz/$*/corpus
	$(Q)ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=$(fuzz_memory) \
	$< $(fuzz_options) -max_total_time=$(SECONDS) -artifact_prefix=$(O)/fuzz/$*/ \
		$(O)/fuzz/$*/corpus $(wildcard tests/data/fuzz/$*) >$(O)/fuzz/$*/log 2>&1 || \
		{ tail -n 40 $(O)/fuzz/$*/log; exit 1; }
	@sed -n 's/^#\([0-9]*\).*DONE *cov: \([0-9]*\).*/           $*: \1 inputs, \2 places reached/p' \
		$(O)/fuzz/$*/log

# -- running it ---------------------------------------------------------------

# Flags come from pkg-config when make starts, so what needs packages that may
# be missing goes on in a second make; that one uses every processor.
submake = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

deps_options := $(if $(M32),--m32)

.PHONY: deps run do-run pictures bench costs do-costs figures do-figures
deps:
	@CC='$(CC)' scripts/deps $(deps_options)

run: deps
	@$(submake) do-run

do-run: $(B)/pagetax
	$(B)/pagetax replay -a $(ALLOCATORS) -o $(B)/run $(INPUT)
	@echo
	@echo "The result is in $(B)/run; its report, for a browser:"
	@$(B)/pagetax report $(B)/run

# Every built-in scenario, small, with every allocator; each run verifies itself.
scenarios := $(basename $(notdir $(wildcard sim/scenarios/*.ini)))

.PHONY: run-scenarios determinism bench-engine bench-tera bench-trace-dat
run-scenarios: $(B)/pagetax
	@for s in $(scenarios); do \
		echo "== $$s"; \
		$(B)/pagetax simulate -a all --scale $(SCALE) $$s || exit 1; \
	done

determinism: deps
	@scripts/determinism -o $(O)/determinism

figures: deps
	@$(submake) do-figures

do-figures: $(C)/pagetax
	$(C)/pagetax figures -o $(B)/figures

# What each design reads and writes for an operation of INPUT.
costs: deps
	@$(submake) do-costs

do-costs: $(W)/pagetax
	$(W)/pagetax replay -a all $(INPUT)

# The pictures that README.md and plots/README.md show, drawn anew.
pictures      := plots/pictures
picture_run   := $(B)/pictures
picture_plots := tax metadata breakeven contiguity unusable buddyinfo fragments memory owners

pictures: $(B)/pagetax
	@mkdir -p $(pictures) $(picture_run)
	$(B)/pagetax simulate -q --no-plots --scale 0.25 -a linked,twoword,memdesc \
		-o $(picture_run)/desktop desktop
	@for p in $(picture_plots); do \
		$(B)/pagetax plot $$p $(picture_run)/desktop -o $(pictures)/$$p.png || exit; \
	done
	@for s in small-folios large-folios; do \
		$(B)/pagetax simulate -q --no-plots -a linked,twoword,memdesc \
			-o $(picture_run)/$$s $$s && \
		$(B)/pagetax plot tax $(picture_run)/$$s -o $(pictures)/$$s.png || exit; \
	done
	$(B)/pagetax replay -q --no-plots -o $(picture_run)/sample tests/data/fork-sample
	$(B)/pagetax plot tax $(picture_run)/sample -o $(pictures)/sample.png
	$(B)/pagetax validate -q --no-plots -a linked -o $(picture_run)/validate tests/data/fork-sample
	$(B)/pagetax plot validate $(picture_run)/validate -o $(pictures)/validate.png
	$(B)/pagetax fit -q -o $(picture_run)/fit.ini tests/data/fork-sample
	gnuplot -c plots/fit.gp $(pictures)/fit.png $(picture_run)/fit.tsv
	$(B)/pagetax bench -q --no-plots -a linked,twoword,memdesc --memory 256M \
		--pattern a1,aB,aW,c,b -o $(picture_run)/bench
	$(B)/pagetax plot bench $(picture_run)/bench -o $(pictures)/bench.png

# The engine alone, with about 10^5, 10^6 and 10^7 blocks live; 1000 for 10^8,
# which takes 3 GiB. How the time of an event grows, beside the logarithm.
ENGINE_SCALES ?= 1 10 100
bench-engine: $(B)/pagetax
	@for scale in $(ENGINE_SCALES); do \
		$(B)/pagetax simulate -a null --sample 1s --scale $$scale tests/data/ten-classes.ini; \
	done | awk -v want=$(words $(ENGINE_SCALES)) -f tests/engine.awk

# What an event of `tera` costs at 64 GiB and at 1 TiB, in turns. The tables of
# linked alone are 16 GiB then. Samples look at all memory, so few are taken.
# A second of 64 GiB tells little on a host that others share, so it is run often.
TERA_ALLOCATORS ?= twoword linked
TERA_ROUNDS     ?= 1 2 3
TERA_SCALES     ?= 1/16 1/16 1/16 1 1/16 1/16 1/16
bench-tera: $(B)/pagetax
	@for a in $(TERA_ALLOCATORS); do \
		for round in $(TERA_ROUNDS); do \
			for scale in $(TERA_SCALES); do \
				echo "run $$a $$scale $$round"; \
				$(B)/pagetax simulate --no-plots -a $$a --sample 1s \
					--scale $$scale tera; \
			done; \
		done; \
	done | awk -f tests/tera.awk

# A trace.dat of the tests' making, as none can be recorded everywhere.
TRACE_DAT_RECORDS ?= 2000000
bench-trace-dat: $(B)/pagetax $(T)/test_trace_dat
	@mkdir -p $(B)/bench
	PAGETAX_RECORDS=$(TRACE_DAT_RECORDS) PAGETAX_TRACE_DAT=$(B)/bench/large.dat \
		$(T)/test_trace_dat
	$(B)/pagetax bench --pattern stream -a linked,twoword $(B)/bench/large.dat

# Times from the optimised build, and beside them the lines that the watched
# build counts and the instructions that valgrind does. The default asks every
# allocator on one machine of 4 GiB, half full; BENCH=quick leaves out what is
# slow, BENCH=full runs every case there is, 64 GiB among them.
BENCH     ?= default
bench_all := all
bench_few := linked,twoword,memdesc,embedded16,packed8,inpage,hybrid,llfree,null
bench_patterns := --pattern a1,aB,aW,c,b
bench_default  := -a $(bench_all) --highmem none
bench_quick    := -a $(bench_few) --highmem none --memory 1G --repeats 3
bench_full     := -a $(bench_all) --memory 4G,64G --occupancy 50,90,95 \
		  --lock none,spin,percpu --threads 1,2
bench_options   = $(bench_$(BENCH))
bench_costs    := $(B)/bench/costs-$(BENCH).json

.PHONY: do-bench
bench: deps
	@$(submake) do-bench

do-bench: $(B)/pagetax $(bench_costs) $(B)/bench/instructions.tsv
	$(B)/pagetax bench $(bench_options) $(bench_patterns),policy,stream \
		--costs $(bench_costs) \
		--instructions $(B)/bench/instructions.tsv -o $(B)/bench/result $(INPUT)

# One wave is enough to count; the threads and locks of a case change no line.
$(bench_costs): $(W)/pagetax
	@mkdir -p $(@D)
	$(W)/pagetax bench -q $(bench_options) --threads 1 $(bench_patterns) \
		--ops 100000 --repeats 1 --json $@

$(B)/bench/instructions.tsv: $(B)/pagetax scripts/bench-instructions
	@mkdir -p $(@D)
	scripts/bench-instructions $(B)/pagetax \
		$$($(B)/pagetax list allocators | awk '/^[a-z]/ { print $$1 }') >$@

# -- layers -------------------------------------------------------------------

lib_headers := $(call below,include,%.h) $(call below,src,%.h)
sim_headers := $(call below,sim,%.h)

.PHONY: layers
layers: $(lib_src:%.c=$(B)/obj/%.o) $(sim_src:%.c=$(B)/obj/%.o)
	@awk -f tests/layers.awk $(lib_src) $(lib_headers) $(sim_src) $(sim_headers)
	@nm -A -f sysv $(filter %.o,$^) | awk -v objects=$(B)/obj/ -f tests/symbols.awk

# -- the rest -----------------------------------------------------------------

bin_dir   := $(DESTDIR)$(PREFIX)/bin
data_dir  := $(DESTDIR)$(PREFIX)/share/pagetax
man_pages := $(wildcard doc/*.[1-9])

# Where a man page goes: doc/pagetax.1 to man1.
man_page = $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1))

.PHONY: install uninstall dist clean help
install: $(B)/pagetax
	$(INSTALL) -D -m 755 -t $(bin_dir) $(B)/pagetax
	$(INSTALL) -D -m 644 -t $(data_dir)/plots $(wildcard plots/*.gp)
	$(INSTALL) -D -m 644 -t $(data_dir)/scenarios $(wildcard sim/scenarios/*.ini)
	$(INSTALL) -D -m 644 -t $(data_dir)/scenarios/include $(wildcard sim/scenarios/include/*.ini)
	$(foreach p,$(man_pages),$(INSTALL) -D -m 644 $(p) $(call man_page,$(p)) &&) :

uninstall:
	rm -f $(bin_dir)/pagetax $(foreach p,$(man_pages),$(call man_page,$(p)))
	rm -rf $(data_dir)

dist:
	@mkdir -p $(O)
	git archive --prefix=pagetax-$(VERSION)/ -o $(O)/pagetax-$(VERSION).tar.gz HEAD

# What editors and analysers want to know: one entry for each source, with the
# flags of the build it belongs to.
json_escaped = $(subst ','\'',$(subst ",\",$(subst \,\\,$(1))))
define json_entries
@for f in $(1); do \
	printf '{ "directory": "%s", "file": "%s", "command": "%s -c %s" },\n' \
		'$(CURDIR)' $$f '$(call json_escaped,$(CC) $(cpp_flags) $(2) $(c_flags) $(3))' $$f; \
done >>$@.tmp
endef

compile_commands.json: $(B)/obj/flags $(B)/obj/flags.sim $(B)/obj/flags.tests $(B)/obj/sources
	$(call say,JSON,$@)
	@echo '[' >$@.tmp
	$(call json_entries,$(lib_src) $(example_src),,-DNDEBUG)
	$(call json_entries,$(sim_src),$(sim_flags),-DNDEBUG)
	$(call json_entries,$(test_src) $(fuzz_src) $(helper_src),$(test_flags),-DPAGETAX_COUNT)
	$(call json_entries,$(tiny_src),$(test_flags),$(tiny_fan2))
	$(call json_entries,$(counted_src),$(test_flags),-DNDEBUG -DPAGETAX_COUNT)
	@sed -e '$$ s/,$$//' $@.tmp >$@ && echo ']' >>$@ && rm -f $@.tmp

clean:
	rm -rf $(O) compile_commands.json

help:
	$(info $(HELP))
	@:

-include $(wildcard $(patsubst %.c,$(B)/obj/%.d,$(lib_src) $(sim_src) $(example_src)) \
	$(patsubst %.c,$(C)/obj/%.d,$(lib_src) $(sim_src)) \
	$(patsubst %.c,$(W)/obj/%.d,$(lib_src) $(sim_src) $(counted_src) $(tiny_helper_src)) \
	$(patsubst %.c,$(T)/obj/%.d,$(all_src)) \
	$(foreach v,$(TINY_VARIANTS),\
	$(patsubst %.c,$(T)/$(v)/obj/%.d,$(lib_src) $(tiny_src) $(tiny_helper_src))))
