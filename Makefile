# Hearth. Objects, libraries and programs all live under build/; `make` alone prints help.
# MODE: rel (shipped), asan, tsan, clang (rel by the other compiler), fuzz.   ARCH: x86_64, aarch64.
MODE ?= rel
HOST := $(shell uname -m)
ARCH ?= $(HOST)
B    := build/$(MODE)/$(ARCH)
DEP  := build/deps/$(ARCH)
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += -r -R

# -- what is compiled ----------------------------------------------------------------------------
DIRS  := boot runtime runtime/base kernels kernels/* models net
SRC   := $(sort $(wildcard $(DIRS:%=%/*.c)))
TESTS := $(filter %_test.c,$(SRC)) tests/t_test.c
MAIN  := $(wildcard boot/main.c)
LIB   := $(filter-out %_test.c boot/main.c,$(SRC))
FUZZ  := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
obj    = $(patsubst %.c,$(B)/%.o,$(1))

# -- how -----------------------------------------------------------------------------------------
CROSS := $(if $(filter-out $(HOST),$(ARCH)),$(ARCH)-linux-gnu-)
CLANG := clang$(if $(CROSS), --target=$(ARCH)-linux-gnu)
CC    := $(if $(filter clang fuzz,$(MODE)),$(CLANG),$(CROSS)gcc)
AR    := $(CROSS)ar
WARN  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
         -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough \
         -Wswitch-enum -Wdouble-promotion
HARD  := -fPIE -fstack-protector-strong -fvisibility=hidden -ffunction-sections -fdata-sections
MATHS := -ffp-contract=off
SAN_asan := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_tsan := -fsanitize=thread -fno-omit-frame-pointer
SAN_fuzz := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
SAN   := $(SAN_$(MODE))
FORT  := -U_FORTIFY_SOURCE $(if $(SAN),,-D_FORTIFY_SOURCE=3 -Wframe-larger-than=16384)
CFLAGS  := -std=c11 -D_GNU_SOURCE -O2 -g -pthread -I. -isystem $(DEP)/include \
           -ffile-prefix-map=$(CURDIR)=. $(WARN) $(HARD) $(MATHS) $(SAN) $(FORT)
STATIC  := $(if $(SAN),-pie,-static-pie)
LDFLAGS := $(STATIC) $(SAN) -pthread -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--build-id=sha1
LIBS    := -Wl,--start-group $(wildcard $(DEP)/lib/*.a) -Wl,--end-group -lm

# Per-file flags go by the end of the name; the other architecture's files are empty by #if inside.
STRICT := $(call obj,$(filter models/gguf% net/%,$(SRC)))
$(STRICT): CFLAGS += -Wconversion
%_ref.o %_test.o: CFLAGS += -Wno-double-promotion
ifeq ($(ARCH),x86_64)
%_avx2.o: CFLAGS += -mavx2 -mfma -mf16c
%_avx512.o: CFLAGS += -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c
endif
ifeq ($(ARCH),aarch64)
%_dotprod.o: CFLAGS += -march=armv8.2-a+dotprod+fp16
%_i8mm.o: CFLAGS += -march=armv8.2-a+dotprod+fp16+i8mm
endif

# -- rules ---------------------------------------------------------------------------------------
$(B)/.flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS)' > $@
$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	@echo '  CC $@'; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/libhearth.a: $(call obj,$(LIB))
	@rm -f $@; $(AR) rcsD $@ $^
$(B)/hearth: $(call obj,$(MAIN)) $(B)/libhearth.a
	@echo '  LD $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(B)/unit_tests: $(call obj,$(TESTS) tests/t.c) $(B)/libhearth.a
	@echo '  LD $@'; $(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
build/hearth: $(B)/hearth
	@ln -f $< $@
-include $(patsubst %.o,%.d,$(call obj,$(SRC) $(wildcard tests/*.c)))

# -- targets -------------------------------------------------------------------------------------
.PHONY: help build unit test clean FORCE
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
build: $(if $(MAIN),build/hearth,$(B)/libhearth.a) ## the binary build/hearth
unit: $(B)/unit_tests ## unit tests of this MODE and ARCH; T="kv_ gguf_" selects
	$(B)/unit_tests -j2 $(T)
test: unit ## everything that must hold
clean: ## remove build/, keep what deps fetched
	@find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} + 2>/dev/null || true
