/* versions: the libraries this binary was built from, as set-up chose them (name, version, origin,
 * SHA-256 a line). */
#ifndef BOOT_VERSIONS_H
#define BOOT_VERSIONS_H

extern const char versions_text[]; /* terminated */

#endif
