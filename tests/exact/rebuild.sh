#!/bin/sh
# rebuild.sh: hlxc makes the kernels of a program anew from its IR: to the same bytes where it made
# them itself, and to the true ones where somebody else replaced them, which --check names.
#
#   [BIN=build/san/bin] [FILES="a.hlxl b.hlxl"] rebuild.sh BUILD
set -u
build=$(cd "$1" && pwd) || exit 2
bin=$(cd "${BIN:-$build/bin}" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 70
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$work/cache"
failed=0
check() { # WHAT CONDITION...
    what=$1
    shift
    if "$@"; then echo "ok - $what"; else
        echo "not ok - $what"
        sed 's/^/# /' "$work/said"
        failed=1
    fi
}

# -- the same bytes ------------------------------------------------------------------------------

rebuild() { # SENTENCE OPTION...: of $work/a.hbin
    sentence=$1
    shift
    rm -f "$work/b.hbin"
    "$bin/hlxc" "$work/a.hbin" "$@" -o "$work/b.hbin" >"$work/said" 2>&1 &&
        cmp "$work/a.hbin" "$work/b.hbin" >>"$work/said" 2>&1 &&
        "$bin/hlxc" --check "$work/a.hbin" >"$work/said" 2>&1 &&
        grep -q "$sentence" "$work/said"
}

same() { # FILE
    file=$1
    for options in "" --no-fuse -g "--no-fuse -g"; do
        "$bin/hlxc" "$file" $options -o "$work/a.hbin" || failed=1
        check "$file $options" rebuild "its IR${options:+ with $(echo "$options" | sed 's/ -g/ and -g/')}\$" $options
    done
    "$bin/hlxc" "$file" --numerics=native -o "$work/a.hbin" || failed=1
    check "$file --numerics=native" rebuild 'its IR$'
    "$bin/hlxc" "$file" --target=cpu -o "$work/a.hbin" || failed=1
    check "$file --target=cpu" rebuild 'carries no kernels' --target=cpu
}

for file in ${FILES:-examples/*.hlxl tests/device/*.hlxl runtime/doctor.hlxl}; do
    same "$file"
done

# Files in folders, of which the first that is named is not the main one; the other spelling.
mkdir -p "$work/main/sub/deep"
cat >"$work/main/sub/part.hlxl" <<'P'
import "deep/rate.hlxl" as deep;
fn start() { constant(0.5) }
fn cost(x: f32[2, 4], y: f32[2, 4], a: f32[4, 4], b: f32[4, 4]) {
    let h = tanh(x @ a) - tensor([0.5, 1.5, 2.5, 3.5]);
    let e = h @ b - y;
    mean(e * e)
}
P
echo 'let rate = 0.1;' >"$work/main/sub/deep/rate.hlxl"
cat >"$work/main/main.hlxl" <<'P'
import "sub/part.hlxl" as part;
data pairs = table({
    x: [[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 0.5, 1.0]],
    y: [[2.0, 0.0, 1.0, 3.0], [0.0, 1.0, 4.0, 2.0]]
});
let rate = 0.1;
param a: f32[4, 4] = 0.5;
param b: f32[4, 4] = 0.25;
entry train(x: f32[2, 4], y: f32[2, 4]) using { data: pairs, epochs: 12 } {
    let l = part.cost(x, y, a, b);
    a := a - rate * grad(l, a);
    b := b - rate * grad(l, b);
    return { loss: l, half: 0.5 * l };
}
entry eval(x: f32[2, 4], y: f32[2, 4]) using { data: pairs } {
    return { loss: part.cost(x, y, a, b) };
}
P
same "$work/main/main.hlxl"
"$bin/hlxfmt" --runic --stdin-filename=main.hlxl <"$work/main/main.hlxl" >"$work/main/runic.hlx" &&
    same "$work/main/runic.hlx"

# A tensor that no device can hold: there are no kernels, twice.
echo 'param w: f32[40000000] = 0.5; entry train() { w := 0.5 * w; return { first: sum(w) }; }' >"$work/big.hlxl"
"$bin/hlxc" "$work/big.hlxl" -o "$work/a.hbin" 2>/dev/null
check "a program that no device can run" rebuild 'carries no kernels'

# -- other people's kernels ----------------------------------------------------------------------

true=$work/true.hbin
"$bin/hlxc" "$work/main/main.hlxl" -o "$true" || exit 1
"$bin/hlxc" -D rate=0.2 "$work/main/main.hlxl" -o "$work/other.hbin" || exit 1
mkdir "$work/forged"
"$build/tests/exact/swap" "$true" "$work/other.hbin" "$work/forged" || exit 1
handle() { "$bin/hlxrun" inspect "$1" | head -n 1; }

named() { # FILE SENTENCE
    "$bin/hlxc" --check "$1" >"$work/said" 2>&1
    test $? -eq 1 && grep -q "are not what this hlxc makes of its IR: $2" "$work/said"
}
healed() { # FILE
    rm -f "$work/b.hbin"
    "$bin/hlxc" "$1" -o "$work/b.hbin" >"$work/said" 2>&1 && cmp "$true" "$work/b.hbin" >>"$work/said"
}
forged=0
while read -r name sentence; do
    file=$work/forged/$name.hbin
    check "$name: the same handle" test "$(handle "$file")" = "$(handle "$true")"
    check "$name: --check names it" named "$file" "$sentence"
    check "$name: is healed" healed "$file"
    forged=$((forged + 1))
done <<'T'
kernels entry `train`, step [0-9]* (.*), variant `.*`: it runs the kernel &h_[0-9a-f]*, and this hlxc makes &h_
groups entry `train`, step 0 .*workgroups
no-barrier entry `train`, step [0-9]* .*: it does not wait for what ran before
more-barriers entry `train`, step [0-9]* .*: it waits for what ran before
buffers entry `train`, step [0-9]* .*: its buffer 0 is not
push entry `train`, step [0-9]* .*: its push constants are not
label entry `train`, step 0 (�.2Jnothing): its label
variant-name entry `train`, step 0 .*: its name is `renamed`
more-calls entry `train`, step 0 .*: the number of its calls is
fewer-variants entry `train`, step 0 .*: the number of its variants
more-memory entry `train`: its memory (intermediate values)
fewer-steps entry `train`: the number of its steps
constants entry `train`: its constants are not those of its IR
inputs entry `train`: input 0 lies elsewhere
outputs entry `train`: output 0 lies elsewhere
vars variable 0 lies elsewhere
var-memory its memory (variables)
fewer-entries the number of its entries
entry-order entry `eval`: its name is `eval`, and this hlxc makes `train`
made entry `train`, step [0-9]* (.*): its source map
idle-kernel the number of its kernels
T
check "every way of cheating was tried" test $forged -eq "$(ls "$work/forged" | wc -l)"

# Of a file made in another way, what is named is what was replaced, and not that it was made so.
# Without fusion the rate is a constant of the entry.
for options in --no-fuse -g; do
    "$bin/hlxc" "$work/main/main.hlxl" $options -o "$work/a.hbin" || exit 1
    "$bin/hlxc" -D rate=0.2 "$work/main/main.hlxl" $options -o "$work/other.hbin" || exit 1
    mkdir "$work/way"
    "$build/tests/exact/swap" "$work/a.hbin" "$work/other.hbin" "$work/way" kernels buffers || exit 1
    what='entry `train`, step [1-9][0-9]* (.*), variant .*: it runs the kernel'
    [ "$options" = -g ] || what='entry `train`: its constants'
    check "$options: a file whose kernels were replaced" named "$work/way/kernels.hbin" "$what"
    check "$options: a file whose buffers were exchanged" named "$work/way/buffers.hbin" \
        'entry `train`, step [0-9]* (.*), variant .*: its buffer 0 is not'
    rm -r "$work/way"
done

# A receipt of such a run is false, and is told so by a device that runs kernels made anew.
if "$bin/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
else
    evil=$work/forged/kernels.hbin
    verify() { # CODE PROGRAM DEVICE
        "$bin/hlxrun" verify "$work/evil.receipt" --program "$2" --device "$3" >"$work/said" 2>&1
        test $? -eq "$1"
    }
    "$bin/hlxrun" "$evil" --train -q --device vulkan --receipt "$work/evil.receipt" --receipt-every 5
    check "a false receipt, with its own kernels: identical" verify 0 "$evil" vulkan
    check "and verify says whose kernels they are" \
        grep -q "^note: with the kernels of $evil; hlxc $evil -o NEW makes them anew" "$work/said"
    check "on cpu it is false" verify 5 "$evil" cpu
    "$bin/hlxc" "$evil" -o "$work/b.hbin"
    check "with kernels made anew it is false" verify 5 "$work/b.hbin" vulkan
    "$bin/hlxrun" "$work/b.hbin" --train -q --device vulkan --receipt "$work/evil.receipt"
    check "a true receipt is identical on cpu" verify 0 "$work/b.hbin" cpu
    check "which needs no kernels" test "$(grep -c '^note' "$work/said")" -eq 0
fi

# -- damaged files -------------------------------------------------------------------------------

size=$(($(wc -c <"$true")))
damaged() { # OPTION...
    "$bin/hlxc" "$work/a.hbin" "$@" >"$work/said" 2>&1
    test $? -eq 4 && test ! -e "$work/none" && grep -q '^hlxc: .*E_PACK_' "$work/said"
}
bad=0 i=0
while [ $i -lt 40 ]; do
    at=$((4 + i * (size - 5) / 39))
    cp "$true" "$work/a.hbin"
    byte=$(od -An -tu1 -j $at -N 1 "$true")
    printf "\\$(printf %o $(((byte + 1) % 256)))" | dd of="$work/a.hbin" bs=1 seek=$at conv=notrunc 2>/dev/null
    damaged -o "$work/none" || bad=$((bad + 1))
    head -c $at "$true" >"$work/a.hbin"
    damaged --check || bad=$((bad + 1))
    i=$((i + 1))
done
check "damaged and cut files are refused" test $bad -eq 0
[ $failed = 0 ]
