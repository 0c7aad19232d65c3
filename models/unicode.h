/* unicode: case and printability of code points, as Python has them (gemma4-chat.md 5: what the
 * template language prints). Tables: unicode_tab.h.   Thread: any. Allocates: never. */
#ifndef MODELS_UNICODE_H
#define MODELS_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

/* The one code point it becomes; itself if it has no other case. */
uint32_t unicode_to_lower(uint32_t cp);

/* The 1 to 3 code points it becomes; how many. */
uint32_t unicode_to_upper(uint32_t cp, uint32_t out[3]);

/* False for what Python writes as an escape. */
bool unicode_is_printable(uint32_t cp);

#endif
