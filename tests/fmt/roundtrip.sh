#!/bin/sh
# roundtrip.sh: over every HLXL source in the tree, formatting twice is formatting once, in both
# spellings; going to HLX and back changes nothing; the tree and the compiled program stay the same.
#
#   BIN=build/bin sh tests/fmt/roundtrip.sh [FILE...]
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 2
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir "$dir/cases" "$dir/ascii" "$dir/runic"
cp examples/corpus.jsonl "$dir/ascii"
cp examples/corpus.jsonl "$dir/runic"
passed=0 failed=0 compiled=0

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
    for flag in "" --runic; do
        "$BIN/hlxfmt" $flag "$1" >"$dir/out" 2>"$dir/err"
        [ $? -eq 1 ] && [ ! -s "$dir/out" ] && [ -s "$dir/err" ] || return 1
    done
}

# same FILE WHAT A B: whether two files are alike, else what differs.
same() {
    cmp -s "$3" "$4" && return 0
    bad "$1" "$2"
    diff -u "$3" "$4" | sed 's/^/    /'
    return 1
}

# format FLAG FROM TO
format() {
    "$BIN/hlxfmt" $1 "$2" >"$3" 2>"$dir/err" && return 0
    bad "$file" "what was formatted does not parse"
    cat "$dir/err"
    return 1
}

# The formatted source $ascii and its runic form $runic, and what can be made of them.
both_spellings() {
    format --runic "$ascii" "$runic" && format "" "$ascii" "$dir/a2.hlxl" &&
        format "" "$runic" "$dir/r2.hlx" && format --ascii "$runic" "$dir/back.hlxl" || return 1
    tree "$file" >"$dir/tree"
    tree "$ascii" >"$dir/ascii.tree"
    tree "$runic" >"$dir/runic.tree"
    same "$file" "formatting again changes it" "$ascii" "$dir/a2.hlxl" &&
        same "$file" "formatting its runic form changes it" "$runic" "$dir/r2.hlx" &&
        same "$file" "to HLX and back changes it" "$ascii" "$dir/back.hlxl" &&
        same "$file" "formatting changes the tree" "$dir/tree" "$dir/ascii.tree" &&
        same "$file" "the spelling changes the tree" "$dir/tree" "$dir/runic.tree"
}

# Both spellings compile to the same bytes, or both do not compile.
programs() {
    timeout 60 "$BIN/hlxc" "$ascii" -o "$dir/a.hbin" >"$dir/out" 2>&1
    code=$?
    timeout 60 "$BIN/hlxc" "$runic" -o "$dir/r.hbin" >"$dir/out" 2>&1
    if [ $? -ne $code ]; then
        bad "$file" "only one spelling compiles"
        return 1
    fi
    [ $code -eq 0 ] || return 0
    compiled=$((compiled + 1))
    cmp -s "$dir/a.hbin" "$dir/r.hbin" && return 0
    bad "$file" "the spellings compile to different programs"
    return 1
}

check() {
    file=$1
    name=$(basename "$1" .hlxl)
    ascii=$dir/ascii/$name.hlxl runic=$dir/runic/$name.hlx
    if ! "$BIN/hlxfmt" "$1" >"$ascii" 2>/dev/null; then
        refused "$1" || { bad "$1" "neither formatted nor refused"; return; }
    else
        both_spellings && programs || return
    fi
    passed=$((passed + 1))
}

# The sources in cases become files of their own.
unpack() {
    awk -v dir="$dir" '
        /^--- file .*\.hlxl$/ { n++; out = dir "/cases/case" n ".hlxl"; next }
        /^--- / { out = "" }
        out != "" { print >out }' $(find tests -name '*.case' | LC_ALL=C sort)
}

if [ $# -gt 0 ]; then
    for f in "$@"; do check "$f"; done
else
    unpack
    for f in $(find . -name '*.hlxl' -not -path './build*' | LC_ALL=C sort) "$dir"/cases/case*.hlxl; do
        check "$f"
    done
fi
# Half the characters, comments and text literals on neither side.
half() {
    "$BIN/hlxfmt" --stats stdlib examples >"$dir/stats"
    awk '/^together/ { found = $4 <= 50 } END { exit !found }' "$dir/stats" && return
    bad "stdlib and examples" "HLX is more than half as long as HLXL"
    sed 's/^/    /' "$dir/stats"
}

[ $# -gt 0 ] || half
[ $# -gt 0 ] || [ "$compiled" -gt 20 ] || bad "programs" "only $compiled compiled"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
