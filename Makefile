# Hearth. Objects, libraries and programs all live under build/; `make` alone prints help.
# MODE: rel (shipped), asan, tsan, clang (rel by the other compiler), fuzz.   ARCH: x86_64, aarch64.
# DEPS=DIR: take third-party tarballs from DIR (image/deps.sh).
MODE ?= rel
HOST := $(shell uname -m)
ARCH ?= $(HOST)
B    := build/$(MODE)/$(ARCH)
D    := build/deps/$(ARCH)
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
JOBS := $(if $(filter 0,$(MAKELEVEL)),-j$(shell nproc))
MAKEFLAGS += -rR $(JOBS)

# -- what is compiled ----------------------------------------------------------------------------
DIRS  := boot runtime runtime/base kernels kernels/* models net
SRC   := $(sort $(wildcard $(DIRS:%=%/*.c)))
ASM   := $(sort $(wildcard $(DIRS:%=%/*.S)))
TESTS := $(filter %_test.c,$(SRC)) $(wildcard tests/*_test.c)
TEST_SUPPORT := $(filter-out %_test.c,$(wildcard tests/*.c))
MAIN  := $(wildcard boot/main.c)
LIB   := $(filter-out %_test.c boot/main.c,$(SRC)) $(ASM)
FUZZ  := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
obj    = $(patsubst %,$(B)/%.o,$(basename $(1)))

# -- how -----------------------------------------------------------------------------------------
CROSS := $(if $(filter-out $(HOST),$(ARCH)),$(ARCH)-linux-gnu-)
CLANG := clang$(if $(CROSS), --target=$(ARCH)-linux-gnu)
CC    := $(if $(filter clang fuzz,$(MODE)),$(CLANG),$(CROSS)gcc)
AR    := $(CROSS)ar
WARN  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
         -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough \
         -Wswitch-enum -Wdouble-promotion
HARD  := -fPIE -fstack-protector-strong -fvisibility=hidden -ffunction-sections -fdata-sections
SAN_asan := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_tsan := -fsanitize=thread -fno-omit-frame-pointer
SAN_fuzz := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
SAN   := $(SAN_$(MODE))
FORT  := -U_FORTIFY_SOURCE $(if $(SAN),,-D_FORTIFY_SOURCE=3 -Wframe-larger-than=16384)
CFLAGS  := -std=c11 -D_GNU_SOURCE -O2 -g -pthread -I. -isystem $(D)/include \
           -ffile-prefix-map=$(CURDIR)=. $(WARN) $(HARD) -ffp-contract=off $(SAN) $(FORT)
LDFLAGS := $(if $(SAN),-pie $(SAN),-static-pie) -pthread \
           -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--build-id=sha1
LIBS    := $(D)/lib/libmbedtls.a $(D)/lib/libsodium.a $(D)/lib/libjansson.a

# What is built with, less the per-file flags below, which the stamp would inherit from whatever needs it first.
STAMP := $(CC) $(CFLAGS)

# Per-file flags go by the end of the name; the other architecture's files are empty by #if inside.
$(call obj,$(filter models/gguf% models/safetensors% net/% boot/update.c,$(SRC))): CFLAGS += -Wconversion
%_ref.o %_test.o: CFLAGS += -Wno-double-promotion
ifeq ($(MODE),asan) # minutes per file otherwise: the sanitizers meet fully unrolled lanes
$(B)/kernels/cpu/body_%.o $(B)/kernels/matmul/matmul_%.o: CFLAGS += -O0
endif
ifeq ($(ARCH),x86_64)
%_avx2.o: CFLAGS += -O3 -mavx2 -mfma -mf16c
%_avx512.o: CFLAGS += -O3 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c
else
%_dotprod.o: CFLAGS += -O3 -march=armv8.2-a+dotprod+fp16
%_i8mm.o: CFLAGS += -O3 -march=armv8.2-a+dotprod+fp16+i8mm
endif

# -- set-up: tools and libraries, before anything is compiled (image/deps.sh, image/deps.mk) -------
ifneq ($(filter-out help clean distclean lint layers format,$(MAKECMDGOALS)),)
include $(D)/deps.mk image/deps.mk
endif
build/deps/tools-%: image/deps.sh
	@image/deps.sh tools $*
$(D)/stamp: image/deps.sh image/mbedtls_config.h | build/deps/tools-build $(if $(CROSS),build/deps/tools-cross)
	@image/deps.sh libs $(ARCH) && touch $@
$(D)/deps.mk: $(D)/stamp ; @:

# -- rules ---------------------------------------------------------------------------------------
$(B)/.flags: FORCE
	@mkdir -p $(@D)
	@{ echo '$(STAMP)'; cat $(D)/versions; } | cmp -s - $@ || { echo '$(STAMP)'; cat $(D)/versions; } > $@
$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D); echo '  CC $@'; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/%.o: %.S $(B)/.flags
	@mkdir -p $(@D); echo '  AS $@'; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
INCBIN := $(shell grep -o 'incbin [\]*"[a-z][^"\]*' $(SRC) $(ASM) /dev/null | sed 's/:.*"/:/')
$(foreach i,$(INCBIN),$(eval $(call obj,$(word 1,$(subst :, ,$(i)))): $(word 2,$(subst :, ,$(i)))))
$(B)/libhearth.a: $(call obj,$(LIB))
	@rm -f $@; $(AR) rcsD $@ $^
$(B)/hearth: $(call obj,$(MAIN)) $(B)/libhearth.a $(LIBS)
	@echo '  LD $@'; $(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group -lm
$(B)/unit_tests: $(call obj,$(TESTS) $(TEST_SUPPORT)) $(B)/libhearth.a $(LIBS)
	@echo '  LD $@'; $(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group -lm
$(B)/%_replay: $(B)/tests/fuzz/%_fuzz.o $(B)/tests/fuzz/replay.o $(B)/libhearth.a $(LIBS)
	@echo '  LD $@'; $(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group -lm
$(B)/%_fuzz: $(B)/tests/fuzz/%_fuzz.o $(B)/libhearth.a $(LIBS)
	@echo '  LD $@'; $(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ -Wl,--start-group $^ -Wl,--end-group -lm
build/hearth: $(B)/hearth
	@ln -f $< $@
build/dist/hearth-%: $(B)/hearth
	@mkdir -p $(@D); $(CROSS)strip -o $@ $<
-include $(patsubst %.o,%.d,$(call obj,$(SRC) $(ASM) $(wildcard tests/*.c tests/fuzz/*.c)))

# -- targets -------------------------------------------------------------------------------------
.PHONY: help build run test check-all unit objects lint layers format fuzz fuzz-replay bench bench-cpu dist \
        install clean distclean FORCE
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14
run: build/hearth build/deps/tools-run ## set up, build, serve the pocket model; RUN="flags of hearth serve"
	@build/hearth serve --state-dir build/state --key-file build/state.key $(RUN)
test: build/deps/tools-check ## set up, build, everything that must hold for a change
	@tests/run_tests.sh
check-all: build/deps/tools-check build/deps/tools-fuzz ## test, then TSan, static analysis and a minute of each fuzzer
	@tests/run_tests.sh --all
build: $(if $(MAIN),build/hearth,$(B)/libhearth.a) ## the binary build/hearth
unit: $(B)/unit_tests ## unit tests of this MODE and ARCH; T="kv_ gguf_" selects by prefix
	@$(if $(CROSS),tests/emulate.sh $(ARCH)) $(B)/unit_tests -j$(shell nproc) $(T)
objects: $(call obj,$(LIB) $(MAIN) $(TESTS) $(TEST_SUPPORT))
lint: layers ## house rules: sizes, words, format
	@tests/lint/rules.sh && tests/lint/format.sh
layers: ## no include against the arrows; first proves it can fail
	@tests/lint/layers.sh
format: ## clang-format the tree in place
	@clang-format -i $$(git ls-files '*.c' '*.h')
fuzz: build/deps/tools-fuzz ## run every fuzzer for FUZZ_S seconds (60)
	@$(MAKE) --no-print-directory MODE=fuzz $(FUZZ:%=build/fuzz/$(ARCH)/%_fuzz)
	@tests/fuzz/run.sh $(or $(FUZZ_S),60) $(FUZZ:%=build/fuzz/$(ARCH)/%_fuzz)
fuzz-replay: $(FUZZ:%=$(B)/%_replay) ## replay the fuzz corpora in this MODE
	@tests/fuzz/replay.sh $^
bench: build/hearth ## speed of the CPU backend on this machine; BENCH="flags of hearth bench"
	@build/hearth bench $(BENCH)
bench-cpu: build/hearth ## the product of every weight encoding beside what memory and registers allow
	@build/hearth bench --encodings $(BENCH)
dist: ## stripped binaries for both architectures in build/dist
	@$(MAKE) --no-print-directory ARCH=x86_64 build/dist/hearth-x86_64
	@$(MAKE) --no-print-directory ARCH=aarch64 build/dist/hearth-aarch64
install: build/hearth ## binary, systemd unit, example configuration; PREFIX=/usr/local DESTDIR=
	@image/install.sh "$(DESTDIR)" "$(or $(PREFIX),/usr/local)"
clean: ## remove what was built, keep what set-up fetched
	@find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} + 2>/dev/null || true
distclean: ## remove build/ whole
	@rm -rf build
