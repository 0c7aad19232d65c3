#!/bin/sh
# static BINARY...: each is a hardened static-pie: no interpreter, no needed library, no writable code, no path of the build host.
set -eu
for binary in "$@"; do
    bad() { echo "static: $binary: $1" && exit 1; }
    headers=$(readelf -lW "$binary") dynamic=$(readelf -dW "$binary")
    case $headers in *INTERP*) bad "names a program interpreter" ;; esac
    case $dynamic in *NEEDED*) bad "needs a shared library" ;; esac
    case $dynamic in *"BIND_NOW"* | *"Flags: NOW"*) ;; *) bad "is not linked with -z now" ;; esac
    echo "$headers" | grep -q GNU_RELRO || bad "has no RELRO"
    readelf -hW "$binary" | grep -q 'Type:.*DYN' || bad "is not position independent"
    echo "$headers" | grep GNU_STACK | grep -q 'RWE' && bad "has an executable stack"
    echo "$headers" | grep LOAD | grep -q 'RWE' && bad "has writable code"
    ! grep -aqF "$PWD" "$binary" || bad "contains the path it was built in"
done
echo "static: $# of $# binaries are static-pie"
