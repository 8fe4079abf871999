#!/bin/sh
# faults.sh: lets a writer fail at every one of its file operations, and kills it at random instants.
#
#   BIN=build/bin faults.sh [RUNS [SEED]]
#
# One transaction binds the names a and b to values of one generation, in a store where both are
# bound to the generation before. Whatever happens to the writer, the store is in order afterwards, a
# and b are of one generation, the new one if the writer said so, and the next writer succeeds. RUNS
# is how many writers are killed at random instants (default 20); with 100 and more, power is cut in
# more ways, too.
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 70
PATH=$BIN:$PATH
runs=${1:-20} seed=${2:-1}
# In memory, where a sync costs nothing: the shim knows what would be lost.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
"${CC:-gcc}" -std=c17 -O1 -shared -fPIC -o "$work/shim.so" tests/store/shim.c -ldl || exit 70
export HLX_STORE="$work/store"
passed=0 failed=0

fail() {
    echo "not ok - $1: $2"
    failed=$((failed + 1))
}

# generation N COUNT: files of COUNT values in $work/N; the first two will be a and b.
generation() {
    mkdir -p "$work/$1"
    awk -v dir="$work/$1" -v g="$1" -v count="$2" 'BEGIN {
        for (i = 0; i < count; i++) {
            file = sprintf("%s/%04d.json", dir, i)
            printf "{\"generation\": %d, \"part\": %d}\n", g, i >file
            close(file)
        }
    }'
}

store() { # N
    hlxls collapse "$work/$1"/*.json --name a --name b
}

# One check after a fault: LABEL WRITER'S-CODE OLD NEW.
check() {
    if ! hlxls fsck >"$work/fsck" 2>&1; then
        fail "$1" "fsck: $(cat "$work/fsck")"
        return
    fi
    a=$(hlxls resolve a --to json 2>&1 | sed -n 's/.*"generation": \([0-9]*\).*/\1/p')
    b=$(hlxls resolve b --to json 2>&1 | sed -n 's/.*"generation": \([0-9]*\).*/\1/p')
    if [ "$a" != "$b" ]; then
        fail "$1" "a is of generation $a and b of $b"
    elif [ "$2" -eq 0 ] && [ "$a" != "$4" ]; then
        fail "$1" "stored, said the writer, but a is of generation $a"
    elif [ "$a" != "$3" ] && [ "$a" != "$4" ]; then
        fail "$1" "a is of generation '$a'"
    else
        passed=$((passed + 1))
    fi
}

# faults WHAT SEED OLD NEW STEP: fails at every STEPth operation of the transaction NEW.
faults() {
    at=1
    while :; do
        rm -rf "$HLX_STORE" "$work/copies" "$work/log"
        mkdir "$work/copies"
        [ ! -d "$work/base$3" ] || cp -r "$work/base$3" "$HLX_STORE"
        SHIM_AT=$at SHIM_DO=$1 SHIM_SEED=$2 SHIM_FOLDER=$work/copies SHIM_LOG=$work/log \
            LD_PRELOAD=$work/shim.so hlxls collapse "$work/$4"/*.json --name a --name b \
            >"$work/out" 2>&1
        code=$?
        [ -e "$work/log" ] || break
        label="$1 at operation $at of generation $4 (seed $2)"
        if [ "$1" = short ] && [ "$code" -ne 0 ]; then
            fail "$label" "$(cat "$work/out")"
        elif [ "$code" -ne 0 ] && [ "$code" -ne 4 ] && [ "$code" -ne 137 ]; then
            fail "$label" "exit $code"
        else
            check "$label" "$code" "$3" "$4"
        fi
        if ! hlxls gc --grace 0 >"$work/out" 2>&1 || ! store 9 >"$work/out" 2>&1; then
            fail "$label" "the next writer: $(cat "$work/out")"
        else
            check "$label, the next writer" 0 "$4" 9
        fi
        at=$((at + $5))
    done
}

# The power is cut when the writer has reported: nothing of generation 2 may be lost. SEED
reported() {
    rm -rf "$HLX_STORE" "$work/copies"
    mkdir "$work/copies"
    cp -r "$work/base1" "$HLX_STORE"
    SHIM_AT=exit SHIM_SEED=$1 SHIM_FOLDER=$work/copies LD_PRELOAD=$work/shim.so \
        hlxls collapse "$work/$2"/*.json --name a --name b >"$work/out" 2>&1
    code=$?
    check "power cut after the report (seed $1)" $code "$2" "$2"
    if ! sed 's/ .*//' "$work/out" | hlxls resolve - >"$work/out2" 2>&1; then
        fail "power cut after the report (seed $1)" "$(tail -n 1 "$work/out2")"
    fi
}

# As when the power is cut while the very first writer makes the store: there may be none.
first() {
    at=1
    while :; do
        rm -rf "$HLX_STORE" "$work/copies" "$work/log"
        mkdir "$work/copies"
        SHIM_AT=$at SHIM_DO=$1 SHIM_SEED=$at SHIM_FOLDER=$work/copies SHIM_LOG=$work/log \
            LD_PRELOAD=$work/shim.so hlxls collapse "$work/1"/*.json --name a --name b \
            >"$work/out" 2>&1
        [ -e "$work/log" ] || break
        if store 2 >"$work/out" 2>&1; then
            check "$1 at operation $at of the first writer" 0 2 2
        else
            fail "$1 at operation $at of the first writer" "$(cat "$work/out")"
        fi
        at=$((at + 1))
    done
}

# Writers of many values, killed whenever. What one reported must be there for good.
kills() {
    rm -rf "$HLX_STORE"
    : >"$work/reported"
    store 1 >>"$work/reported"
    awk -v n="$1" -v seed="$2" 'BEGIN {srand(seed); while (n-- > 0) print rand() * 0.04}' |
        while read -r delay; do echo "$delay"; done >"$work/delays"
    old=1 g=100
    while read -r delay; do
        generation $g 100
        hlxls collapse "$work/$g"/*.json --name a --name b >"$work/out" 2>&1 &
        pid=$!
        sleep "$delay"
        kill -9 $pid 2>/dev/null
        wait $pid 2>/dev/null
        code=$?
        check "killed after $delay s" $code $old $g
        [ "$a" != "$g" ] || old=$g
        [ $code -ne 0 ] || cat "$work/out" >>"$work/reported"
        rm -rf "${work:?}/$g"
        g=$((g + 1))
    done <"$work/delays"
    if sed 's/ .*//' "$work/reported" | hlxls resolve - >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        fail "everything reported is there" "$(tail -n 1 "$work/out")"
    fi
}

for g in 1 2 9; do generation $g 3; done
generation 4 30 # enough for the writer to bring all to the disk at once
store 1 >"$work/out" || exit 70
cp -r "$HLX_STORE" "$work/base1"

step=23 seeds='1'
[ "$runs" -lt 100 ] || { step=7 seeds='1 2 3 4 5'; }
for what in kill eio enospc short; do
    faults $what 1 1 2 1
    faults $what 1 1 4 $step
    first $what
done
for s in $seeds; do
    faults power $((seed + s)) 1 2 1
    faults power $((seed + s)) 1 4 $step
    reported $((seed + s)) 2
    reported $((seed + s)) 4
done
first power
kills "$runs" "$seed"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
