#!/bin/sh
# roundtrip.sh: over every HLXL source in the tree, formatting twice is formatting once, and the
# formatted source has the same syntax tree.
#
#   BIN=build/bin sh tests/fmt/roundtrip.sh [FILE...]
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 2
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT INT TERM
passed=0 failed=0

# The tree without the places, which formatting moves.
tree() {
    "$BIN/hlxc" --emit=ast "$1" -o - | sed 's/ [0-9]*:[0-9]*-[0-9]*:[0-9]*$//'
}

bad() {
    failed=$((failed + 1))
    echo "not ok - $1: $2"
}

# A source that does not parse must be refused with code 1, and nothing printed.
refused() {
    "$BIN/hlxfmt" "$1" >"$dir/out" 2>"$dir/err"
    [ $? -eq 1 ] && [ ! -s "$dir/out" ] && [ -s "$dir/err" ]
}

check() {
    if ! "$BIN/hlxfmt" "$1" >"$dir/once.hlxl" 2>/dev/null; then
        refused "$1" || { bad "$1" "neither formatted nor refused"; return; }
    elif ! "$BIN/hlxfmt" "$dir/once.hlxl" >"$dir/twice.hlxl" 2>"$dir/err"; then
        bad "$1" "what was formatted does not parse"
        return
    elif ! cmp -s "$dir/once.hlxl" "$dir/twice.hlxl"; then
        bad "$1" "formatting again changes it"
        diff -u "$dir/once.hlxl" "$dir/twice.hlxl" | sed 's/^/    /'
        return
    else
        tree "$1" >"$dir/before" && tree "$dir/once.hlxl" >"$dir/after"
        if ! cmp -s "$dir/before" "$dir/after"; then
            bad "$1" "formatting changes the tree"
            diff "$dir/before" "$dir/after" | sed 's/^/    /'
            return
        fi
    fi
    passed=$((passed + 1))
}

# The sources in cases become files of their own.
unpack() {
    awk -v dir="$dir" '
        /^--- file .*\.hlxl$/ { n++; out = dir "/case" n ".hlxl"; next }
        /^--- / { out = "" }
        out != "" { print >out }' $(find tests -name '*.case' | LC_ALL=C sort)
}

if [ $# -gt 0 ]; then
    for f in "$@"; do check "$f"; done
else
    unpack
    for f in $(find . -name '*.hlxl' -not -path './build*' | LC_ALL=C sort) "$dir"/case*.hlxl; do
        check "$f"
    done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
