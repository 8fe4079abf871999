#!/bin/sh
# flags.sh: no compiler and no option changes the evaluator's bits.
#
# Builds the evaluator and digest.c with each of the option lists below and compares what they print
# with digest.expected. After a change of the contract, and only then: flags.sh --update.
set -u
cd "$(dirname "$0")/../.." || exit 70
expected=tests/exact/digest.expected
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# What the evaluator is made of.
sources="tests/exact/digest.c ir/build*.c ir/eval*.c ir/exact*.c ir/fuse.c ir/infer*.c ir/ir.c
    ir/ops.c ir/order.c ir/philox.c ir/tape*.c ir/team.c ir/types.c base/arena.c base/vec.c base/map.c
    base/buf.c base/number.c base/utf8.c"

# build NAME COMPILER OPTION...
build() {
    name=$1
    shift
    # shellcheck disable=SC2086 # lists of words
    "$@" -std=c17 -D_POSIX_C_SOURCE=200809L -I. -ffp-contract=off -fno-math-errno \
        -o "$work/$name" $sources -lutf8proc -lm -lpthread
}

# check NAME THREADS COMPILER OPTION...
check() {
    name=$1 threads=$2
    shift 2
    if ! command -v "$1" >/dev/null; then
        echo "ok - $* # SKIP $1 is not installed"
    elif build "$name" "$@" && HLX_THREADS=$threads "$work/$name" >"$work/$name.out" &&
        diff "$expected" "$work/$name.out" >"$work/$name.diff"; then
        echo "ok - $* ($threads threads)"
    else
        echo "not ok - $* ($threads threads)"
        head -n 20 "$work/$name.diff" 2>/dev/null | sed 's/^/# /'
        touch "$work/failed"
    fi
}

if [ "${1-}" = --update ]; then
    build update "${CC:-cc}" -O2 && "$work/update" >"$expected"
    exit
fi

for cc in gcc clang; do
    check $cc-0 1 $cc -O0 &
    check $cc-1 2 $cc -O3
    wait
    check $cc-2 1 $cc -O2 -DHLX_SOFT_FLUSH &
    check $cc-3 4 $cc -O3 -march=native
    wait
done
[ ! -e "$work/failed" ]
