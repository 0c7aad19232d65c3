# deps.mk: compiles the third-party sources that image/deps.sh unpacked; included by the Makefile, which sets D and ARCH.
# DEP_SRC_<library> come from $(D)/deps.mk; a library the distribution packages has none and its archive is there already.
DEP_CC     := $(CROSS)gcc
DEP_CFLAGS := -O2 -g0 -w -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong -U_FORTIFY_SOURCE \
              -D_FORTIFY_SOURCE=2 -pthread -ffile-prefix-map=$(CURDIR)=.

DEP_mbedtls := -I$(D)/src/mbedtls/include -I$(D)/src/mbedtls/library

DEP_libsodium := -fvisibility=hidden -fno-strict-aliasing -fwrapv -I$(D)/src/libsodium/src/libsodium/include \
    -I$(D)/src/libsodium/src/libsodium/include/sodium -DTLS=_Thread_local -DASM_HIDE_SYMBOL=.hidden \
    $(addprefix -D,$(addsuffix =1,_GNU_SOURCE CONFIGURED HAVE_ATOMIC_OPS HAVE_C11_MEMORY_FENCES \
    HAVE_GCC_MEMORY_FENCES HAVE_INLINE_ASM HAVE_INTTYPES_H HAVE_STDINT_H HAVE_TI_MODE NATIVE_LITTLE_ENDIAN \
    HAVE_CATCHABLE_ABRT HAVE_CATCHABLE_SEGV HAVE_CLOCK_GETTIME HAVE_GETPID HAVE_MADVISE HAVE_MLOCK HAVE_MMAP \
    HAVE_MPROTECT HAVE_NANOSLEEP HAVE_POSIX_MEMALIGN HAVE_PTHREAD HAVE_RAISE HAVE_SYSCONF HAVE_SYS_AUXV_H \
    HAVE_SYS_MMAN_H HAVE_SYS_PARAM_H HAVE_SYS_RANDOM_H HAVE_GETRANDOM HAVE_WEAK_SYMBOLS SODIUM_STATIC))
DEP_libsodium_aarch64 := -DHAVE_ARMCRYPTO=1
DEP_libsodium_x86_64  := $(addprefix -DHAVE_,$(addsuffix =1,AMD64_ASM AVX_ASM CPUID MMINTRIN_H EMMINTRIN_H PMMINTRIN_H \
    TMMINTRIN_H SMMINTRIN_H WMMINTRIN_H AVXINTRIN_H AVX2INTRIN_H AVX512FINTRIN_H RDRAND))

DEP_jansson := -I$(D)/src/jansson/src -DHAVE_STDINT_H=1 -DHAVE_INTTYPES_H=1 -DHAVE_LOCALE_H=1 -DHAVE_SETLOCALE=1 \
    -DHAVE_LOCALECONV=1 -DHAVE_ENDIAN_H=1 -DHAVE_FCNTL_H=1 -DHAVE_SCHED_H=1 -DHAVE_UNISTD_H=1 -DHAVE_SYS_PARAM_H=1 \
    -DHAVE_SYS_STAT_H=1 -DHAVE_SYS_TIME_H=1 -DHAVE_SYS_TYPES_H=1 -DHAVE_CLOSE=1 -DHAVE_GETPID=1 -DHAVE_GETTIMEOFDAY=1 \
    -DHAVE_OPEN=1 -DHAVE_READ=1 -DHAVE_SCHED_YIELD=1 -DHAVE_STRTOLL=1 -DHAVE_ATOMIC_BUILTINS=1 -DHAVE_SYNC_BUILTINS=1 \
    -DUSE_URANDOM=1 -DINITIAL_HASHTABLE_ORDER=3

# Hardware AES is chosen at run time. aes.c aligns round keys only if it sees the flags that make aesni.c use
# aligned stores, so all three files that read aesni.h get the same ones (a mismatch faults on some stack layouts).
AESNI := $(if $(filter x86_64,$(ARCH)),-maes -mpclmul)
$(D)/o/mbedtls/library/aes.c.o $(D)/o/mbedtls/library/aesni.c.o $(D)/o/mbedtls/library/gcm.c.o: DEP_CFLAGS += $(AESNI)

dep_name = $(firstword $(subst /, ,$*))
$(D)/o/%.o: $(D)/deps.mk image/deps.mk image/mbedtls_config.h
	@mkdir -p $(@D); echo '  CC $@'
	@$(DEP_CC) $(DEP_CFLAGS) $(DEP_$(dep_name)) $(DEP_$(dep_name)_$(ARCH)) -c -o $@ $(D)/src/$*

$(D)/packaged/lib%.a: $(D)/deps.mk
	@test -f $@ && touch $@

$(D)/lib/libsodium.a $(D)/lib/libmbedtls.a $(D)/packaged/built-libjansson.a:
	@mkdir -p $(@D); rm -f $@; $(if $(filter %.a,$^),cp $< $@,$(CROSS)ar rcsD $@ $^)
$(D)/lib/libmbedtls.a: $(DEP_SRC_mbedtls:%=$(D)/o/%.o)
$(D)/lib/libsodium.a: $(or $(DEP_SRC_libsodium:%=$(D)/o/%.o),$(D)/packaged/libsodium.a)
$(D)/packaged/built-libjansson.a: $(DEP_SRC_jansson:%=$(D)/o/%.o)

# jansson has helpers with everyday names (utf8_encode): as one object with only json_* and jansson_* public.
$(D)/lib/libjansson.a: $(D)/packaged/$(if $(DEP_SRC_jansson),built-)libjansson.a image/deps.mk
	@mkdir -p $(@D); rm -f $@
	@$(CROSS)ld -r -o $@.o --whole-archive $<
	@$(CROSS)objcopy --wildcard --keep-global-symbol='json_*' --keep-global-symbol='jansson_*' $@.o
	@$(CROSS)ar rcsD $@ $@.o && rm $@.o
