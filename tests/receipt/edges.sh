#!/bin/sh
# edges.sh: receipts of unusual runs: without data, without variables, without outputs, of one step,
# ended by a signal or by a loss that became infinite; and orders for receipts that cannot be kept.
#
#   BIN=build/bin edges.sh
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$BIN" && pwd) || exit 2
script=$PWD/tools/verify_receipt.py
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 70
export XDG_CACHE_HOME="$work/cache"
failed=0
check() { # WHAT CONDITION...
    what=$1
    shift
    if "$@"; then
        echo "ok - $what"
    else
        echo "not ok - $what"
        sed 's/^/#   /' out
        failed=1
    fi
}
says() { grep -q -- "$1" out; }
train() { # PROGRAM [OPTION...]: leaves out, code and the receipt r
    rm -f r
    program=$1
    shift
    "$BIN/hlxrun" "$program.hbin" --train -q --device cpu --receipt r "$@" >out 2>&1
    code=$?
}
# Both checkers accept r, about that program, with one seal.
valid() { # PROGRAM
    python3 "$script" r --program "$1.hbin" >script.out 2>>out &&
        "$BIN/hlxrun" verify r --program "$1.hbin" --device cpu >verify.out 2>>out &&
        [ "$(sed -n 's/^seal: //p' script.out)" = "$(sed -n 's/^seal: //p' verify.out)" ]
}

cat >nodata.hlxl <<'P'
param w: f32[4, 3] = 0.5;
entry train() using { epochs: 5 } {
    let l = sum(w * w);
    w := w - 0.1 * grad(l, w);
    return { loss: l };
}
P
cat >novars.hlxl <<'P'
data line = table({ x: [1.0, 2.0, 3.0, 4.5] });
entry train(x: f32[2]) using { data: line, epochs: 2 } { return { loss: sum(x) }; }
P
cat >nooutputs.hlxl <<'P'
param w: f32[4] = 0.5;
entry train() using { epochs: 5 } {
    w := w * 0.5;
    return { w: w };
}
P
cat >kinds.hlxl <<'P'
param w: f32[5000] = 0.5;
state i: i32[3] = 1;
state b: bool[3] = true;
entry train() using { epochs: 7 } {
    let l = sum(w * w);
    w := w - 0.1 * grad(l, w);
    i := i + 1;
    return { loss: l, k: sum(i) };
}
P
cat >diverges.hlxl <<'P'
param w: f32[4] = 1.0;
entry train() using { epochs: 5000 } {
    let l = sum(w * w);
    w := w + 0.5 * grad(l, w);
    return { loss: l };
}
P
for p in nodata novars nooutputs kinds diverges; do
    "$BIN/hlxc" $p.hlxl -o $p.hbin || exit 1
done
"$BIN/hlxc" --numerics native kinds.hlxl -o native.hbin || exit 1

for p in nodata novars nooutputs kinds native; do
    train $p
    check "$p: a receipt" valid $p
    train $p --steps 1
    check "$p: of one step" valid $p
    train $p --seed 9 --receipt-every 2
    check "$p: every two steps" valid $p
done
check "native is said" grep -q '^note: in the profile `native`' verify.out
train kinds
"$BIN/hlxls" show r >out 2>&1
check "hlxls shows a receipt" says '^contract 907 RECEIPT$'
check "with its seal" says "^seal: $(python3 "$script" r | sed -n 's/^seal: //p') "
check "with its device and version" test "$(grep -c '^    \(device\|helix\): ' out)" -eq 2
"$BIN/hlxls" validate r >out 2>&1
check "hlxls validates it" says '^r: valid as contract 907 (`hlxrun verify` checks the receipt'
"$BIN/hlxls" convert --to json r | "$BIN/hlxls" convert --from json --to lcb -o again -
check "there and back through JSON" cmp -s r again

train diverges --receipt-every 7
check "a loss that became infinite: exit 6" test $code -eq 6
check "the receipt has what came before" valid diverges
train diverges --receipt-every 5000
check "before the first record there is none" test ! -e r
check "and that is said" says 'there is no receipt$'

# A run that is ended by a signal, and one that is killed, leave receipts that are whole.
"$BIN/hlxrun" kinds.hbin --train --steps 4000000000 -q --device cpu --receipt r --receipt-every 10 &
run=$!
sleep 2
kill -TERM $run
wait $run
check "a signal: exit 143" test $? -eq 143
python3 "$script" -q r 2>out
check "and a valid receipt" test $? -eq 0
"$BIN/hlxrun" verify r --program kinds.hbin --span 1:20 --device cpu >out 2>&1
check "that can be run again" says '^identical: 2 of '
"$BIN/hlxrun" kinds.hbin --train --steps 4000000000 -q --device cpu --receipt k &
run=$!
i=0
while [ ! -e k ] && [ $i -lt 60 ]; do
    sleep 1
    i=$((i + 1))
done
kill -KILL $run
wait $run 2>/dev/null
python3 "$script" -q k 2>out
check "a killed run has a valid one" test $? -eq 0

refused() { # SENTENCE CODE OPTION...
    sentence=$1 want=$2
    shift 2
    "$BIN/hlxrun" kinds.hbin -q --device cpu "$@" >out 2>&1
    code=$?
    check "$*: exit $want" test $code -eq "$want"
    check "$*: the reason" says "$sentence"
}
refused 'keeps one entry' 2 --train --eval --receipt x
refused 'belongs to --receipt' 2 --train --receipt-every 5
refused 'no step is to be made' 2 --train --steps 0 --receipt x
refused 'no step is to be made' 2 --train --dump-grads --receipt x
refused 'written more than once' 2 --train --receipt -
refused 'is not a whole number' 2 --train --receipt x --receipt-every 0
refused 'cannot write the receipt' 4 --train --receipt nowhere/x
check "nothing was written" test ! -e x
exit $failed
