#!/bin/sh
# doctor.sh: a device is tested before it runs exact programs, once; one that computes wrongly is
# refused, with the name of what is wrong. The second folder has tools built with HLX_TEST_FAULTS.
#
#   doctor.sh BUILD SANITIZED_BUILD
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$1/bin" && pwd) || exit 2
FAULTY=$(cd "$2/bin" && pwd) || exit 2
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$work/cache"
failed=0
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
says() { grep -q -- "$1" "$work/out"; }
silent() { ! says "$1"; }
doctor() { # [ARGS]: tests with the ordinary tools
    "$BIN/hlxrun" doctor "$@" >"$work/out" 2>&1
    code=$?
}

doctor --device cpu
check "the evaluator passes" test $code -eq 0
check "and says so" says '^140 tests, all passed$'
doctor --device cpu --json
check "--json is JSON" python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert r["ok"] and r["device"] == "cpu" and r["failed"] == 0
assert [g["test"] for g in r["groups"]][:2] == ["quick", "floats"]
assert all(g["ok"] and g["elements"] > 0 and g["seconds"] > 0 and not g["faults"] for g in r["groups"])
' "$work/out"
doctor --device cpu abacus
check "a test that is not there: exit 2" test $code -eq 2
doctor --device cpu --exhaustive floats
check "a group is no function: exit 2" test $code -eq 2
if "$BIN/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
    exit $failed
fi

doctor --device vulkan
check "the device passes" test $code -eq 0
check "all of it" says '^140 tests, all passed$'
check "the verdict is kept" test -n "$(ls "$work/cache/hlx/" | grep '^doctor-')"

"$BIN/hlxc" examples/one_weight.hlxl -o "$work/one.hbin" || exit 1
"$BIN/hlxc" --numerics native examples/one_weight.hlxl -o "$work/native.hbin" || exit 1
trains() { # PROGRAM [NAME]: with the tools that can compile a kernel wrongly
    HLX_TEST_WRONG_KERNEL=${2:-} "$FAULTY/hlxrun" "$work/$1.hbin" --train --steps 1 -q --device vulkan \
        >"$work/out" 2>&1
    code=$?
}
verdict=$(echo "$work"/cache/hlx/doctor-*)
stamp() { ls -i --full-time "$verdict"; }
kept=$(stamp)
trains one
check "a device with a good verdict runs the program" test $code -eq 0
check "and is not tested again" test "$(stamp)" = "$kept"

# Files that are not this build's verdict: each is as good as none, and replaced.
for damage in 'printf x' 'head -c 60' 'head -c 20' 'tr h j' true; do
    cp "$verdict" "$work/good"
    $damage <"$work/good" >"$verdict" 2>/dev/null
    trains one
    check "a verdict spoilt by \`$damage\`: the program runs" test $code -eq 0
    check "and the verdict is made anew" cmp -s "$verdict" "$work/good"
done

# A verdict of another build: all is well with it, but for what it was made with.
python3 - "$verdict" <<'P'
import hashlib, sys
old = open(sys.argv[1], "rb").read()
body = b"x" * 32 + b"floats.add"
open(sys.argv[1], "wb").write(old[:20] + hashlib.sha256(body).digest() + body)
P
trains one
check "another build's verdict: the program runs" test $code -eq 0
check "and the verdict is made anew" cmp -s "$verdict" "$work/good"

rm "$verdict"
trains native map
check "native programs are not checked" test ! -e "$verdict"
trains one map
check "a wrong primitive: exit 3" test $code -eq 3
check "the primitive is named" says 'cannot run exact programs: the primitive `floats.add` does not give'
check "and what to do" says 'hlxrun doctor --device vulkan:[0-9]'
trains one
check "the verdict is remembered" test $code -eq 3
check "with the name" says 'the primitive `floats.add`'
"$BIN/hlxrun" --list-devices >"$work/out"
check "--list-devices knows it" says 'exact: no, hlxrun doctor found `floats.add` wrong; native'
"$FAULTY/hlxrun" "$work/one.hbin" --train --steps 1 -q --device cpu
check "the evaluator runs the program" test $? -eq 0

HLX_TEST_WRONG_KERNEL=map "$FAULTY/hlxrun" doctor --device vulkan floats >"$work/out" 2>&1
check "doctor fails: exit 3" test $? -eq 3
bits='[0-9a-f]\{8\}'
check "the example: operands, both results" says \
    "FAILED floats.add .*elements differ; element [0-9]* of $bits and $bits is $bits, the evaluator gives $bits\$"
check "nothing else is wrong" silent 'FAILED floats.mul'
doctor --device vulkan floats
check "a part of the tests that passes" test $code -eq 0
trains one
check "does not clear the device" test $code -eq 3
exit $failed
