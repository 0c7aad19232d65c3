/* version: the product's version, printed by --version and part of the system fingerprint. */
#ifndef RUNTIME_BASE_VERSION_H
#define RUNTIME_BASE_VERSION_H

#define HEARTH_VERSION "0.1.0"

#endif
