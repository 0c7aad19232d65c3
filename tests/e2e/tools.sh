#!/bin/sh
# tools.sh HEARTH: the subcommands that run or read a model, as a user runs them, on tiny models they write
# themselves. Expected logits come from tests/golden, expected prompts from tests/vectors.
# One line per check: "ok NAME" or "not ok NAME" with what was seen; the last line is the tally.
set -u
hearth=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
golden=tests/golden/logits
vectors=tests/vectors/chat
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
n_passed=0 n_failed=0 n_skipped=0

ok() { # NAME
    n_passed=$((n_passed + 1))
    echo "ok $1"
}
not_ok() { # NAME WHAT WAS SEEN
    n_failed=$((n_failed + 1))
    echo "not ok $1"
    echo "$2" | head -n 5 | sed 's/^/    /'
}
check() { # NAME COMMAND...: passes if the command does
    name=$1
    shift
    if seen=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$seen"; fi
}
skip() { # NAME REASON
    n_skipped=$((n_skipped + 1))
    echo "SKIP $1: $2"
}

# run NAME ARGUMENTS...: runs hearth; leaves status, out and err for the checks
run() {
    timeout 120 "$hearth" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}
refused() { # EXIT_CODE WORD: that status, nothing on stdout, one line with the word on stderr
    [ $status = "$1" ] || { echo "exit code $status, expected $1"; cat "$work/err"; return 1; }
    [ ! -s "$work/out" ] || { echo "printed on standard output:"; cat "$work/out"; return 1; }
    [ "$(wc -l <"$work/err")" = 1 ] || { echo "not one line:"; cat "$work/err"; return 1; }
    grep -qF -- "$2" "$work/err" || { echo "no \"$2\" in:"; cat "$work/err"; return 1; }
}
succeeded() { # exit code 0, stderr empty
    [ $status = 0 ] && [ ! -s "$work/err" ] && return 0
    echo "exit code $status"
    cat "$work/err"
    return 1
}
says() { # WORD: on stdout
    grep -qF -- "$1" "$work/out" || { echo "no \"$1\" in:"; cat "$work/out"; return 1; }
}

# ---- help, usage, errors ----

for tool in logits score bench chat convert quantize imatrix; do
    run $tool -h
    check "$tool -h explains and ends well" says "usage: hearth $tool"
    check "$tool -h is no error" succeeded
    run $tool --no-such-flag
    check "$tool refuses an unknown flag" refused 2 "--no-such-flag"
done
run logits
check "logits needs tokens" refused 2 "--tokens"
run logits --tokens 2 --tokens-file x
check "logits takes tokens from one place" refused 2 "--tokens"
run logits --tokens 2 --top 0
check "logits checks the range of a number" refused 2 "--top"
run score
check "score needs a file" refused 2 "hearth score: FILE is missing (hearth score -h)"
run
check "hearth alone says how to get help" refused 2 "hearth: COMMAND is missing (hearth -h)"
for words in frob "key frob" "cert frob"; do
    # shellcheck disable=SC2086
    run $words
    check "hearth $words names the unknown word" refused 2 'unknown command "frob" (hearth'
done
run key
check "hearth key says which words it knows" refused 2 "hearth key: add|list|revoke is missing (hearth key -h)"
run serve --frob
check "hearth serve names the unknown flag" refused 2 'hearth serve: unknown argument "--frob"'
for words in -h "key -h" "key add -h" "cert -h" "serve -h" "plan -h"; do
    # shellcheck disable=SC2086
    run $words
    check "hearth $words is no error" succeeded
    check "and explains" says "usage: hearth"
done
run bench --threads two
check "bench names the list it cannot read" refused 2 "--threads"
run chat --temperature warm
check "chat wants a number for the temperature" refused 2 "--temperature"
for tool in "logits --tokens 2" "bench" "chat" "score Makefile"; do
    # shellcheck disable=SC2086
    run $tool -m "$work/nothing.gguf"
    check "${tool%% *} names the model it cannot open" refused 1 "nothing.gguf"
done

# ---- models ----

small=$work/small.gguf heads=$work/heads.gguf
run synth tiny F32 "$small"
check "synth writes a small model" succeeded
run synth tiny-heads F32 "$heads"
check "synth writes a model with real head sizes" succeeded
head -c 2000000 "$small" >"$work/cut.gguf"
run logits -m "$work/cut.gguf" --tokens 2
check "logits refuses a file that was cut off" refused 1 "cut.gguf"

# ---- inspect ----

# with_u32 FILE KEY N OUT: a copy with another u32 value behind the key, N below 128
with_u32() {
    cp "$1" "$4"
    at=$(LC_ALL=C grep -abo "$2" "$1" | head -n 1 | cut -d: -f1)
    printf "\\$(printf %03o "$3")\\000\\000\\000" | dd of="$4" bs=1 seek=$((at + ${#2} + 4)) conv=notrunc 2>/dev/null
}
run inspect "$small" --check
check "inspect --check passes a sound model" says "hearth serve takes this model"
for case in gemma4.block_count:0 gemma4.block_count:99 gemma4.attention.head_count:0 gemma4.context_length:0; do
    with_u32 "$small" "${case%:*}" "${case#*:}" "$work/bad.gguf"
    run inspect "$work/bad.gguf"
    check "inspect shows a model with $case" succeeded
    run inspect "$work/bad.gguf" --check
    check "inspect --check refuses it as a start would" sh -c "[ $status = 1 ] && [ \$(wc -l <'$work/err') = 1 ]"
done

# ---- logits against the golden values ----

# golden_member CONFIG PROMPT MEMBER: the numbers of one member, one per line
golden_member() {
    awk -v prompt="\"name\":\"$2\"" -v member="^\"$3\":" '
        /"name":"(long|short|medium)"/ { here = index($0, prompt) > 0 }
        here && $0 ~ member { sub(/^[^[]*\[/, ""); sub(/\].*/, ""); gsub(/,/, "\n"); print; exit }' "$golden/$1.json"
}
floats() { od -An -v -tf4 -w4 "$1" | tr -d ' '; }

# near FILE WANT FRAC: both one number per line, equally many, apart by at most FRAC of the range of WANT
near() {
    [ "$(wc -l <"$1")" = "$(wc -l <"$2")" ] || { echo "$(wc -l <"$1") values, expected $(wc -l <"$2")"; return 1; }
    paste "$1" "$2" | awk -v frac="$3" '
        { d = $1 - $2; if (d < 0) d = -d; if (d > worst) worst = d
          if (NR == 1 || $2 > max) max = $2; if (NR == 1 || $2 < min) min = $2 }
        END { printf "largest difference %g, range %g\n", worst, max - min; exit !(worst <= frac * (max - min)) }'
}

# The cache holds keys and values as f16: that costs up to 4e-4 of the range on the small model and 1.7e-3 with
# heads of 256 and 512, where the reference keeps them as f32; one wrong position costs 0.3 and more.
for case in "t6_small $small 0.001" "t6_heads $heads 0.0025"; do
    set -- $case
    for prompt in long medium short; do
        ids=$(golden_member "$1" $prompt tokens | paste -sd, -)
        golden_member "$1" $prompt last >"$work/want"
        golden_member "$1" $prompt argmax >"$work/want_best"
        run logits -m "$2" --tokens "$ids" --out "$work/last.f32"
        check "logits --out runs on $1 $prompt" succeeded
        floats "$work/last.f32" >"$work/got"
        check "logits of $1 $prompt are the reference's" near "$work/got" "$work/want" "$3"
        run logits -m "$2" --tokens "$ids" --all
        awk '{ print $3 }' "$work/out" >"$work/got_best"
        check "best tokens of $1 $prompt are the reference's" cmp "$work/got_best" "$work/want_best"
    done
done

golden_member t6_small medium last >"$work/want"
golden_member t6_small short last >"$work/got"
differ() { ! near "$@"; }
check "the comparison can fail" differ "$work/got" "$work/want" 0.0025
ids=$(golden_member t6_small long tokens | paste -sd, -)
run logits -m "$small" --tokens "$ids" --all --out "$work/all.f32"
check "logits --all writes every row" test "$(wc -c <"$work/all.f32")" = $((48 * 512 * 4))
for flags in "--chunk 1" "--chunk 7" "--chunk 48 --threads 1" "--threads 3"; do
    # shellcheck disable=SC2086
    run logits -m "$small" --tokens "$ids" --all --out "$work/other.f32" $flags
    check "logits are the same bits with $flags" cmp "$work/all.f32" "$work/other.f32"
done
echo "$ids" | tr ',' '\n' >"$work/ids"
run logits -m "$small" --tokens-file "$work/ids" --all --out "$work/other.f32"
check "logits are the same bits with ids from a file" cmp "$work/all.f32" "$work/other.f32"
run logits -m "$small" --tokens "$ids" --top 3
check "logits prints a table without --out" says "rank"
check "logits prints as many tokens as asked for" test "$(wc -l <"$work/out")" = 5
run logits -m "$small" --tokens 2,512
check "logits names the token that does not exist" refused 1 "512"
run logits -m "$small" --tokens 2,two
check "logits names the word that is no token" refused 1 '"two"'
run logits -m "$small" --tokens 2 --out "$work/no/dir"
check "logits names the file it cannot write" refused 1 "no/dir"
run logits -m "$small" --tokens "$(yes 2 | head -n 513 | paste -sd, -)"
check "logits refuses more tokens than the context" refused 1 "512"

run quantize "$small" "$work/q8.gguf" Q8_0
check "quantize writes Q8_0" succeeded
echo cut >"$work/lower.gguf.partial-1"
run quantize "$small" "$work/lower.gguf" q8_0
check "quantize removes what a killed one left" test ! -e "$work/lower.gguf.partial-1"
check "quantize takes the type in lower case" cmp "$work/q8.gguf" "$work/lower.gguf"
run quantize "$small" "$work/none.gguf" Q9_9
check "quantize names the types it knows" refused 2 'unknown type "Q9_9", not one of F32, F16, BF16, Q8_0,'
run synth tiny q4_k_m "$work/lower.gguf"
check "synth takes the type in lower case" succeeded
run synth tiny Q9_9 "$work/none.gguf"
check "synth names the types it knows" refused 2 "TQ2_0, MXFP4"
run synth huge Q8_0 "$work/none.gguf"
check "synth names the shapes it knows" refused 2 'unknown shape "huge", not one of 31b,'
run logits -m "$work/q8.gguf" --tokens "$ids" --out "$work/last.f32"
floats "$work/last.f32" >"$work/got"
golden_member t6_small long last >"$work/want"
check "logits in Q8_0 stay near those in F32" near "$work/got" "$work/want" 0.03

# ---- score ----

tail -n +2 "$work/ids" >"$work/text_ids"
run score "$work/text_ids" --ids -m "$small" --ctx 64
check "score of ids runs" succeeded
# The same from the logits: row i predicts id i + 1.
floats "$work/all.f32" | awk -v n_vocab=512 -v ids="$ids" '
    BEGIN { n = split(ids, id, ",") }
    { z[(NR - 1) % n_vocab] = $1 }
    NR % n_vocab == 0 && ++row < n {
        sum = 0; for (i = 0; i < n_vocab; i++) sum += exp(z[i])
        nll += log(sum) - z[id[row + 1]]
    }
    END { printf "%.4f\n", exp(nll / (n - 1)) }' >"$work/want"
agrees() { # the perplexity in out, with the number in want
    awk -v want="$(cat "$work/want")" '/^perplexity/ { got = $2 } END {
        print "perplexity " got ", from the logits " want; d = (got - want) / want; exit !(d < 1e-5 && d > -1e-5) }' "$work/out"
}
check "score agrees with the logits" agrees
run score "$work/text_ids" --ids -m "$small" --ctx 64 --save-logits "$work/ref"
check "score stores a reference" succeeded
run score "$work/text_ids" --ids -m "$small" --against "$work/ref"
check "a model is its own reference" says "same top 1  100.000 +- 0.000"
check "and its perplexity the same" says "ppl ratio   1.000000 +- 0.000000"
run score "$work/text_ids" --ids -m "$work/q8.gguf" --against "$work/ref"
check "score compares a quantized model" grep -q '^kl mean *0[.][0-9]* +- ' "$work/out"
run score "$work/text_ids" --ids -m "$small" --against "$work/ref" --ctx 32
check "score keeps the window of the reference" refused 1 "--ctx 64"
sed '1d' "$work/text_ids" >"$work/other_ids"
run score "$work/other_ids" --ids -m "$small" --against "$work/ref"
check "score refuses a reference of another text" refused 1 "another text"
run score "$work/text_ids" --ids -m "$small" --against "$work/ids"
check "score refuses a file that is no reference" refused 1 "--save-logits"
printf 'One line of text, and\nanother one.\n' >"$work/text"
run score "$work/text" -m "$small"
check "score of a text runs" succeeded
check "score gives an error bar" grep -q '^perplexity *[0-9.]* +- [0-9.]*$' "$work/out"
check "score of a text gives bits per byte" says "bits per byte"
run score "$work/text" -m "$small" --ctx 32 --stride 32
check "score refuses a stride that skips text" refused 1 "--stride"
: >"$work/empty"
run score "$work/empty" -m "$small"
check "score refuses an empty text" refused 1 "empty"
printf 'caf\351\n' >"$work/latin1"
run score "$work/latin1" -m "$small"
check "score refuses text that is not UTF-8" refused 1 "latin1"

run score "$work/text" -m "$small" --markers
check "score takes a text with markers" succeeded

# ---- imatrix ----

run imatrix "$work/text" "$work/text" -m "$small" -o "$work/importance.gguf" --ctx 16
check "imatrix writes a matrix" succeeded
run quantize "$small" "$work/guided.gguf" Q4_K_M --imatrix "$work/importance.gguf"
check "quantize takes it" says "importance: "
run logits -m "$work/guided.gguf" --tokens 2,105 --top 1
check "the result runs" succeeded
run quantize "$small" "$work/guided.gguf" Q4_K_M --imatrix "$work/text"
check "quantize refuses a matrix that is none" refused 1 "importance matrix"

# ---- key ----

run key list --state-dir "$work/above/state"
check "key list makes no state directory" refused 1 "no state directory $work/above/state"
run key revoke desk --state-dir "$work/above/state"
check "key revoke makes none either" refused 1 "no state directory $work/above/state"
run cert show --state-dir "$work/above/state"
check "nor does cert show" refused 1 "no state directory $work/above/state"
check "and nothing is there" test ! -e "$work/above"
run key add desk --state-dir "$work/above/state"
check "key add makes one and says so" grep -qx "hearth key add: made the state directory $work/above/state" "$work/err"
run key add door --state-dir "$work/above/state"
check "key add is quiet about one that is there" succeeded
run key list --state-dir "$work/above/state"
check "key list lists both" sh -c "[ \$(grep -c -e ' desk ' -e ' door ' '$work/out') = 2 ]"
run key add
check "key add without a name says so" refused 2 "hearth key add: NAME is missing (hearth key -h)"

# ---- bench ----

run bench -m "$small" --prompt 32,16 --generate 4 --users 1,3 --threads 1,2 --repeat 2 --json "$work/bench.json"
check "bench runs" succeeded
check "bench prints prefill" says "prefill, 16 tokens"
check "bench prints many users" says "decode, 3 users"
check "bench measures both thread counts" says "2 threads"
for member in read_bytes_per_s prefill decode verify users read_frac weight_bytes; do
    check "bench --json has $member" grep -q "\"$member\":" "$work/bench.json"
done
if command -v jq >/dev/null 2>&1; then
    check "bench --json is JSON with positive rates" jq -e '
        (.threads | length) == 2 and all(.threads[]; .decode.tokens_per_s.median > 0 and .read_bytes_per_s.min > 0 and
        (.verify | map(.rows)) == [1, 2, 4, 8, 16] and (.users | map(.users)) == [1, 3])' "$work/bench.json"
else
    skip "bench --json is JSON" "jq is not installed"
fi
run bench --encodings --threads 1 --repeat 1
check "bench --encodings measures every encoding" says "NVFP4"
run bench --encodings -m "$small"
check "bench --encodings takes no model" refused 2 "--encodings goes with"
run bench -m "$small" --prompt 500
check "bench refuses a prompt that the context cannot hold" refused 1 "512"

# ---- chat from a pipe ----

talk() { # INPUT FLAGS...: leaves status, out and err
    input=$1
    shift
    # shellcheck disable=SC2059
    printf "$input" | timeout 120 "$hearth" chat -m "$small" --max-tokens 8 "$@" >"$work/out" 2>"$work/err"
    status=$?
}
talk 'Hello\nAnd more\n' --seed 7
check "chat answers from a pipe, quietly" succeeded
check "chat prints no control sequence into a pipe" sh -c "! grep -q '$(printf '\033')\[' '$work/out'"
cp "$work/out" "$work/first"
talk 'Hello\nAnd more\n' --seed 7
check "chat repeats itself with the same seed" cmp "$work/out" "$work/first"
talk 'Hello\n/reset\nHello\n' --temperature 0
cp "$work/out" "$work/twice"
talk 'Hello\n' --temperature 0
cp "$work/out" "$work/once"
cat "$work/once" "$work/once" >"$work/want"
check "chat forgets on /reset" cmp "$work/twice" "$work/want"
talk 'Hello\n\n/quit\nHello\n' --temperature 0
check "chat leaves on /quit" cmp "$work/out" "$work/once"
talk ''
check "chat of nothing prints nothing" sh -c "[ $status = 0 ] && [ ! -s '$work/out' ]"
talk 'caf\351\nHello\n' --temperature 0
check "chat goes on after a line that is not UTF-8" test -s "$work/out"
check "chat says so and ends with 1" sh -c "[ $status = 1 ] && [ \$(wc -l <'$work/err') = 1 ] && grep -q UTF-8 '$work/err'"
talk "$(yes 'word' | head -n 400 | paste -sd' ' -)\n"
check "chat refuses what the context cannot hold" grep -q 'the context holds 512' "$work/err"

# ---- tokenize, render ----

run tokenize -m "$small" --bos 'a <|turn>'
check "tokenize runs" succeeded
check "tokenize prints one line of ids" grep -qx '2\( [0-9][0-9]*\)*' "$work/out"
run render -m "$small" "$work/nothing.json"
check "render names the file it cannot read" refused 1 "nothing.json"
echo '{"messages":[]}' >"$work/request.json"
run render -m "$small" "$work/request.json"
check "render refuses a conversation without messages" refused 1 "at least one message"
echo '{"messages":[{"role":"function","content":"x"}]}' >"$work/request.json"
run render -m "$small" "$work/request.json"
check "render refuses a role that no model knows" refused 1 "messages[0].role"
rendered() { # LINE: what the vector says, its JSON string decoded; fails on an escape it does not know
    sed 's/.*"rendered": "\(.*\)"}$/\1/' "$1" | awk '
        { for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1)
            if (c != "\\") { printf "%s", c; continue }
            c = substr($0, ++i, 1)
            if (c == "n") printf "\n"; else if (c == "t") printf "\t"; else if (c == "\"" || c == "\\") printf "%s", c
            else exit 1 } }'
}
for rev in r1 r2; do
    file=$vectors/gemma4-chat-template.jsonl
    [ $rev = r1 ] || file=$vectors/gemma4-chat-template-r2.jsonl
    n_cases=0 n_wrong=0 wrong=
    for i in 1 12 23 34 45 56 67 78 89; do
        sed -n "${i}p" "$file" >"$work/request.json"
        LC_ALL=C rendered "$work/request.json" >"$work/want" || continue
        run render -m "$small" --template $rev "$work/request.json"
        n_cases=$((n_cases + 1))
        LC_ALL=C cmp -s "$work/out" "$work/want" || { n_wrong=$((n_wrong + 1)); wrong="$wrong $i"; }
    done
    check "render --template $rev gives the vectors' text in $n_cases cases" sh -c "echo 'wrong lines:$wrong'; [ $n_wrong = 0 ] && [ $n_cases -ge 6 ]"
done

echo "$n_passed passed, $n_failed failed, $n_skipped skipped"
[ $n_failed = 0 ]
