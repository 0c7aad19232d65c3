#include "boot/versions.h"

#if defined(__x86_64__)
#define VERSIONS_FILE "build/deps/x86_64/versions"
#elif defined(__aarch64__)
#define VERSIONS_FILE "build/deps/aarch64/versions"
#endif

__asm__(".section .rodata\n"
        ".global versions_text\n"
        ".hidden versions_text\n"
        "versions_text:\n"
        ".incbin \"" VERSIONS_FILE "\"\n"
        ".byte 0\n"
        ".previous\n");
