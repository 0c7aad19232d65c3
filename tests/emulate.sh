#!/bin/sh
# emulate ARCH PROGRAM [ARG...]: runs a static program of another architecture under qemu-user.
set -eu
arch=$1
shift
for qemu in "qemu-$arch-static" "qemu-$arch"; do
    if command -v "$qemu" >/dev/null 2>&1; then
        exec "$qemu" "$@"
    fi
done
echo "emulate: no qemu-user for $arch (package qemu-user-static)" >&2
exit 1
