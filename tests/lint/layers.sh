#!/bin/sh
# layers: refuses includes against the arrows. Run from the source root; first it must catch the edges in `forbidden`.
#   base -> nothing above it; kernels -> base; models -> kernels; runtime -> models, kernels;
#   net -> base, runtime/engine*.h, models' text units (tok, detok, chat, parse, stop); image -> boot/slots.h, base; boot -> everything.
#   Project headers are named from the root; tests/ is seen by *_test.c and tests/ alone; each library by its wrapper.
set -eu

rules='
function area(path) {
    if (path ~ /^runtime\/base\//) return "base"
    sub(/\/.*/, "", path)
    return path
}
function allowed(from, to,    a, b) {
    a = area(from); b = area(to)
    if (b == "tests") return a == "tests" || from ~ /_test\.c$/
    if (a == "tests" || a == b || b == "base") return 1
    if (a == "boot") return 1
    if (a == "kernels" || a == "base") return 0
    if (a == "models") return b == "kernels"
    if (a == "runtime") return b == "models" || b == "kernels"
    if (a == "net") return to ~ /^runtime\/engine[a-z_]*\.h$/ || to ~ /^models\/(tok|detok|gemma4_chat|gemma4_parse|stop_match|json_text)\.h$/
    if (a == "image") return to == "boot/slots.h"
    return 0
}
function library_ok(from, header) {
    if (from ~ /^tests\/|_test\.c$/) return 1
    if (header ~ /^sodium/) return from ~ /^runtime\/base\/secret/
    if (header ~ /^(mbedtls|psa)\//) return from ~ /^net\/(tls|cert)/
    if (header ~ /^jansson/) return from ~ /^net\/json|^models\/(json_text|gemma4_)/
    if (header ~ /^cuda/) return from ~ /^kernels\/cuda\//
    return 1
}
function complain(text) { printf "%s:%d: %s\n", file, FNR, text; n_bad++ }
{
    file = FILENAME
    sub(/^\.\//, "", file)
    if (label != "") file = label
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    if (quoted[2] ~ /^\.|^[^\/]*$/) complain("write \"" quoted[2] "\" from the source root")
    else if (!allowed(file, quoted[2])) complain(area(file) " must not include \"" quoted[2] "\"")
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    header = $0
    sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
    if (!library_ok(file, header)) complain("<" header "> is only for its wrapper (see tests/lint/layers.sh)")
}
END { exit n_bad > 0 }'

forbidden='net/http.c "models/gguf.h"
net/edge.c "runtime/kv.h"
net/tls.c "boot/roles.h"
models/tok.c "runtime/engine.h"
models/tok.c "net/http.h"
kernels/op.c "models/model.h"
kernels/rmsnorm/rmsnorm_avx2.c "runtime/sched.h"
runtime/base/err.c "runtime/engine.h"
runtime/base/err.c "kernels/op.h"
runtime/sched.c "net/edge.h"
runtime/sched.c "boot/config.h"
runtime/engine.c "tests/t.h"
net/http.c "json.h"
net/http.c "../runtime/engine.h"
net/http.c <sodium.h>
net/http.c <jansson.h>
net/prompt.c "models/gemma4_text.h"
runtime/engine.c <mbedtls/ssl.h>'
legal='net/edge.c "runtime/engine.h"
net/prompt.c "models/gemma4_chat.h"
runtime/sched.c "kernels/op.h"
models/tok.c "runtime/base/err.h"
boot/main.c "net/edge.h"
models/tok_test.c "tests/t.h"
net/tls.c <mbedtls/ssl.h>'

probe() { # FILE HEADER: does the rule set accept this edge?
    printf '#include %s\n' "$2" | awk -v label="$1" "$rules" >/dev/null
}

n_edges=0
while read -r from header; do
    if probe "$from" "$header"; then
        echo "layers: the lint does not catch $from including $header"
        exit 1
    fi
    n_edges=$((n_edges + 1))
done <<END
$forbidden
END
while read -r from header; do
    if ! probe "$from" "$header"; then
        echo "layers: the lint refuses $from including $header"
        exit 1
    fi
done <<END
$legal
END

find boot runtime kernels models net image tests -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cc' 2>/dev/null |
    LC_ALL=C sort | xargs awk "$rules"
echo "layers: clean, and $n_edges forbidden edges were caught"
