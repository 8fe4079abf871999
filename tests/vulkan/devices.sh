#!/bin/sh
# devices.sh: a Vulkan device can be asked for by every name it has, and what is not there is
# refused; all devices give the bits of the evaluator.
#
#   BIN=build/bin devices.sh
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$BIN" && pwd) || exit 2
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$work"
failed=0
say() { # RESULT NAME
    if [ "$1" -eq 0 ]; then
        echo "ok - $2"
    else
        echo "not ok - $2"
        failed=1
    fi
}
"$BIN/hlxrun" --list-devices >"$work/list" || exit 1
"$BIN/hlxrun" --list-devices --json >"$work/list.json" || exit 1
python3 - "$work/list.json" <<'P'
import json, sys
sys.exit(json.load(open(sys.argv[1]))["devices"][-1]["device"] != "cpu")
P
say $? "--list-devices --json is JSON and ends with cpu"
"$BIN/hlxc" examples/one_weight.hlxl -o "$work/one.hbin" || exit 1
if grep -q '^vulkan *none' "$work/list"; then
    echo "ok - SKIPPED: there is no Vulkan device"
    exit $failed
fi
run() { # NAME: trains on the device NAME; the params go to $work/out
    "$BIN/hlxrun" "$work/one.hbin" --train --quiet --device "$1" --export-safetensors "$work/out" \
        2>"$work/err"
}
run cpu
mv "$work/out" "$work/cpu"
uuid=$(sed -n 's/^ *uuid //p' "$work/list" | head -1)
name=$(sed -n 's/^vulkan:0 *\([^ ]*\) .*/\1/p' "$work/list")
for device in vulkan vulkan:0 "$uuid" "$(echo "$uuid" | tr a-f A-F)" "$name" \
    "$(echo "$name" | tr a-z A-Z)"; do
    run "$device"
    cmp -s "$work/out" "$work/cpu"
    say $? "--device $device: the evaluator's bits"
    rm -f "$work/out"
done
for device in vulkan:99 vulkan:x 00000000000000000000000000000000 abacus ""; do
    run "$device"
    [ $? -eq 3 ] && grep -q "no device \`$device\`" "$work/err"
    say $? "--device $device is not there: exit 3"
done
"$BIN/hlxrun" "$work/one.hbin" --train --quiet --device vulkan --variant abacus 2>"$work/err"
[ $? -eq 2 ] && grep -q 'no step of the program has a variant `abacus`; there are: ' "$work/err"
say $? "--variant abacus is not there: exit 2"
"$BIN/hlxrun" "$work/one.hbin" --train --quiet --device vulkan --variant map,abacus 2>"$work/err"
[ $? -eq 2 ] && grep -q 'no step of the program has a variant `abacus`; there are: .*map' "$work/err"
say $? "--variant map,abacus: one is not there: exit 2, and what there is"
# `eval` alone has a sum: what `train` lacks is no mistake, as both run.
printf '%s\n' 'param w: f32[512] = 1.0' 'entry train() {' '    w := w * 0.5' '}' \
    'entry eval() {' '    return sum(w)' '}' >"$work/two.hlxl"
"$BIN/hlxc" "$work/two.hlxl" -o "$work/two.hbin" || exit 1
"$BIN/hlxrun" "$work/two.hbin" --train --steps 1 --eval --quiet --device vulkan \
    --variant cpu_alone 2>"$work/err"
say $? "--variant with a name that one entry of two has"
exit $failed
