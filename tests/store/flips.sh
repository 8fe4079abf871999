#!/bin/sh
# flips.sh: flips one bit in every byte of a pack, of an object and of the root of a store: each is
# found, named, and ends with exit 4.
#
#   BIN=build/bin flips.sh
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 70
PATH=$BIN:$PATH
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 70
export HLX_STORE="$work/store"
passed=0 failed=0

# flip FILE BYTE BIT
flip() {
    old=$(od -An -tu1 -j"$2" -N1 "$1")
    chmod u+w "$1"
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$(printf %o $((old ^ (1 << $3))))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# flips FILE WHAT COMMAND...: WHAT must be named when a bit of FILE is flipped.
flips() {
    file=$1 what=$2
    shift 2
    cp "$file" whole
    size=$(wc -c <"$file") at=0
    while [ $at -lt "$size" ]; do
        flip "$file" $at $((at % 8))
        "$@" >out 2>&1
        code=$?
        if [ $code -eq 4 ] && grep -q "$what" out; then
            passed=$((passed + 1))
        else
            echo "not ok - byte $at of $file: exit $code: $(tail -n 1 out)"
            failed=$((failed + 1))
        fi
        cp -f whole "$file"
        at=$((at + 1))
    done
    "$@" >out 2>&1 || {
        echo "not ok - $file unharmed: $(tail -n 1 out)"
        failed=$((failed + 1))
    }
}

echo '{"layers": [1, 2, 3], "name": "tiny"}' >tiny.json
handle=$(hlxls collapse tiny.json --name tiny) || exit 70
hlxls pack tiny -o tiny.pack || exit 70
digits=${handle#&h_}
object=store/objects/$(echo "$digits" | cut -c1-2)/$(echo "$digits" | cut -c3-)
flips tiny.pack tiny.pack hlxls unpack --store other tiny.pack
flips "$object" "$digits" hlxls resolve tiny
flips "$object" "$digits" hlxls fsck
flips store/root store/root hlxls names
flips store/root store hlxls fsck
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
