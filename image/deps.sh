#!/bin/sh
# deps: what the build stands on. Called by make from the source root; safe to repeat, does only what is missing.
#   image/deps.sh tools KIND        compilers and tools for build, run, cross, check or fuzz; by apt if absent (root or sudo)
#   image/deps.sh libs ARCH                static libraries and headers into build/deps/ARCH, nothing installed
#   image/deps.sh tidy                     drops package lists and unpacked leftovers, keeps what was fetched
# DEPS=DIR takes the tarballs listed in `pins` from DIR instead of the distribution's mirror.
# Trust: packages by the distribution's signed index, tarballs by that and by the SHA-256 below.
set -eu

MBEDTLS_MIN=3.6.6
# name version sha256: upstream release tarballs that were reviewed with this tree
pins='mbedtls 3.6.7 a7e8bcbec0e6f761b4af24f25677626b35f762f68eef79c08677a363212d11f6
mbedtls 3.6.6 8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a
libsodium 1.0.22 5838bb0c3da6148c24ebe531d1ed1297de9a87aea77d426bcd99f289e681631c
libsodium 1.0.18 d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4
jansson 2.15.1 12ee844d80157043c099e6ec41e2f5f40516b2043ab8d2b3eca6594920714f49
jansson 2.14 c739578bf6b764aa0752db9a2fdadcfe921c78f1228c7ec0bb47fa804c55d17b'

top=$PWD/build/deps
archives=$top/archives
log=$top/deps.log
host=$(uname -m)

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
sha256() { sha256sum "$1" | cut -d' ' -f1; }
pins_of() { printf '%s\n' "$pins" | grep "^$1 "; }

# -- the distribution ------------------------------------------------------------------------------

distro=other codename=none components=main
read_os_release() {
    [ -r /etc/os-release ] || return 0
    . /etc/os-release
    case " ${ID:-} ${ID_LIKE:-} " in
    *" ubuntu "*) distro=ubuntu codename=${UBUNTU_CODENAME:-${VERSION_CODENAME:-none}} components='main universe' ;;
    *" debian "*) distro=debian codename=${VERSION_CODENAME:-none} ;;
    esac
    have apt-get || distro=other
}

deb_arch() {
    case $1 in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) die "no recipe for architecture $1" ;; esac
}

# "URI SUITE" for each of the host's own distribution sources, one line and deb822 forms alike
host_sources() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
        awk -v code="$codename" -v want="$distro" '
            index($2, code) == 1 && (substr($3, 1, 1) == "$" || tolower($3) == want) && !seen[$1 $2]++ { print $1, $2 }'
}

# the keyring the host trusts for its distribution; empty = apt's own trust store
host_keyring() {
    for ring in $(sed -n 's/^#.*//; s/.*[Ss]igned-[Bb]y[:=] *\([^] ,]*\).*/\1/p' /etc/apt/sources.list \
        /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null | grep "$distro") \
        "/usr/share/keyrings/$distro-archive-keyring.gpg"; do
        if [ -r "$ring" ]; then
            echo "$ring"
            return
        fi
    done
}

# -- tools -----------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@"
    else
        return 1
    fi
}

missing_packages() {
    case $host in x86_64) other=aarch64 other_deb=arm64 ;; *) other=x86_64 other_deb=amd64 ;; esac
    have gcc && have ar && have objdump || echo gcc
    [ -e /usr/include/stdio.h ] || echo libc6-dev
    have bzip2 || echo bzip2
    have xz || echo xz-utils
    [ "$1" != build ] || return 0
    have curl || echo curl
    [ "$1" != run ] || return 0
    have $other-linux-gnu-gcc || echo "gcc-$(echo $other | tr _ -)-linux-gnu"
    [ -e /usr/$other-linux-gnu/include/stdio.h ] || echo libc6-dev-$other_deb-cross
    have qemu-$other-static || have qemu-$other || echo qemu-user-static
    [ "$1" != cross ] || return 0
    have clang || echo clang
    have clang-format || echo clang-format
    have openssl || echo openssl
    have python3 || echo python3
    [ "$1" = fuzz ] || return 0
    have clang || return 0 # which runtime is known once clang is there
    [ -e "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$host.a" ] ||
        echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
}

install_packages() {
    [ "$distro" != other ] || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1 && return
    as_root apt-get update >>"$log" 2>&1 || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1
}

tools() {
    for round in 1 2; do
        wanted=$(missing_packages "$1" | tr '\n' ' ')
        [ -n "$wanted" ] || break
        say "installing $wanted"
        install_packages $wanted || break
    done
    wanted=$(missing_packages "$1" | tr '\n' ' ')
    if [ -z "$wanted" ]; then
        : >"$top/tools-$1"
        return
    fi
    if [ "$distro" = other ]; then
        say "this is not Debian or Ubuntu with apt: install what these packages hold, by your system's own means:"
    else
        say "cannot install here (offline, or neither root nor sudo; see build/deps/deps.log). Missing packages:"
    fi
    say "    apt-get install --no-install-recommends $wanted"
    case $1 in
    run) say "going on without: they are only for trying the endpoint" ;;
    check) say "going on: the stages that need them are counted as skipped" ;;
    *) exit 1 ;;
    esac
}

# -- a private view of the distribution's archive --------------------------------------------------

# view_open NAME DEB_ARCH, then "deb|deb-src URI SUITE" lines on stdin; leaves $conf for apt's -c
view_open() {
    view=$top/apt/$1 ring=$(host_keyring)
    conf=$view/apt.conf
    mkdir -p "$view/lists/partial" "$view/cache/archives/partial"
    : >"$view/status"
    while read -r line; do
        echo "$line" | sed "s#^[a-z-]* #&${ring:+[signed-by=$ring] }#; s#\$# $components#"
    done >"$view/sources.list"
    cat >"$conf" <<-END
	Dir::Etc::SourceList "$view/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	Dir::State::Lists "$view/lists";
	Dir::State::status "$view/status";
	Dir::Cache "$view/cache";
	APT::Architecture "$2";
	#clear APT::Architectures;
	APT::Architectures { "$2"; };
	#clear APT::Update;
	Acquire::Languages "none";
	Acquire::Retries "2";
	Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
	Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
	END
    # an old index is no danger for source tarballs: MBEDTLS_MIN and the pins decide what is accepted
    [ "${1#source-}" = "$1" ] || echo 'Acquire::Check-Valid-Until "false";' >>"$conf"
    [ "$(id -u)" != 0 ] || echo 'APT::Sandbox::User "root";' >>"$conf"
    grep -q . "$view/sources.list" && apt-get -c "$conf" -qq update >>"$log" 2>&1
}

# unpack_deb PACKAGE: headers and the static archive into $dest; false if the host's suite does not serve it
unpack_deb() {
    (cd "$packages" && rm -f "$1"_*.deb && apt-get -c "$packages/apt.conf" -q download "$1" >>"$log" 2>&1) || return 1
    deb=$(echo "$packages/$1"_*.deb)
    rm -rf "$packages/unpacked" && mkdir "$packages/unpacked" && dpkg-deb -x "$deb" "$packages/unpacked"
    find "$packages/unpacked" -name '*.a' -exec cp {} "$dest/packaged/" \;
    cp -R "$packages/unpacked/usr/include/." "$dest/include/"
    find "$packages/unpacked/usr/include" -mindepth 2 -maxdepth 2 -path '*-linux-gnu/*' -exec cp -R {} "$dest/include/" \;
    note "$1 $(dpkg-deb -f "$deb" Version) $(dpkg-deb -f "$deb" Architecture), package of $codename, sha256 $(sha256 "$deb")"
}

# -- source tarballs -------------------------------------------------------------------------------

# fetch_source NAME: leaves $tarball and $version; suite by suite until one serves a wanted version
fetch_source() {
    if in_deps "$1" || find_tarball "$1" "$archives"; then
        note "$1 $version, upstream source, sha256 $hash"
        return
    fi
    [ "$distro" != other ] || no_mirror "$1"
    newest_first="$codename"
    [ "$1" != mbedtls ] || case $distro in
    debian) newest_first="$codename unstable testing stable" ;;
    ubuntu) newest_first="$codename devel" ;;
    esac
    for suite in $newest_first; do
        view_open "source-$suite" "$(deb_arch "$host")" <<-END || continue
		$(host_sources | awk -v own="$codename" -v suite="$suite" '
		    suite == own || $2 == own { print "deb-src", $1, suite == own ? $2 : suite }')
		END
        best=$(apt-cache -c "$conf" showsrc --only-source "$1" 2>/dev/null | sed -n 's/^Version: //p' | sort -V |
            awk -v name="$1" '{ v = $0; sub(/^[0-9]+:/, "", v); sub(/-[^-]*$/, "", v)
                                if (name != "mbedtls" || v ~ /^3\.6\./) best = $0 } END { print best }')
        version=$(echo "$best" | sed 's/^[0-9]*://; s/-[^-]*$//')
        [ "$1" != mbedtls ] || at_least "${version:-0}" "$MBEDTLS_MIN" || continue
        [ -n "$best" ] || continue
        (cd "$archives" && apt-get -c "$conf" -q source --download-only --tar-only --only-source "$1=$best" >>"$log" 2>&1) ||
            continue
        tarball=$(ls "$archives/${1}_$version".orig.tar.* | grep -v '\.asc$')
        check_pin "$1" "$suite"
        return
    done
    no_mirror "$1"
}

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

in_deps() { [ -n "${DEPS:-}" ] && find_tarball "$1" "$DEPS"; }

find_tarball() { # NAME DIR: a pinned one; leaves $tarball, $version, $hash
    for tarball in "$2/$1"_*.orig.tar.* "$2/$1"-*.tar.*; do
        [ -r "$tarball" ] || continue
        hash=$(sha256 "$tarball")
        version=$(pins_of "$1" | awk -v h="$hash" '$3 == h { print $2 }')
        [ -z "$version" ] || return 0
    done
    return 1
}

check_pin() {
    hash=$(sha256 "$tarball")
    known=$(pins_of "$1" | awk -v v="$version" '$2 == v { print $3 }')
    if [ -n "$known" ] && ! echo "$known" | grep -q "$hash"; then
        rm -f "$tarball"
        die "$1 $version from $2 has SHA-256 $hash, the pin says $known: refused"
    fi
    [ -n "$known" ] || say "warning: $1 $version is newer than the versions pinned in image/deps.sh; taken on the signed index alone"
    note "$1 $version, upstream source, sha256 $hash"
}

no_mirror() {
    say "$1: not served by the distribution's mirror${DEPS:+ and not in DEPS=$DEPS} (see build/deps/deps.log)."
    say "Go online, or put one of these into a directory and run: make DEPS=DIR"
    pins_of "$1" | while read -r n v h; do say "    $n-$v.tar.* or ${n}_$v.orig.tar.*  SHA-256 $h"; done
    exit 1
}

unpack_source() { # NAME PATHS...: $tarball into $dest/src/NAME
    name=$1
    shift
    rm -rf "$dest/src/$name" && mkdir -p "$dest/src/$name"
    tar -C "$dest/src/$name" --strip-components=1 --wildcards --exclude='*/3rdparty/*' --exclude='*/test*' -xf "$tarball" "$@"
    (cd "$dest/src" && find "$name" -name '*.c' -o -name '*.S' | LC_ALL=C sort) >"$dest/src/$name.list"
}

# -- the libraries ---------------------------------------------------------------------------------

note() { printf '%s\n' "$*" >>"$dest/versions.part"; }

mbedtls() {
    fetch_source mbedtls
    unpack_source mbedtls '*/library/*' '*/include/*' '*/LICENSE'
    cp image/mbedtls_config.h "$dest/src/mbedtls/include/mbedtls/mbedtls_config.h"
    cp -R "$dest/src/mbedtls/include/mbedtls" "$dest/src/mbedtls/include/psa" "$dest/include/"
}

libsodium_source() {
    fetch_source libsodium
    unpack_source libsodium '*/src/libsodium/*' '*/builds/msvc/version.h' '*/LICENSE'
    cp "$dest/src/libsodium/builds/msvc/version.h" "$dest/src/libsodium/src/libsodium/include/sodium/"
    cp -R "$dest/src/libsodium/src/libsodium/include/." "$dest/include/"
}

jansson_source() {
    fetch_source jansson
    unpack_source jansson '*/src/*' '*/LICENSE'
    printf '%s\n' '#define JSON_INTEGER_IS_LONG_LONG 1' '#define JSON_INLINE inline' '#define JSON_HAVE_LOCALECONV 1' \
        '#define JSON_HAVE_ATOMIC_BUILTINS 1' '#define JSON_HAVE_SYNC_BUILTINS 1' '#define JSON_PARSER_MAX_DEPTH 2048' \
        >"$dest/src/jansson/src/jansson_config.h"
    : >"$dest/src/jansson/src/jansson_private_config.h" # what its configure would find is in image/deps.mk
    cp "$dest/src/jansson/src/jansson.h" "$dest/src/jansson/src/jansson_config.h" "$dest/include/"
}

libs() {
    dest=$top/$1
    say "static libraries for $1"
    rm -rf "$dest/include" "$dest/packaged" "$dest/src" "$dest/versions.part"
    mkdir -p "$dest/include" "$dest/packaged" "$dest/src" "$archives"
    [ "$distro" = other ] || view_open "packages-$1" "$(deb_arch "$1")" <<-END || say "no packages for $1 on this mirror: building from source"
		$(host_sources | sed 's/^/deb /')
		END
    packages=$top/apt/packages-$1
    if in_deps libsodium || ! unpack_deb libsodium-dev; then libsodium_source; fi
    if in_deps jansson || ! unpack_deb libjansson-dev; then jansson_source; fi
    mbedtls
    sort "$dest/versions.part" >"$dest/versions"
    { echo '#define DEPS_VERSIONS \' && sed 's/.*/    "&\\n" \\/' "$dest/versions" && echo '    ""'; } >"$dest/include/deps_versions.h"
    for list in "$dest"/src/*.list; do
        echo "DEP_SRC_$(basename "$list" .list) := $(tr '\n' ' ' <"$list")"
    done >"$dest/deps.mk.part" # replaced only when it differs, so that an edit of this script rebuilds nothing
    echo "# $(sha256 "$dest/versions")" >>"$dest/deps.mk.part"
    cmp -s "$dest/deps.mk.part" "$dest/deps.mk" || cp "$dest/deps.mk.part" "$dest/deps.mk"
    sed 's/^/deps:   /' "$dest/versions" >&2
}

read_os_release
mkdir -p "$top"
case ${1:-} in
tools) tools "$2" ;;
libs) libs "$2" ;;
tidy) rm -rf "$top/apt" ;;
*) die "usage: image/deps.sh tools build|run|cross|check|fuzz | libs ARCH | tidy" ;;
esac
