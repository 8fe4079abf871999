#!/bin/sh
# compilers.sh: hlxc writes the same bytes whatever compiler built it.
#
# Builds hlxc with gcc and with clang, which evaluate the arguments of a call in opposite orders, and
# compares the programs, the IR after each pass and the messages that the two make.
set -u
cd "$(dirname "$0")/../.." || exit 70
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for cc in gcc clang; do
    if ! command -v $cc >/dev/null; then
        echo "ok - SKIPPED: $cc is not installed"
        exit 0
    fi
    make -s -j2 BUILD="$work/$cc" CC=$cc OPT=-O0 "$work/$cc/bin/hlxc" >"$work/log" 2>&1 || {
        echo "not ok - hlxc cannot be built with $cc"
        sed 's/^/# /' "$work/log"
        exit 1
    }
done
failed=0

# same FILE OPTION...: both compile it, with the same output and messages.
same() {
    file=$1
    shift
    for cc in gcc clang; do
        rm -f "$work/$cc.out"
        "$work/$cc/bin/hlxc" "$file" "$@" -o "$work/$cc.out" >"$work/$cc.said" 2>&1
        echo "exit $?" >>"$work/$cc.said"
    done
    if grep -qx 'exit 0' "$work/gcc.said" &&
        cmp -s "$work/gcc.said" "$work/clang.said" && cmp -s "$work/gcc.out" "$work/clang.out"; then
        echo "ok - $file $*"
    else
        echo "not ok - $file $*"
        diff "$work/gcc.said" "$work/clang.said" | sed 's/^/# /'
        diff "$work/gcc.out" "$work/clang.out" 2>&1 | head -n 6 | sed 's/^/# /'
        failed=1
    fi
}

for file in examples/*.hlxl tests/device/*.hlxl; do
    same "$file"
    same "$file" -g
    same "$file" --numerics=native
    for pass in stage grad simplify; do
        same "$file" --dump=$pass
    done
done
for name in 5.4-closures 6.6-matmul 6.8-shapes 8.4-backward 10.2-plans; do
    same tests/fuzz/corpus/stage/$name.hlxl --emit=ir
done
[ $failed = 0 ]
