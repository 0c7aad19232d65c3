# rules.awk: one pass over each file; complaints go to stdout, exit status 1 if there was one.
# Relies on .clang-format: a function body opens with "{" and ends with "}" alone in column 1.

function complain(text) { printf "%s:%d: %s\n", file, FNR, text; n_bad++ }

function end_file() {
    if (file == "") return
    if (is_c && n_lines > 1200) { printf "%s: %d lines, 1200 are allowed\n", file, n_lines; n_bad++ }
    if (is_header && n_lines > 200) { printf "%s: %d lines, a header has at most 200\n", file, n_lines; n_bad++ }
}

function begin_file() {
    file = label != "" ? label : FILENAME
    sub(/^\.\//, "", file)
    n_lines = 0; in_body = 0; head = ""; in_comment = 0
    is_header = file ~ /\.(h|cuh)$/
    is_c = file ~ /\.(c|h|cu|cuh|cc)$/
    is_test = file ~ /_test\.c$|^tests\//
    is_lint = file ~ /^tests\/lint\//
    is_shell = file ~ /\.(sh|py|mk)$|Makefile|^\.ci\//
    base = file
    sub(/.*\//, "", base)
    if (base ~ /(^|_)(fast|util|utils|manager|data|v2|tmp2?|opt)(_|\.)/) complain("name the thing, not 'fast', 'util', 'data' or a version (N7)")
}

# the line without string literals and comments, so that words in messages and prose do not count as code
function code_of(line) {
    gsub(/\\./, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    if (in_comment) {
        if (!sub(/^.*\*\//, "", line)) return ""
        in_comment = 0
    }
    gsub(/\/\*[^*]*\*+([^\/*][^*]*\*+)*\//, "", line)
    if (sub(/\/\/.*/, "", line) && file ~ /\.[ch]$/) complain("comments are /* */")
    if (sub(/\/\*.*/, "", line)) in_comment = 1
    return line
}

function n_parameters(text,    depth, i, c, n) {
    depth = 0; n = 1
    if (text !~ /\(/) return 0
    for (i = index(text, "("); i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "(") depth++
        if (c == ")" && --depth == 0) break
        if (c == "," && depth == 1) n++
    }
    return n
}

function lint_function(code) {
    if (code == "{") {
        in_body = 1; body_line = FNR
        gsub(/__attribute__ *\(\(.*\)\) */, "", head)
        sub(/, *struct err \*e\)/, ")", head) # every fallible call ends in it
        if (n_parameters(head) > 6) complain("more than 6 parameters: use a struct (Z3)")
    } else if (code == "}" && in_body) {
        if (FNR - body_line - 1 > 120) complain("function of " (FNR - body_line - 1) " lines, 120 are allowed (Z2)")
        in_body = 0; head = ""
    } else if (!in_body) {
        head = code ~ /[;}]$|^#|^$/ ? "" : head code
    } else {
        if (!is_test && code ~ /^                 *(if|for|while|switch|do)( |$)/)
            complain("nested deeper than 3 (Z4)")
        if (!is_test && code ~ /^ +static / && code !~ /static const|static _Thread_local const/)
            complain("function-local static state")
    }
}

function lint_words(code) {
    if (code ~ /(^|[^a-z_])(secure_)?(getenv|setenv|putenv)[ (]/) complain("nothing reads the environment")
    if (code ~ /(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|gets|alloca|strtok|atoi|atof)\(/ && !is_test) complain("unbounded or unchecked libc call")
    if (code ~ /(^|[^a-z_])assert\(/) complain("assert: bad input is a struct err, a broken invariant is CHECK (E3)")
    if (!is_test && file !~ /^boot\/|^runtime\/base\/check\./ && code ~ /(^|[^a-z_])(exit|_exit|abort|quick_exit)\(/)
        complain("library code never ends the process (E3)")
    if (!is_test && file !~ /^boot\/|^runtime\/tool_|^runtime\/base\/log\.|^runtime\/progress\.|^runtime\/engine\.c$|^net\/edge\.c$/ && code ~ /(^|[^a-z_])((printf|puts|putchar|perror|vprintf)\(|v?fprintf\((stderr|stdout),)/)
        complain("library code prints only through log.c (E3)")
    if (!is_test && file !~ /\/(ring|stats|pool)\.[ch]$/ && code ~ /_Atomic|atomic_[a-z]+\(|__atomic_|__sync_/)
        complain("atomics live in ring.c, stats.c, pool.c (T1)")
    if (file ~ /\.c$/ && code ~ /^extern /) complain("extern in a .c file")
    if (code ~ /typedef (struct|enum|union)/ && code !~ /\(/) complain("typedef only for function types (N2)")
    if (code ~ /#[ \t]*pragma[ \t]+once/) complain("use an include guard")
}

function lint_text(line) {
    if (is_lint) return
    if (line ~ /(^|[^A-Za-z0-9_.}*])\/(work|tmp|root|home)\/[a-z]/ && line !~ /\/tmp\/hearth/) complain("local path")
    if (line ~ /[a-z0-9-]+\.(debian|ubuntu)\.(org|com)|pypi\.org|npmjs|crates\.io|huggingface\.co|docker\.io|ghcr\.io/) complain("registry or mirror host name")
    if (line ~ /(^|[^A-Za-z])(FIXME|XXX|HACK)([^A-Za-z]|$)/) complain("finish it, or say when it is due (C5)")
    if (line ~ /TODO/ && line !~ /TODO when /) complain("TODO without a trigger: write 'TODO when ...' (C5)")
    if (line ~ /[Nn]ot (yet )?implemented|(^|[^A-Za-z])[Ss]tub(s|bed)?([^a-z]|$)/) complain("no stubs: real, or refused with a clear error")
    if (file !~ /pocket\/train\// && tolower(line) ~ /(^|[^a-z])(chatgpt|copilot|claude|llm agent|co-authored)/) complain("the tree speaks of the product only")
    if (!is_shell && line ~ /[ \t]+$/) complain("trailing white space")
    if (is_c && line ~ /\t/) complain("tab")
}

FNR == 1 { end_file(); begin_file() }
{
    n_lines++
    lint_text($0)
    if (is_c) {
        code = code_of($0)
        lint_words(code)
        lint_function(code)
        if (FNR == 1 && is_header && $0 !~ /^\/\*/) complain("a header begins with what it owns (C1)")
    }
}
END { end_file(); exit n_bad > 0 }
