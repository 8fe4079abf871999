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

says() { # SENTENCE HLXRUN-ARGUMENT...: in what hlxrun answers, kept in out
    sentence=$1
    shift
    "$bin/hlxrun" "$@" >"$work/out" 2>&1
    code=$?
    grep -q -- "$sentence" "$work/out" || { sed 's/^/#   /' "$work/out" && return 1; }
}
check "the file is named, and the option" says \
    'the program of `.*`, `mlp.hbin`, is neither beside it nor in this folder; .* --program FILE' \
    verify "$work/empty/cpu.receipt"
cp "$work/one.hbin" "$work/empty/mlp.hbin"
check "a wrong one beside it" says 'E_RECEIPT_PROGRAM: this is another program: .*; --program FILE' \
    verify "$work/empty/cpu.receipt" --device cpu
(cd "$work" && "$bin/hlxrun" verify empty/cpu.receipt -q --device cpu)
check "does not hide the right one here" test $? -eq 0

# A span: what was checked stands beside the seal of all.
check "a span says what it checked" says "^seal: $cpu (only steps 4 to 8 were checked)\$" \
    verify "$work/cpu.receipt" --device cpu --span 1:8
check "and of one step" says "^seal: $cpu (only step 12 was checked)\$" \
    verify "$work/cpu.receipt" --device cpu --span 12:12
check "all of it is no span" says "^seal: $cpu\$" \
    verify "$work/cpu.receipt" --device cpu --span 4:23
says 'no record from step 5 to 7' verify "$work/cpu.receipt" --span 5:7 --device nowhere
check "an empty span is refused before a device is looked for" test $code -eq 2
for o in 'variant=tile_32' no-fuse; do
    says "^hlxrun verify: --${o%%=*} is for " verify "$work/cpu.receipt" "--$o" \
        --device "$([ $o = no-fuse ] && echo vulkan || echo cpu)"
    check "--${o%%=*} is refused where it does nothing" test $code -eq 2
done
says '^hlxrun bisect: --variant is for ' bisect "$work/cpu.receipt" --variant tile_32 --device cpu
check "by bisect, too" test $code -eq 2

# Packs that are damaged or no programs, and data that is no data: one reason from both checkers.
pack() { # NAME: a damaged program, from standard input
    cat >"$work/$1.hbin"
}
head -c 3000 "$work/mlp.hbin" | pack E_PACK_TRUNCATED-cut
pack E_PACK_TRUNCATED-empty </dev/null
{ head -c 44 "$work/mlp.hbin"; printf '\377\377\377\377\377\377\377\377'; tail -c +53 "$work/mlp.hbin"; } |
    pack E_PACK_TRUNCATED-count
{ head -c 40 "$work/mlp.hbin"; printf XXXX; tail -c +45 "$work/mlp.hbin"; } | pack E_PACK_DAMAGED-root
{ head -c 8 "$work/mlp.hbin"; printf '\2'; tail -c +10 "$work/mlp.hbin"; } | pack E_PACK_VERSION-later
{ printf '\tHLX'; tail -c +5 "$work/mlp.hbin"; } | pack E_PACK_DAMAGED-top_bit
{ printf '\211HLX'; tail -c +13 "$work/mlp.hbin"; } | pack E_PACK_FOREIGN-magic
echo '{"a": 1}' >"$work/value.json"
(cd "$work" && HLX_STORE=store "$bin/hlxls" collapse value.json --name v >out &&
    HLX_STORE=store "$bin/hlxls" pack --all -o E_RECEIPT_PROGRAM-value.hbin >out) || exit 1
for f in "$work"/E_*.hbin; do
    name=$(basename "$f" .hbin)
    check "$name: hlxrun" says ": ${name%%-*}: " verify "$work/cpu.receipt" --program "$f" --device cpu
    python3 tools/verify_receipt.py "$work/cpu.receipt" --program "$f" 2>&1 | grep -q ": ${name%%-*}: "
    check "$name: the script" test $? -eq 0
done
echo 'garbage' >"$work/garbage"
data=$(python3 tools/verify_receipt.py --json "$work/cpu.receipt" |
    python3 -c 'import json, sys; print(list(json.load(sys.stdin)["data"])[0])')
check "data that cannot be read is other data" says "garbage\`: E_RECEIPT_DATA: .* this is &h_[0-9a-f]*\$" \
    verify "$work/cpu.receipt" --data "$data=$work/garbage" --device cpu

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
check "there are enough of them" test $n -ge 32
answers() { # NAME SENTENCE
    check "$1: $2" says "$2" verify "$work/false/$1.receipt" --device cpu
}
answers E_LC_PARSE-truncated 'E_LC_PARSE: byte [0-9]*: the encoding ends'
answers E_RECEIPT_FIELD-no_seed 'E_RECEIPT_FIELD: `seed` is missing$'
answers E_RECEIPT_FIELD-last_step 'not from 1 to 4294967294$'
answers E_RECEIPT_PROGRAM-entry 'no entry `tr[^a]*ain`; it has '
check "a name cannot turn the line round" test "$(grep -c "$(printf '\342\200\256')" "$work/out")" -eq 0
answers E_RECEIPT_PROGRAM-shards "the receipt's entry has 4 shards, this one's 1"
answers E_RECEIPT_PROGRAM-profile "the receipt's profile is \`native\`, this program's \`exact\`"
answers E_RECEIPT_PROGRAM-tensors 'number 2 is `.*` u32\[.*\], here it is `.*` f32\['
answers E_RECEIPT_DATA-foreign '; give its file with --data .*=FILE$'
answers replay-loss 'loss is .* (.*), the receipt says 0.5 (3f000000); '
answers replay-epoch 'the epoch is [0-9]*, the receipt says '
answers replay-output 'the receipt says another set of outputs'
for name in epoch loss root output; do
    f=$work/false/replay-$name.receipt
    says 'the receipt says what neither computes' bisect "$f" --device cpu
    check "bisect tells of a false $name" test $code -eq 5
    says '; one of the receipts says what neither computes' bisect "$work/cpu.receipt" "$f" --device cpu
    check "of two receipts, too" test $code -eq 5 -a \
        "$(grep -c "^the reference has at step .* what .*cpu.receipt. says" "$work/out")" -eq 1
done
check "bisect names the values" says 'loss is .* (.*), the receipt says 0.5 (3f000000)' \
    bisect "$work/false/replay-loss.receipt" --device cpu
check "one device twice is told apart" says '^cpu (the suspect) and cpu (the reference): ' \
    bisect "$work/false/replay-loss.receipt" --device cpu
says 'the epoch is [0-9]*, the receipt says' replay "$work/false/replay-epoch.receipt" --device cpu
check "replay tells of a false epoch" test $code -eq 5
exit $failed
