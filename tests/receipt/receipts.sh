#!/bin/sh
# receipts.sh: true receipts pass on every device; false ones are refused by both checkers, each
# with its reason.
#
#   receipts.sh BUILD
set -u
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 70
bin=$build/bin work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failed=0
check() { # WHAT CONDITION...
    what=$1
    shift
    if "$@"; then echo "ok - $what"; else echo "not ok - $what"; failed=1; fi
}

"$bin/hlxc" examples/mlp.hlxl -o "$work/mlp.hbin" || exit 1
"$bin/hlxc" examples/one_weight.hlxl -o "$work/one.hbin" || exit 1
receipt() { "$bin/hlxrun" "$work/mlp.hbin" --train --steps 23 --receipt-every 4 -q "$@"; }
receipt --device cpu --receipt "$work/cpu.receipt" || exit 1
receipt --device vulkan --receipt "$work/vk.receipt" || exit 1
"$bin/hlxrun" "$work/one.hbin" --train --device cpu -q --receipt "$work/one.receipt"

seal() { "$bin/hlxrun" verify "$@" | sed -n 's/^seal: //p'; }
cpu=$(seal "$work/cpu.receipt" --device cpu)
vk=$(seal "$work/vk.receipt" --device cpu)
check "a receipt verifies" test -n "$cpu"
check "two devices leave one seal" test "$cpu" = "$vk"
check "one device verifies another's" test "$(seal "$work/cpu.receipt" --device vulkan)" = "$cpu"
check "and a span of it" "$bin/hlxrun" verify "$work/cpu.receipt" --span 5:12 -q --device vulkan
check "and without fusion" "$bin/hlxrun" verify "$work/cpu.receipt" -q --device cpu --no-fuse
check "the script accepts it" python3 tools/verify_receipt.py -q "$work/cpu.receipt"
check "with its program" python3 tools/verify_receipt.py -q "$work/cpu.receipt" --program "$work/mlp.hbin"
check "the seals are one" test "$(python3 tools/verify_receipt.py "$work/cpu.receipt" |
    sed -n 's/^seal: //p')" = "$cpu"

# Tensors of narrow elements that end within a word, and one within its second leaf.
cat >"$work/narrow.hlxl" <<'P'
param w: f32[3] = 0.5;
state a: i8[3] = 1;
state b: u8[4097] = 200;
state c: f16[5] = 0.5;
state d: bf16[4095] = 0.25;
entry train() using { epochs: 3 } {
    let l = sum(w * w);
    w := w - 0.1 * grad(l, w);
    a := cast(cast(a, i32) + 1, i8);
    b := cast(cast(b, i32) + 1, u8);
    c := cast(cast(c, f32) * 1.5, f16);
    d := cast(cast(d, f32) + 0.5, bf16);
    return { loss: l };
}
P
"$bin/hlxc" "$work/narrow.hlxl" -o "$work/narrow.hbin" || exit 1
"$bin/hlxrun" "$work/narrow.hbin" --train -q --device cpu --receipt "$work/narrow.receipt"
check "narrow elements: another device verifies" \
    "$bin/hlxrun" verify "$work/narrow.receipt" -q --device vulkan

"$bin/hlxrun" verify "$work/cpu.receipt" --program "$work/one.hbin" >"$work/out" 2>&1
check "another program is named" grep -q E_RECEIPT_PROGRAM "$work/out"
cp "$work/one.receipt" "$work/alone.receipt"
mkdir "$work/empty" && cp "$work/cpu.receipt" "$work/empty"
(cd "$work/empty" && "$bin/hlxrun" verify cpu.receipt) >"$work/out" 2>&1
check "a missing program is exit 4" test $? -eq 4

mkdir "$work/false"
"$build/tests/receipt/forge" "$work/cpu.receipt" "$work/false" || exit 1
cp "$work/mlp.hbin" "$work/false"
n=0
for f in "$work"/false/*.receipt; do
    name=$(basename "$f" .receipt) reason=
    reason=${name%%-*}
    "$bin/hlxrun" verify "$f" --device cpu >"$work/out" 2>&1
    code=$?
    python3 tools/verify_receipt.py "$f" --program "$work/mlp.hbin" >"$work/py" 2>&1
    pycode=$?
    case $reason in
    true) check "$name" test $code -eq 0 -a $pycode -eq 0 ;;
    replay) check "$name: only running it tells" test $code -eq 5 -a $pycode -eq 0 ;;
    ANY) check "$name is refused by both" test $code -eq 4 -a $pycode -eq 4 ;;
    E_RECEIPT_DATA) check "$name" grep -q "$reason: " "$work/out" ;;
    *)
        check "$name: hlxrun says why" test $code -eq 4 -a -n "$(grep "$reason: " "$work/out")"
        check "$name: the script too" test $pycode -eq 4 -a -n "$(grep "$reason: " "$work/py")"
        ;;
    esac
    n=$((n + 1))
done
check "there are enough of them" test $n -ge 25
exit $failed
