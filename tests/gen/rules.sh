#!/bin/sh
# rules.sh: the programs that the tests generate use every rule of the grammar, but for those that
# only errors reach.
#
#   rules.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$1
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
# shellcheck disable=SC2086 # CC may have flags
${CC:-cc} -std=c17 -D_POSIX_C_SOURCE=200809L -DHLX_DEBUG=1 -I. -I"$build" -O1 -w -o "$dir/trace" \
    tests/gen/trace.c tests/gen/program.c tests/gen/layout.c "$build/frontend/grammar.c" \
    -Wl,--start-group "$build"/libfrontend.a "$build"/libir.a "$build"/liblatent.a \
    "$build"/libbase.a -Wl,--end-group -lutf8proc -lcrypto -ljansson -lz -lm -lpthread || exit 1
bison -v -o "$dir/grammar.c" frontend/grammar.y || exit 1
{
    "$dir/trace" 60 2>&1 || echo "trace failed"
} | awk '/^Reducing stack by rule/ {used[$5] = 1}
    END {for (rule in used) print rule}' >"$dir/used"
awk -v used="$dir/used" '
    BEGIN { while ((getline rule <used) > 0) seen[rule] = 1 }
    /^Grammar$/ { on = 1; next }
    /^Terminals/ { on = 0 }
    on && /^ +[0-9]+ / {
        if ($2 != "|") left = $2
        recovery = / error( |$)/ || /"," "[])}]"$/ || left == "$accept:"
        if (recovery) next
        if (seen[$1]) ok++
        else { sub(/^ +/, ""); print "not ok - rule " $0 " (" left ")"; bad++ }
    }
    END { printf "%d passed, %d failed\n", ok, bad; exit bad > 0 || ok == 0 }' "$dir/grammar.output"
