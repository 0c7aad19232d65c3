#!/bin/sh
# rules: sizes, shapes and words of the house style that a machine can judge. Run from the source root.
#   rules.sh              lints the tree, after its own probes in tests/lint/probes.txt were all caught
#   rules.sh FILE LABEL   lints one file as if it were called LABEL
set -eu
here=tests/lint

if [ $# = 2 ]; then
    awk -v label="$2" -f $here/rules.awk "$1"
    exit
fi

# Each probe: "@ label | words of the expected complaint", then the text that must be refused ("| clean": accepted).
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v dir="$work" '/^@ /{ n++; print substr($0, 3) > (dir "/" n ".head"); next } { print > (dir "/" n ".text") }' $here/probes.txt
n_probes=0
for head in "$work"/*.head; do
    label=$(sed 's/ *|.*//' "$head") want=$(sed 's/.*| *//' "$head")
    got=$(awk -v label="$label" -f $here/rules.awk "${head%.head}.text" 2>&1) || true
    case $want/$got in
    clean/) ;;
    clean/*) echo "lint: refuses good code as $label: $got" && exit 1 ;;
    *) case $got in *"$want"*) ;; *) echo "lint: does not say '$want' about the probe $label, but: $got" && exit 1 ;; esac ;;
    esac
    n_probes=$((n_probes + 1))
done

git ls-files -co --exclude-standard -- '*.c' '*.h' '*.cu' '*.cuh' '*.cc' '*.sh' '*.py' '*.mk' '*.S' Makefile '.ci/*' image tests/e2e |
    LC_ALL=C sort -u | while read -r f; do [ -f "$f" ] && echo "$f"; done | grep -v -e '_tab\.h$' -e '\.gguf$' -e "^$here/probes" |
    xargs awk -f $here/rules.awk
find . -maxdepth 1 -mindepth 1 ! -name '.*' | sed 's#^\./##' |
    grep -vx -e build -e Makefile -e README.md -e ARCHITECTURE.md -e LICENSE -e boot -e runtime -e kernels -e net -e models -e image -e tests |
    sed 's/^/lint: does not belong at the top of the tree: /' | { ! grep .; }
n_make=$(wc -l <Makefile)
[ "$n_make" -le 250 ] || { echo "lint: Makefile has $n_make lines, 250 are allowed" && exit 1; }
echo "lint: clean, and $n_probes probes behaved"
