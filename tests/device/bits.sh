#!/bin/sh
# bits.sh: programs train to the same bits on a Vulkan device as on the evaluator: every example,
# and programs that use every layer, optimiser and function of the standard library on odd extents.
#
#   BIN=build/bin [HLX_TEST_DEVICE=vulkan:1] bits.sh
#
# What is compared: the exported params, and the values that each step returned.
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$BIN" && pwd) || exit 2
device=${HLX_TEST_DEVICE:-vulkan}
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$work/cache"
if "$BIN/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
    exit 0
fi
passed=0 failed=0

# run NAME PROGRAM OPTION...: leaves NAME.safetensors and the steps in NAME.steps.
run() {
    name=$1 program=$2
    shift 2
    "$BIN/hlxrun" "$program" --train --quiet --log "$work/log" \
        --export-safetensors "$work/$name.safetensors" "$@" >"$work/out" 2>&1 || return 1
    grep '"event":"step"' "$work/log" >"$work/$name.steps"
}

# same LABEL PROGRAM OPTION...: the same on the device, with options of its own before `--`.
same() {
    label=$1 program=$2 only=
    shift 2
    while [ "$1" != -- ]; do
        only="$only $1"
        shift
    done
    shift
    rm -f "$work"/*.steps "$work"/*.safetensors
    # shellcheck disable=SC2086 # a list of words
    if run cpu "$program" --device cpu "$@" &&
        run device "$program" --device "$device" $only "$@" &&
        [ -s "$work/cpu.steps" ] && cmp "$work/cpu.steps" "$work/device.steps" &&
        cmp "$work/cpu.safetensors" "$work/device.safetensors"; then
        echo "ok - $label"
        passed=$((passed + 1))
    else
        echo "not ok - $label"
        tail -n 5 "$work/out"
        failed=$((failed + 1))
    fi
}

cp examples/*.hlxl examples/*.jsonl tests/device/*.hlxl "$work"
for f in "$work"/*.hlxl; do
    n=$(basename "$f" .hlxl)
    "$BIN/hlxc" "$f" -o "$work/$n.hbin" || exit 1
    case $n in # a step of TinyTransformer takes the evaluator a while
    *transformer*) steps=20 ;;
    mlp) steps=120 ;;
    *) steps=400 ;;
    esac
    same "$n" "$work/$n.hbin" -- --steps $steps
done
for variant in rows_8x8 rows_4x4 tile_64; do
    same "dense, $variant" "$work/dense.hbin" --variant $variant --
done
same "tokens, another seed" "$work/tokens.hbin" -- --seed 123456789123
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
