#!/bin/sh
# guard.sh: what hlxc emits for the exact profile is on guard.c's list, is valid for Vulkan 1.2, and
# has the barriers it needs; and guard.c notices what is not on its list.
#
#   guard.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$(cd "$1" && pwd) || exit 2
guard=$build/tests/device/guard
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok - $name"
        passed=$((passed + 1))
    else
        echo "not ok - $name"
        grep -v '^ok ' "$work/log" | tail -n 10
        failed=$((failed + 1))
    fi
}
valid() { # FILE...
    for module in "$@"; do
        spirv-val --target-env vulkan1.2 "$module" || { echo "$module" && return 1; }
    done
}
refused() { # REASON: of what $work/bad.asm says
    spirv-as --preserve-numeric-ids "$work/bad.asm" -o "$work/bad.spv" || return 1
    ! "$guard" "$work/bad.spv" >"$work/answer" && grep -q "not ok - .*: .*$1" "$work/answer"
}

cp examples/*.hlxl examples/*.jsonl tests/device/*.hlxl "$work"
for f in "$work"/*.hlxl; do
    n=$(basename "$f" .hlxl)
    check "$n: emits" "$build/bin/hlxc" "$f" --emit=spirv -o "$work/$n"
    check "$n: only what is portable" "$guard" "$work/$n"/*.spv
    check "$n: valid" valid "$work/$n"/*.spv
    check "$n: compiles" "$build/bin/hlxc" "$f" -o "$work/$n.hbin"
    check "$n: barriers" "$build/tests/device/hazard" "$work/$n.hbin"
done

# The same modules, each with one thing wrong.
good=$(grep -l -a matmul "$work"/dense/*matmul_rows_4x4.spv | head -n 1)
spirv-dis --raw-id --no-header "$good" -o "$work/good.asm"
result=$(sed -n 's/^ *\(%[0-9]*\) = OpFMul .*/\1/p' "$work/good.asm" | head -n 1)
float=$(sed -n 's/^ *\(%[0-9]*\) = OpTypeFloat 32.*/\1/p' "$work/good.asm")
bad() { # NAME REASON SED-SCRIPT
    sed "$3" "$work/good.asm" >"$work/bad.asm"
    if cmp -s "$work/good.asm" "$work/bad.asm"; then
        check "$1: the test changes something" false
    else
        check "$1 is refused" refused "$2"
    fi
}
bad "a product that may be contracted" "has no NoContraction" "/OpDecorate $result NoContraction/d"
bad "a hardware division" "instruction 136 is not" "s/$result = OpFMul/$result = OpFDiv/"
bad "a remainder" "instruction 140 is not" "s/$result = OpFMul/$result = OpFRem/"
bad "a fused multiply-add" "instruction 11 is not" \
    "s/OpMemoryModel/%900000 = OpExtInstImport \"GLSL.std.450\"\n&/; \
     s/$result = OpFMul $float \(.*\) \(.*\)/$result = OpExtInst $float %900000 Fma \1 \2 \1/"
bad "a dot product" "instruction 148 is not" "s/$result = OpFMul/$result = OpDot/"
bad "an undefined value" "works on an undefined value" \
    "s/$result = OpFMul $float \(.*\) \(.*\)/%900001 = OpUndef $float\n$result = OpFMul $float \1 %900001/"
bad "a capability" "capability 9 is not" "s/OpCapability Shader/&\nOpCapability Float16/"
bad "relaxed precision" "decoration 0 is not" \
    "s/OpDecorate $result NoContraction/&\nOpDecorate $result RelaxedPrecision/"
bad "half precision" "a number has 16 bits" "s/OpTypeFloat 32/OpTypeFloat 16/"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
