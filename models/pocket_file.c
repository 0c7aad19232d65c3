#include "models/pocket_file.h"

__asm__(".section .rodata.pocket, \"a\", @progbits\n"
        ".balign 4096\n"
        ".global pocket_file\n"
        ".hidden pocket_file\n"
        "pocket_file:\n"
        ".incbin \"models/pocket/pocket.gguf\"\n"
        ".global pocket_file_end\n"
        ".hidden pocket_file_end\n"
        "pocket_file_end:\n"
        ".previous\n");

size_t pocket_file_bytes(void)
{
    return (size_t)(pocket_file_end - pocket_file);
}
