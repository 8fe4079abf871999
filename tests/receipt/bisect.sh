#!/bin/sh
# bisect.sh: faults made on purpose are found where they were made: a bit of the memory, a kernel
# that the driver compiled wrongly. Needs tools built with -DHLX_TEST_FAULTS.
#
#   BIN=build/san/bin bisect.sh
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$BIN" && pwd) || exit 2
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failed=0
export XDG_CACHE_HOME="$work/cache"
check() { # WHAT CONDITION...
    what=$1
    shift
    if "$@"; then
        echo "ok - $what"
    else
        echo "not ok - $what"
        sed 's/^/#   /' "$work/out"
        failed=1
    fi
}
says() { grep -q "$1" "$work/out"; }
bisect() {
    "$BIN/hlxrun" bisect "$@" >"$work/out" 2>&1
    code=$?
}

"$BIN/hlxc" examples/mlp.hlxl -o "$work/mlp.hbin" || exit 1
run() { "$BIN/hlxrun" "$work/mlp.hbin" --train --steps 150 --receipt-every 50 -q "$@"; }
run --device cpu --receipt "$work/good.receipt" || exit 1
flip=137:l1.w:5:20
run --device cpu --receipt "$work/bad.receipt" --inject-fault $flip || exit 1

bisect "$work/bad.receipt" "$work/good.receipt" --device vulkan --inject-fault $flip
check "two receipts differ: exit 5" test $code -eq 5
check "between the records" says "equal up to step 100, different at step 150"
check "the reference knows which is right" says "at step 150 what \`.*good.receipt\` says"
check "the step is 137" says "^step 137: "
check "the tensor, one element, both values" \
    says '`l1.w`: 1 of 64 elements differ, first \[0, 5\]: .* has .* (.*), cpu has .* (.*)'
check "no kernel did it" says "outside of the kernels"

bisect "$work/bad.receipt" --device vulkan
check "a fault of that run alone: exit 5" test $code -eq 5
check "is no device's" says "; the receipt says what neither computes"
bisect "$work/good.receipt" --device vulkan
check "a good receipt: exit 0" test $code -eq 0
bisect "$work/good.receipt" --device cpu --against vulkan
check "the other way round" test $code -eq 0

# Records that one receipt alone has are compared with the reference.
other() { # RECEIPT OPTION...
    receipt=$1
    shift
    "$BIN/hlxrun" "$work/mlp.hbin" --train --receipt-every 40 -q --device cpu --receipt "$receipt" "$@" || exit 1
}
other "$work/apart.receipt" --steps 149
other "$work/false.receipt" --steps 149 --inject-fault $flip
other "$work/longer.receipt" --steps 150
"$BIN/hlxrun" "$work/mlp.hbin" --train --steps 160 --receipt-every 50 -q --device cpu \
    --receipt "$work/tail.receipt" --inject-fault 157:l1.w:5:20
bisect "$work/good.receipt" "$work/apart.receipt" --device cpu
check "no common step, both true: exit 0" test $code -eq 0
check "it says so" says "^the receipts: no step in common"
check "all were compared" says "the reference: no difference up to step 150"
bisect "$work/good.receipt" "$work/false.receipt" --device cpu
check "no common step, one false: exit 5" test $code -eq 5
check "which one, and where" says 'false.receipt. and the reference: equal up to step 120, different at step 149: '
bisect "$work/longer.receipt" "$work/good.receipt" --device cpu
check "one common step, the others true" test $code -eq 0
bisect "$work/good.receipt" "$work/tail.receipt" --device cpu
check "what follows the common records is looked at" test $code -eq 5
check "up to its end" says 'tail.receipt. and the reference: equal up to step 150, different at step 160: '

# In the profile `native` the receipt's device is named: it alone must give the same.
"$BIN/hlxc" --numerics native examples/mlp.hlxl -o "$work/native.hbin" &&
    "$BIN/hlxrun" "$work/native.hbin" --train --steps 9 -q --device vulkan \
        --receipt "$work/native.receipt" --inject-fault 7:l1.w:5:20 || exit 1
"$BIN/hlxrun" verify "$work/native.receipt" --device vulkan >"$work/out" 2>&1
check "native: exit 5" test $? -eq 5
check "its device and driver" says "native. only the device and driver of the receipt must give it (.*, driver .*)\$"

# A kernel compiled wrongly: its first addition is a subtraction.
export HLX_TEST_WRONG_KERNEL=sum
bisect "$work/good.receipt" --device vulkan
check "a wrong kernel: exit 5" test $code -eq 5
check "shows in the first step" says "^step 1: "
check "the kernel is named" says "dispatch: kernel sum (&h_"
check "the value, its line, element and bits" \
    says 'value %[0-9]*.*, [a-z/_]*.hlxl:[0-9]*:[0-9]*: .* elements differ, first \[.*(.*)'
"$BIN/hlxrun" verify "$work/good.receipt" --device vulkan >"$work/out" 2>&1
check "verify refuses such a device" test $? -eq 5
export XDG_CACHE_HOME="$work/fresh" HLX_TEST_WRONG_KERNEL=map
"$BIN/hlxrun" verify "$work/good.receipt" --device vulkan >"$work/out" 2>&1
check "one that was not tested before is tested: exit 3" test $? -eq 3
bisect "$work/good.receipt" --device vulkan
check "bisect runs on a device that was refused" test $code -eq 5
export XDG_CACHE_HOME="$work/cache"
unset HLX_TEST_WRONG_KERNEL

# An entry with shards: the shard, or the part that follows them.
"$BIN/hlxc" examples/sharded.hlxl -o "$work/sharded.hbin" || exit 1
"$BIN/hlxrun" "$work/sharded.hbin" --train --steps 10 --receipt-every 5 -q --device cpu \
    --receipt "$work/sharded.receipt" || exit 1
bisect "$work/sharded.receipt" --device vulkan
check "shards: nothing differs" test $code -eq 0
bisect "$work/sharded.receipt" --device vulkan --inject-fault 7:l1.w:5:20
check "shards: a bit at step 7" says "^step 7: "
check "not a kernel" says "outside of the kernels"
export HLX_TEST_WRONG_KERNEL=sum
bisect "$work/sharded.receipt" --device vulkan
check "shards: a wrong kernel of a shard" says "^in shard 0 of 8"
check "which one" says "kernel sum (&h_"
check "its value and line" says 'value %[0-9]*.*, [a-z/_]*.hlxl:[0-9]*:[0-9]*: .* differ, first '
cat >"$work/once.hlxl" <<'END'
import loss;
data points = table({ x: [[1.0, 2.0], [3.0, 1.0], [2.0, 2.0], [0.5, 4.0]] });
param w: f32[2] = 0.5;
param v: f32[2, 2] = 0.25;
entry train(x: f32[4, 2]) using { data: points, epochs: 4, shards: 2 } {
    let l = loss.across_mean({ sum: sum(w * x), weight: float(2) });
    w := w - 0.01 * grad(l, w);
    v := v @ v;
    return { loss: l };
}
END
"$BIN/hlxc" "$work/once.hlxl" -o "$work/once.hbin" &&
    "$BIN/hlxrun" "$work/once.hbin" --train -q --device cpu --receipt "$work/once.receipt" || exit 1
export HLX_TEST_WRONG_KERNEL=matmul_rows_4x4
bisect "$work/once.receipt" --device vulkan --variant rows_4x4
check "shards: a wrong kernel after them" says "^in what runs once"
check "the product, its line" says 'value %[0-9]*, once.hlxl:8:10: '
unset HLX_TEST_WRONG_KERNEL

"$BIN/hlxrun" replay "$work/good.receipt" --step 100 --dump='l1.*' --device vulkan >"$work/out" 2>&1
check "replay goes to a step" test $? -eq 0
check "which is the receipt's" says "identical with the receipt's record"
check "and shows what it computes" says "^grad(l1.w)"
"$BIN/hlxrun" replay "$work/bad.receipt" --device cpu >"$work/out" 2>&1
check "replay tells a difference" test $? -eq 5

# Values of single shards have no statistics; what a pattern finds beside them has.
dump() { # OPTION RECEIPT
    "$BIN/hlxrun" replay "$2" --step 1 --device cpu "$1" >"$work/out" 2>&1
    code=$?
}
dump '--dump=*' "$work/sharded.receipt"
check "a pattern leaves out what is local to a shard" test $code -eq 0
check "and shows the rest" says '^l  '
dump '--dump=h' "$work/sharded.receipt"
check "a local value by its name: exit 2" test $code -eq 2
check "which is named" says '`h` of entry `train` is local to a shard: there are 8'
cat >"$work/plain.hlxl" <<'END'
data line = table({ x: [1.0, 2.0, 3.0, 4.5] });
entry train(x: f32[2]) using { data: line } { return { loss: sum(x) }; }
END
"$BIN/hlxc" "$work/plain.hlxl" -o "$work/plain.hbin" &&
    "$BIN/hlxrun" "$work/plain.hbin" --train -q --device cpu --receipt "$work/plain.receipt" || exit 1
dump --dump "$work/plain.receipt"
check "no gradients: exit 2, not an empty table" test $code -eq 2
check "it says so" says 'entry `train` computes no gradients; --dump=NAMES'
dump '--dump=*' "$work/plain.receipt"
check "no names" says 'entry `train` has no gradient and no value with a name'

# Receipts about different runs cannot be compared.
"$BIN/hlxrun" "$work/mlp.hbin" --train --steps 5 --seed 7 -q --device cpu --receipt "$work/other.receipt"
bisect "$work/good.receipt" "$work/other.receipt"
check "another seed is another run: exit 4" test $code -eq 4
exit $failed
