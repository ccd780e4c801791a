# ketsweep: `make` builds build/release/ketsweep, `make help` lists everything else.
#
# tools/probe.sh finds the libraries; it names the variables (HDF5_ROOT, SUNDIALS_ROOT, ...) that it listens to.
# Also heeded: CC=clang, ARCH=x86-64-v3 (for -march), CFLAGS, LDFLAGS, WERROR=1 (a warning is an error), V=1 (show
# the commands), VARIANT (the folder under build/). A change of flags compiles anew.

ifeq ($(origin CC),default)
CC       := gcc
endif
VARIANT  ?= release$(addprefix -,$(filter-out gcc,$(notdir $(firstword $(CC)))))
BUILD    := build/$(VARIANT)
VERSION  := $(shell sed -n 's/^\#define KS_VERSION "\(.*\)"/\1/p' src/base/build_info.h)
PREFIX   ?= /usr/local
PYTHON   ?= $(shell tools/probe.sh --python)
RANKS    ?= $(shell n=$$(nproc); echo $$((n < 2 ? 2 : n > 4 ? 4 : n)))
SUITES   ?= unit science mpi cli tools web docs crash slurm fuzz house
CFLAGS   ?= -O3 -g
LANES    := 1 2 4 8

DIALECT  := -std=c11 -D_POSIX_C_SOURCE=200809L -DH5_USE_110_API -ffp-contract=off -fno-math-errno $(addprefix -march=,$(ARCH))
# What makes a mistake end the program rather than go on; measured to cost less than 1 % of the time. Empty for sanitizers.
HARDENED ?= -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARD_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes
KS_FLAGS  = $(CFLAGS) $(HARDENED) $(DIALECT) $(WARNINGS) -ffile-prefix-map=$(CURDIR)=. -Isrc -I$(BUILD)/src $(FOUND_CFLAGS)
COMPILE   = $(CC) $(KS_FLAGS) $(if $(WERROR),-Werror) -MMD -MP
LINK      = $(CC) $(CFLAGS) $(if $(HARDENED),$(HARD_LINK)) $(LDFLAGS)
# In an archive git has put it into tools/commit.
COMMIT    = $(shell if test -e .git; then git describe --always --dirty 2>/dev/null; else sed '/Format/d' tools/commit; fi)

SOURCES  := $(sort $(wildcard src/*/*.c))
HEADERS  := $(sort $(wildcard src/*/*.h))
LANED    := $(sort $(wildcard src/*/*_lanes.c))
PLAIN    := $(filter-out $(LANED) src/app/main.c,$(SOURCES))
FORMATTED = $(SOURCES) $(HEADERS) $(wildcard tests/*/*.[ch])
TESTS    := $(wildcard tests/unit/test_*.c tests/science/test_*.c tests/mpi/test_*.c)
MAIN     := $(BUILD)/src/app/main.o
OBJECTS  := $(PLAIN:%.c=$(BUILD)/%.o) $(foreach w,$(LANES),$(LANED:%.c=$(BUILD)/%.w$(w).o))
PROGRAMS := $(TESTS:%.c=$(BUILD)/%)

# What makes mpirun quiet on one small machine, for root too. Not for clusters.
QUIET_MPI := OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
             OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1 HWLOC_COMPONENTS=-opencl \
             PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none

# ---- What is here. Goals that compile nothing, or that let setup.sh install first, do not look. ------------------

WITH_SETUP := demo test test-unit test-science test-mpi test-cli test-tools test-web test-docs test-crash test-slurm asan
GOALS      := $(filter-out help clean layers format format-check test-aarch64 test-mpich uninstall dist dist-check fresh \
              $(WITH_SETUP),$(or $(MAKECMDGOALS),all))
ROOTS      := HDF5_ROOT HDF5_DIR SUNDIALS_ROOT SUNDIALS SUITESPARSE_ROOT RANDOM123_ROOT GSL_ROOT LIBCONFIG_ROOT \
              CMOCKA_ROOT
GIVEN      := $(foreach name,CC $(ROOTS),$(if $($(name)),$(name)='$($(name))'))
ifneq ($(GOALS),)
$(foreach line,$(shell $(GIVEN) tools/probe.sh | tr ' ' '|'),$(eval $(subst |, ,$(line))))
endif
ifneq ($(and $(MISSING),$(filter-out info print-%,$(GOALS))),)
$(shell $(GIVEN) tools/setup.sh --check --build >&2)
$(error ketsweep cannot be built here yet)
endif

# ---- The program -------------------------------------------------------------------------------------------------

all: $(BUILD)/ketsweep ## build the program (the default)

say = $(if $(V),,@printf '%-5s %s\n' $(1) $(2);)

$(BUILD)/ketsweep: $(MAIN) $(BUILD)/libketsweep.a
	$(call say,LINK,$@) $(LINK) -o $@ $^ $(FOUND_LIBS)

$(BUILD)/libketsweep.a: $(OBJECTS)
	$(call say,AR,$@) rm -f $@ && ar rcsD $@ $^

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<) $(COMPILE) $(DEFINES) -c -o $@ $<

# Vectors never cross a call that is not inlined, so gcc's notes on their calling convention do not matter.
LANE_FLAGS = -Wno-psabi -DKS_LANES=$(1) $(if $(filter x86_64,$(MACHINE)),$(LANE_ARCH_$(1)))
MACHINE    := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
LANE_ARCH_4 := -mavx2
LANE_ARCH_8 := -mavx512f -mavx512dq

define lanes_rule
$(BUILD)/%_lanes.w$(1).o: %_lanes.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,"$$< ($(1))") $$(COMPILE) $(LANE_FLAGS) -c -o $$@ $$<
endef
$(foreach w,$(LANES),$(eval $(call lanes_rule,$(w))))

# The model's LU, written out by a program that shares lu.c with the solver.
PROGRAM   := $(BUILD)/src/therapy/linear_program.h
GENERATOR := $(BUILD)/tools/generate_lu
$(GENERATOR): $(addprefix $(BUILD)/,tools/generate_lu.o $(addprefix src/,solver/lu.o model/tables.o base/error.o \
    base/memory.o))
	$(call say,LINK,$@) $(LINK) -o $@ $^ -lm
$(PROGRAM): $(GENERATOR)
	@mkdir -p $(@D)
	$(call say,WRITE,$@) $(EMULATOR) $< >$@.new && mv $@.new $@
$(LANES:%=$(BUILD)/src/therapy/linear_lanes.w%.o): $(PROGRAM)

# The page of a report, put together from src/report/page and turned into the bytes of an array.
PAGE       := $(BUILD)/src/report/page.html
PAGE_BYTES := $(BUILD)/src/report/page_bytes.h
DATA_PLACE := <script type="application/json" id="data"></script>
$(PAGE): $(wildcard src/report/page/*)
	@mkdir -p $(@D)
	$(call say,WRITE,$@) awk -v folder=src/report/page -f src/report/page/assemble.awk src/report/page/report.html \
	    >$@.new && grep -qF '$(DATA_PLACE)' $@.new && mv $@.new $@
$(PAGE_BYTES): $(PAGE)
	$(call say,WRITE,$@) od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/' >$@.new && mv $@.new $@
$(BUILD)/src/report/page.o: $(PAGE_BYTES)

# Rewritten only where its text changes, so that what needs it is made again exactly then.
$(BUILD)/flags: TEXT = $(CC) $(KS_FLAGS) $(if $(WERROR),-Werror)
$(BUILD)/commit: TEXT = $(COMMIT)
$(BUILD)/flags $(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@echo '$(TEXT)' | cmp -s - $@ || echo '$(TEXT)' >$@

$(BUILD)/src/base/build_info.o: $(BUILD)/commit
$(BUILD)/src/base/build_info.o: DEFINES = -DKS_COMMIT='"$(COMMIT)"' -DKS_FLAGS='"$(strip $(CFLAGS) $(DIALECT))"'

tests: $(PROGRAMS) $(BUILD)/tests/docs/model_values ## build the test programs

$(PROGRAMS): %: %.o $(BUILD)/libketsweep.a
	$(call say,LINK,$@) $(LINK) -o $@ $^ $(FOUND_LIBS) $(TEST_LIBS)

$(TESTS:%.c=$(BUILD)/%.o): private FOUND_CFLAGS += $(TEST_CFLAGS)

# The fuzzer's function, with a main that gives it the files of a folder; in the variant "fuzz" the fuzzer's own main.
REPLAY     := $(BUILD)/tests/fuzz/replay
FUZZER     := $(BUILD)/tests/fuzz/fuzz_config
FUZZ_FILES := -Wl,--wrap=fopen,--wrap=stat
$(REPLAY): $(REPLAY).o $(FUZZER).o $(BUILD)/libketsweep.a
	$(call say,LINK,$@) $(LINK) $(FUZZ_FILES) -o $@ $^ $(FOUND_LIBS)
$(FUZZER): $(FUZZER).o $(BUILD)/libketsweep.a
	$(call say,LINK,$@) $(LINK) $(FUZZ_FILES) -fsanitize=fuzzer -o $@ $^ $(FOUND_LIBS)

# What the model computes, for comparison with the equations that its document prints.
MODEL_VALUES := $(BUILD)/tests/docs/model_values
$(MODEL_VALUES): $(MODEL_VALUES).o $(BUILD)/libketsweep.a
	$(call say,LINK,$@) $(LINK) -o $@ $^ $(FOUND_LIBS)

BENCH := $(addprefix $(BUILD)/tools/,bench_solver bench_analysis bench_farm scale_model)
$(BENCH): %: %.o $(BUILD)/libketsweep.a
	$(call say,LINK,$@) $(LINK) -o $@ $^ $(FOUND_LIBS)

# ---- Running and testing it --------------------------------------------------------------------------------------

demo: ## run configs/demo.cfg into build/demo.h5; installs what is missing
test: ## every test; installs what is missing
test-unit test-science test-mpi test-cli test-tools test-web test-docs test-crash test-slurm: SUITES = $(@:test-%=%)
test-unit test-science test-mpi test-cli test-tools test-web test-docs test-crash test-slurm: ## one suite of them
$(WITH_SETUP):
	@tools/setup.sh
	@$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(RANKS)) $(SETTINGS) \
	    $(if $(filter demo,$@),run-demo,run-tests SUITES='$(SUITES)')

asan: ## unit, science and MPI tests under AddressSanitizer and UBSan
asan: SUITES = unit science mpi
asan: SETTINGS = VARIANT=asan HARDENED= \
    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined'
asan: export ASAN_OPTIONS = fast_unwind_on_malloc=0
asan: export LSAN_OPTIONS = suppressions=tests/lsan.supp:print_suppressions=0

# test_elementary compares with long double, which has 64 bits under valgrind; the two others simulate thousands of studies.
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --num-callers=30 \
            --show-leak-kinds=definite --child-silent-after-fork=yes --suppressions=tests/valgrind.supp \
            $(addprefix --suppressions=,$(wildcard /usr/share/openmpi/openmpi-valgrind.supp))
valgrind: export KETSWEEP_LANES = 1
valgrind: $(filter-out $(addprefix %/,test_elementary test_given_intervals test_sobol_indices),$(filter $(BUILD)/tests/unit/% $(BUILD)/tests/science/%,$(PROGRAMS))) ## unit and science tests under valgrind
	@command -v valgrind >/dev/null || { echo 'valgrind is not here (Debian: valgrind)' >&2; exit 1; }
	@for program in $^; do echo "$$program" && $(VALGRIND) $$program >$(BUILD)/valgrind.log 2>&1 || \
	    { cat $(BUILD)/valgrind.log; exit 1; }; done

FUZZ_SECONDS ?= 600
fuzz: ## look for inputs that break the reading of configurations (clang; FUZZ_SECONDS=600); finds lie in build/fuzz/new
	@command -v clang >/dev/null || { echo 'clang is not here (Debian: clang, libclang-rt-dev)' >&2; exit 1; }
	@$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(RANKS)) CC=clang VARIANT=fuzz HARDENED= run-fuzzer \
	    CFLAGS='-O2 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined'

run-fuzzer: export LSAN_OPTIONS = suppressions=tests/lsan.supp:print_suppressions=0
run-fuzzer: $(FUZZER)
	@mkdir -p $(BUILD)/new
	@grep -oE '[a-z_0-9]{2,}' configs/reference.cfg | sort -u | sed 's/.*/"&"/' >$(BUILD)/words
	@$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=16384 \
	    -dict=$(BUILD)/words -print_final_stats=1 -artifact_prefix=$(BUILD)/ $(BUILD)/new tests/fuzz/corpus

run-demo: DEMO = run configs/demo.cfg -o build/demo.h5 --overwrite
run-demo: $(BUILD)/ketsweep
	$(call say,RUN,'mpirun -n $(RANKS) $< $(DEMO)') $(QUIET_MPI) mpirun -n $(RANKS) $< $(DEMO)
	@printf '%s\n' '' 'build/demo.h5 holds the campaign. To look at it:' \
	    '  $< status build/demo.h5' \
	    '  $< report build/demo.h5     # then open build/demo.report.html in a browser' \
	    '  $(PYTHON) -c "import xarray; print(xarray.open_dataset('"'build/demo.h5', engine='h5netcdf'"'))"'

run-tests: $(foreach suite,$(SUITES),$(filter $(BUILD)/tests/$(suite)/%,$(PROGRAMS)))
run-tests: $(if $(filter fuzz,$(SUITES)),$(REPLAY)) $(if $(filter docs,$(SUITES)),$(MODEL_VALUES))
run-tests: $(if $(filter cli tools web docs crash slurm house,$(SUITES)),all)
	@$(PYTHON) tests/run.py --build $(BUILD) $(SUITES)

soak: all ## the tests of crashes in their long form, about an hour; says how often each was tried, survived and equal
	@for file in tests/crash/test_*.py; do \
	    $(QUIET_MPI) KETSWEEP_SOAK=1 KETSWEEP=$(CURDIR)/$(BUILD)/ketsweep $(PYTHON) tests/unittest_tap.py $$file || exit 1; \
	done

test-aarch64: ## unit and science tests on an emulated aarch64, and the same bits there (Debian: gcc-aarch64-linux-gnu, qemu-user)
	@tools/test_aarch64.sh

# Debian keeps MPICH beside Open MPI, by other names; elsewhere its module is loaded instead.
MPICH_BIN := $(CURDIR)/build/mpich-bin
test-mpich: ## unit, MPI and command-line tests with Debian's MPICH (mpich, libhdf5-mpich-dev)
	@mkdir -p $(MPICH_BIN)
	@for name in mpicc mpirun h5pcc; do \
	    command -v $$name.mpich >/dev/null || { echo "$$name.mpich is not here (Debian: mpich, libhdf5-mpich-dev)" >&2; exit 1; }; \
	    printf '#!/bin/sh\nexec %s.mpich "$$@"\n' $$name >$(MPICH_BIN)/$$name && chmod +x $(MPICH_BIN)/$$name; done
	@PATH=$(MPICH_BIN):$$PATH $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(RANKS)) VARIANT=mpich \
	    run-tests SUITES='unit mpi cli'

LARGE := $(BUILD)/tests/large/test_rows
$(LARGE): $(LARGE).o $(BUILD)/libketsweep.a
	$(call say,LINK,$@) $(LINK) -o $@ $^ $(FOUND_LIBS) $(TEST_LIBS)

test-large: all $(LARGE) ## files beyond 2^31 rows and 2^32 bytes; 30 GB in TMPDIR, some minutes
	@$(QUIET_MPI) tests/large/run.sh $(BUILD)

bench: all $(BENCH) ## measure speed, waiting, writing and memory, side by side in one run (SUNDIALS=PREFIX: of your own)
	@$(QUIET_MPI) $(PYTHON) tools/bench.py --build $(BUILD) --folder $(BUILD)/bench

bench-analysis: $(BUILD)/tools/bench_analysis ## measure the sensitivity analysis against NumPy
	@$(PYTHON) tools/bench_analysis.py --build $(BUILD)

validate: all ## run published trials on the shipped cohort: published beside simulated
	@$(QUIET_MPI) $(PYTHON) tools/validate.py --build $(BUILD) --ranks $(RANKS)

FARM := all $(addprefix $(BUILD)/tools/,bench_farm scale_model)
bench-farm: $(FARM) ## measure how fast rank 0 answers, and runs of 2 to 16 ranks beside the model of scale
	@$(QUIET_MPI) $(PYTHON) tools/scale_model.py measure --build $(BUILD)

scale: $(FARM) ## play the farm for up to 10^5 ranks, from what bench-farm has measured; draws jobs/scale.svg
	@$(PYTHON) tools/scale_model.py scale --build $(BUILD)

picture: ## draw README's picture from build/demo.h5
	@$(PYTHON) tools/picture.py build/demo.h5 -o tools/demo.svg

# ---- Keeping the house -------------------------------------------------------------------------------------------

layers: ## check that knowledge flows one way
	@$(PYTHON) tools/check_layers.py

headers: ## check that each header compiles alone
	@for header in $(HEADERS); do printf '#include "%s"\ntypedef int alone;\n' $${header#src/} | \
	    $(CC) $(KS_FLAGS) -Werror -fsyntax-only -x c - || exit 1; done

names: $(OBJECTS) $(MAIN) ## check the names of exported symbols
	@$(PYTHON) tools/check_names.py $(BUILD) $^

syntax: $(PROGRAM) $(PAGE_BYTES)
syntax: ## compile without output, a warning is an error (CC=clang: a second opinion)
	@$(CC) $(KS_FLAGS) -Werror -fsyntax-only $(TEST_CFLAGS) $(PLAIN) $(wildcard src/app/main.c) $(TESTS)
	@for lanes in $(LANES); do \
	    $(CC) $(KS_FLAGS) $(call LANE_FLAGS,$$lanes) -Werror -fsyntax-only $(LANED) || exit 1; done

format: ## format the sources
	@clang-format -i $(FORMATTED)

format-check: ## check that the sources are formatted
	@clang-format --dry-run -Werror $(FORMATTED)

reference: $(BUILD)/ketsweep ## generate configs/reference.cfg
	@$< show config >$(BUILD)/reference.cfg && cp $(BUILD)/reference.cfg configs/

reference-check: $(BUILD)/ketsweep ## check that configs/reference.cfg is as generated
	@$< show config | diff -u configs/reference.cfg -

SHARE := $(DESTDIR)$(PREFIX)/share
install: all ## copy the program, its manual, completions, tools, configs and jobs to PREFIX (/usr/local)
	@install -D $(BUILD)/ketsweep $(DESTDIR)$(PREFIX)/bin/ketsweep
	@$(BUILD)/ketsweep help --man >$(BUILD)/ketsweep.1
	@$(BUILD)/ketsweep completion bash >$(BUILD)/completion.bash
	@$(BUILD)/ketsweep completion zsh >$(BUILD)/completion.zsh
	@install -D -m 644 $(BUILD)/ketsweep.1 $(SHARE)/man/man1/ketsweep.1
	@install -D -m 644 $(BUILD)/completion.bash $(SHARE)/bash-completion/completions/ketsweep
	@install -D -m 644 $(BUILD)/completion.zsh $(SHARE)/zsh/site-functions/_ketsweep
	@install -D -m 644 -t $(SHARE)/ketsweep/jobs jobs/*
	@install -D -m 644 -t $(SHARE)/ketsweep/configs $(wildcard configs/*.*)
	@install -D -m 644 -t $(SHARE)/ketsweep/configs/trials configs/trials/*
	@install -D -m 755 -t $(SHARE)/ketsweep/tools tools/plot.py
	@install -D -m 644 -t $(SHARE)/ketsweep/tools tools/README.md tools/ketsweep.py tools/ketsweep.R
	@install -D -m 644 -t $(SHARE)/ketsweep/tools/plots $(wildcard tools/plots/*.py)
	@install -D -m 644 -t $(SHARE)/doc/ketsweep README.md CHANGELOG.md CITATION.cff LICENSE NOTICE.md $(wildcard src/report/page/LICENSE-*)

uninstall: ## remove what `make install` has copied
	@rm -f $(DESTDIR)$(PREFIX)/bin/ketsweep $(SHARE)/man/man1/ketsweep.1 \
	    $(SHARE)/bash-completion/completions/ketsweep $(SHARE)/zsh/site-functions/_ketsweep
	@rm -rf $(SHARE)/ketsweep $(SHARE)/doc/ketsweep

dist: ## an archive of the last commit in build/, the same bytes whenever it is made
	@mkdir -p build
	@git archive --format=tar --prefix=ketsweep-$(VERSION)/ HEAD | gzip -9n >build/ketsweep-$(VERSION).tar.gz
	@echo build/ketsweep-$(VERSION).tar.gz

dist-check: ## check the archive: same bytes twice, builds in two folders to the same program, passes its unit tests
	@tools/check_dist.sh

hardening: $(BUILD)/ketsweep ## check that the program is hardened
	@tools/check_hardening.sh $<

fresh: ## README's commands in a bare Debian in build/fresh (root, debootstrap; half an hour)
	@tools/fresh.sh

clean: ## remove build/
	@rm -rf build

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z].*:.*## / { printf "  %-44s %s\n", $$1, $$2 }' Makefile

info: ## print the compiler, the flags and what was found
	@printf '%-12s %s\n' compiler "$$($(CC) --version | head -n 1)" flags '$(strip $(CFLAGS) $(DIALECT))' \
	    'found flags' '$(FOUND_CFLAGS)' 'found libs' '$(FOUND_LIBS)' 'HDF5 through' "$(HDF5_FROM)" \
	    missing '$(or $(MISSING),nothing)' commit '$(COMMIT)' folder '$(BUILD)'

print-%: ## print a variable, as in print-BUILD
	@echo '$($*)'

-include $(OBJECTS:.o=.d) $(MAIN:.o=.d) $(PROGRAMS:=.d) $(GENERATOR).d $(BENCH:=.d) $(REPLAY).d $(FUZZER).d $(MODEL_VALUES).d $(LARGE).d
.SECONDARY:
.PHONY: all tests $(WITH_SETUP) run-demo run-tests soak test-aarch64 test-mpich test-large bench bench-analysis validate bench-farm scale picture valgrind fuzz run-fuzzer layers headers names syntax format \
        format-check reference reference-check install uninstall dist dist-check hardening fresh clean help info FORCE
