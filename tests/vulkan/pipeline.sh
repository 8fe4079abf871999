#!/bin/sh
# pipeline.sh: shaders of a user's own run on a Vulkan device: the example's matrices come out to
# the last bit, a thousand runs give one handle, results are taken from the store, and the
# validation layers say nothing.
#
#   pipeline.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$1/bin" && pwd) || exit 2
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$work/cache" HLX_STORE="$work/store"
cp examples/pipeline/* tests/vulkan/npy.py "$work"
cd "$work" || exit 70
failed=0
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >log 2>&1; then
        echo "ok - $name"
    else
        echo "not ok - $name"
        failed=1
        tail -n 20 log
    fi
}
says() { # NAME CODE TEXT COMMAND...: ends with CODE and one line on stderr that has TEXT
    name=$1 code=$2 text=$3
    shift 3
    "$@" >log 2>err
    is=$?
    if [ $is -eq "$code" ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$text" err; then
        echo "ok - $name"
    else
        echo "not ok - $name: exit $is"
        cat err
        failed=1
    fi
}
run() { "$BIN/hlxrun" matmul.hbin --run "$@"; }

check "it compiles" "$BIN/hlxc" matmul.hlxl -o matmul.hbin
mkdir elsewhere && cp matmul.* elsewhere
check "it compiles elsewhere" sh -c "d='$work/elsewhere'; cd / &&
    '$BIN/hlxc' \"\$d/matmul.hlxl\" -o \"\$d/matmul.hbin\""
check "to the same bytes" cmp matmul.hbin elsewhere/matmul.hbin
check "it inspects" sh -c "'$BIN/hlxrun' inspect matmul.hbin | grep -q '9x8x1 workgroups of 8x8x1'"
check "it inspects as JSON" sh -c "'$BIN/hlxrun' inspect matmul.hbin --json | python3 -m json.tool"
python3 npy.py random a.npy 1 60 50 && python3 npy.py random b.npy 2 50 70 &&
    python3 npy.py matmul a.npy b.npy want.npy || failed=1
says "cpu has no SPIR-V" 3 "which the device \`cpu\` cannot run" run --device cpu
says "inputs must be bound" 2 "nothing is bound to the input \`b\`, f32[50, 70]" run --bind a=a.npy
says "files must fit" 4 "\`b.npy\` is <f4 of shape (50, 70); the buffer \`a\` is f32[60, 50]" \
    run --bind a=b.npy --bind b=b.npy
says "names must be known" 2 "no such buffer \`d\`" run --bind d=a.npy
says "one of several inputs" 2 "say which of 2 buffers" run --bind a.npy
says "results are no inputs" 2 "say which of 2 buffers" run --bind a.npy --out a=c.npy
says "a file that is none" 4 "it is no .npy file" run --bind a=matmul.hlxl
says "--bind belongs to --run" 2 "belong to --run" "$BIN/hlxrun" matmul.hbin --train --bind a=a.npy
says "a pipeline does not train" 4 "run it with --run" "$BIN/hlxrun" matmul.hbin --train
if "$BIN/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
    exit $failed
fi
check "it runs" run --bind a=a.npy --bind b=b.npy --out c.npy
check "to the bit" cmp c.npy want.npy
check "a thousand runs give one handle" run --bind a=a.npy --bind b=b.npy --repeat 1000
tail -n 1 log >thousand
check "a run is kept" run --bind a=a.npy --bind b=b.npy --memo
tail -n 1 log >kept
check "it is a handle" grep -q '^c: f32.60, 70. &h_[0-9a-f]*$' thousand
check "the same for all" cmp thousand kept
check "and found again" run --bind a=a.npy --bind b=b.npy --memo --out m.npy
cp log found
check "in the store" grep 'from the store' found
says "outputs by name" 2 "no such buffer \`a\`" \
    run --bind a=a.npy --bind b=b.npy --memo --quiet --out a=c.npy
check "the same bytes" cmp m.npy want.npy
python3 npy.py random a2.npy 3 60 50
check "other inputs" run --bind a=a2.npy --bind b=b.npy --memo
cp log others
check "run again" grep 'device' others

if ls /usr/share/vulkan/explicit_layer.d/*validation*.json >/dev/null 2>&1; then
    VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation \
        VK_LAYER_ENABLES=VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT \
        run --bind a=a.npy --bind b=b.npy --repeat 3 >layers 2>&1
    check "the validation layers are silent" sh -c "! grep Validation layers"
else
    echo "not ok - the validation layers are missing (Debian: vulkan-validationlayers)"
    failed=1
fi
exit $failed
