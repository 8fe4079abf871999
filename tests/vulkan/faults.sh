#!/bin/sh
# faults.sh: whichever call to the driver fails, hlxrun says a sentence and exits with 3, or goes
# on. Needs tools built with -DHLX_TEST_FAULTS; run on sanitized ones, it shows that nothing leaks.
#
#   BIN=build/san/bin faults.sh
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$BIN" && pwd) || exit 2
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$work/cache"
if "$BIN/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
    exit 0
fi
"$BIN/hlxc" examples/one_weight.hlxl -o "$work/one.hbin" || exit 1
"$BIN/hlxc" examples/pipeline/matmul.hlxl -o "$work/matmul.hbin" || exit 1
python3 tests/vulkan/npy.py random "$work/a.npy" 1 60 50
python3 tests/vulkan/npy.py random "$work/b.npy" 2 50 70
trains() {
    timeout 60 "$BIN/hlxrun" "$work/one.hbin" --train --steps 3 --quiet --device vulkan
}
multiplies() {
    timeout 60 "$BIN/hlxrun" "$work/matmul.hbin" --run --quiet --bind "a=$work/a.npy" \
        --bind "b=$work/b.npy"
}

# fails WHAT N RESULT: runs with the N-th call failing; 0 when it ended as it should, 1 when nothing
# was injected any more, 2 when something is wrong.
fails() {
    export HLX_TEST_FAIL_AT=$2 HLX_TEST_FAIL_WITH=$3
    $1 >"$work/out" 2>"$work/err"
    code=$?
    [ $code -eq 0 ] && [ ! -s "$work/err" ] && return 1
    [ $code -eq 3 ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
        grep -q '^hlxrun: .* failed: ' "$work/err" && return 0
    echo "not ok - $1: call $2 with $3: exit $code"
    head -20 "$work/err"
    return 2
}

# -2 is out of device memory, -4 a lost device. 2 is work that never ends: then nothing of the
# device may be freed.
all() { # WHAT RESULT
    what=$1 result=$2
    n=0 state=0
    [ "$result" -ne 2 ] || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
    while [ $state -eq 0 ]; do
        n=$((n + 1))
        fails "$what" $n "$result"
        state=$?
    done
    [ $state -eq 2 ] && exit 1
    if [ $n -lt 20 ]; then
        echo "not ok - only $((n - 1)) calls fail: are these tools built with HLX_TEST_FAULTS?"
        exit 1
    fi
    echo "ok - $what: $((n - 1)) calls, each failing once with $result"
}
all multiplies -2
for result in -2 -4 2; do
    all trains $result
done
