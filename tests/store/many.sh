#!/bin/sh
# many.sh: several processes store, collect, check and read one store at the same time.
#
#   BIN=build/bin many.sh [ROUNDS]
#
# Each writer binds names of its own to values that only it stores and to one that all store, and
# one more again and again, whose former values are collected under the eyes of the readers. While
# they do, collectors without any grace, checks, snapshots and readers run. Nothing that a writer
# reported may be lost, no check may find anything, and a reader always sees a value or the one after.
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 70
PATH=$BIN:$PATH
rounds=${1:-20} writers='1 2 3 4'
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export HLX_STORE="$work/store"

complain() {
    echo "not ok - $1"
    sed 's/^/    /' "$2" | tail -n 3
}

# A value of three objects: its own, one that it leads to, one that all writers have.
writer() { # NAME
    i=0
    while [ $i -lt "$rounds" ]; do
        i=$((i + 1))
        echo "{\"leaf\": \"$1-$i\"}" >"$work/leaf$1.json"
        leaf=$(hlxls convert --to lcb "$work/leaf$1.json" | sha256sum | cut -c1-64)
        echo "{\"writer\": $1, \"round\": $i, \"leaf\": \"&h_$leaf\"}" >"$work/tree$1.json"
        echo '{"shared": true}' >"$work/shared$1.json"
        hlxls collapse "$work/tree$1.json" "$work/shared$1.json" "$work/leaf$1.json" \
            --name "w$1" --name shared --name "w$1-$i" >"$work/writer$1" 2>&1 ||
            complain "writer $1, round $i" "$work/writer$1"
        echo "[$1, $i]" >"$work/moving$1.json"
        hlxls collapse "$work/moving$1.json" --name "moving$1" >"$work/writer$1" 2>&1 ||
            complain "writer $1, round $i" "$work/writer$1"
    done
    echo done >"$work/done$1"
}

at_work() {
    for w in $writers; do [ -e "$work/done$w" ] || return 0; done
    return 1
}

# repeat LABEL COMMAND...: until the writers are done; the command must succeed.
repeat() {
    label=$1
    shift
    while at_work; do
        "$@" >"$work/$label" 2>&1 || complain "$label" "$work/$label"
    done
}

echo '{"round": 0}' >"$work/zero.json"
for w in $writers; do
    hlxls collapse "$work/zero.json" "$work/zero.json" --name "w$w" --name "moving$w" >"$work/out" ||
        exit 70
done
{
    for w in $writers; do writer "$w" & done
    repeat gc1 hlxls gc --grace 0 &
    repeat gc2 hlxls gc --grace 0 &
    repeat fsck hlxls fsck &
    repeat reader hlxls resolve w1 w2 w3 w4 moving1 moving2 moving3 moving4 &
    repeat snapshot sh -c 's=$(hlxls snapshot) && hlxls snapshot --drop "$s"' &
    wait
} >"$work/complaints"
for w in $writers; do
    i=0
    while [ $i -lt "$rounds" ]; do
        i=$((i + 1))
        hlxls resolve "w$w-$i" --to json >"$work/out" 2>&1 && grep -q "\"$w-$i\"" "$work/out" ||
            complain "w$w-$i is lost" "$work/out" >>"$work/complaints"
    done
    hlxls show "w$w" --depth 1 >"$work/out" 2>&1 && grep -q "leaf: \"$w-$rounds\"" "$work/out" ||
        complain "the last of w$w" "$work/out" >>"$work/complaints"
done
hlxls fsck >"$work/out" 2>&1 || complain 'fsck at the end' "$work/out" >>"$work/complaints"
cat "$work/complaints"
failed=$(grep -c '^not ok' "$work/complaints")
# Every round of a writer twice, the last of each, and the check; more complaints are not fewer passes.
all=$(($(echo "$writers" | wc -w) * (2 * rounds + 1) + 1))
echo "$((failed > all ? 0 : all - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
