#!/bin/sh
# run.sh: runs the cases of this folder, one a file, and ends with one line "N passed, N failed".
#
#   BIN=build/bin sh tests/run.sh [CASE or FOLDER...]
#   UPDATE=1 ...   writes what the tools print now into the cases; read the diff before committing
#
# A case says what it shows, and then has sections:
#
#   --- file NAME    a file of the folder in which the case runs
#   --- run          shell commands, with the tools on PATH
#   --- stdout       what they must print; no section: nothing
#   --- stderr
#   --- exit N       the last command's exit code; no section: 0
#
# Before comparing, the case's folder is written DIR and its own folder in the repository HERE.
set -u
cd "$(dirname "$0")/.." || exit 70
root=$PWD
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 2 # build the tools first, or set BIN
PATH=$BIN:$PATH
LC_ALL=C TERM=dumb
export PATH LC_ALL TERM
unset NO_COLOR CLICOLOR_FORCE
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

# Splits a case into $work/case: head (all but what is expected), run, stdout, stderr, exit, in/.
split() {
    rm -rf "$work/case"
    mkdir -p "$work/case/in"
    for part in run stdout stderr; do : >"$work/case/$part"; done
    echo 0 >"$work/case/exit"
    awk -v dir="$work/case" '
        BEGIN { head = dir "/head"; out = "" }
        /^--- (file .+|run|stdout|stderr|exit [0-9]+)$/ {
            if (out != "") close(out)
            expected = $2 == "stdout" || $2 == "stderr" || $2 == "exit"
            if (!expected) print >head
            if ($2 == "exit") { print $3 >(dir "/exit"); out = ""; next }
            out = $2 == "file" ? dir "/in/" substr($0, 10) : dir "/" $2
            if ($2 == "file" && split($3, p, "/") > 1) {
                sub("/[^/]*$", "", $3)
                system("mkdir -p \"" dir "/in/" $3 "\"")
            }
            printf "" >out
            next
        }
        { if (!expected) print >head; if (out != "") print >out }' "$1"
}

# Runs the case; leaves what came out in $work/case/got.*.
run() {
    (
        cd "$work/case/in" || exit 70
        HERE=$(cd "$root/$(dirname "$1")" && pwd)
        export HERE
        timeout "${TIMEOUT:-120}" sh -u ../run >../raw.stdout 2>../raw.stderr </dev/null
        echo $? >../got.exit
    )
    for stream in stdout stderr; do
        sed "s|$work/case/in|DIR|g; s|$root/$(dirname "$1")|HERE|g" "$work/case/raw.$stream" \
            >"$work/case/got.$stream"
        if [ -s "$work/case/got.$stream" ] && [ -n "$(tail -c 1 "$work/case/got.$stream")" ]; then
            echo >>"$work/case/got.$stream"
        fi
    done
}

matches() {
    for part in stdout stderr exit; do
        cmp -s "$work/case/$part" "$work/case/got.$part" || return 1
    done
}

show() {
    echo "not ok - $1"
    for part in exit stdout stderr; do
        diff -u "$work/case/$part" "$work/case/got.$part" | sed "1,2d; s/^/    $part /"
    done
}

update() {
    {
        cat "$work/case/head"
        for stream in stdout stderr; do
            [ -s "$work/case/got.$stream" ] || continue
            echo "--- $stream"
            cat "$work/case/got.$stream"
        done
        read -r code <"$work/case/got.exit"
        [ "$code" -eq 0 ] || echo "--- exit $code"
    } >"$work/new"
    cmp -s "$work/new" "$1" || { cp "$work/new" "$1" && echo "updated $1"; }
}

case_file() {
    split "$1"
    run "$1"
    if matches; then
        passed=$((passed + 1))
    elif [ -n "${UPDATE:-}" ]; then
        update "$1"
        passed=$((passed + 1))
    else
        show "$1"
        failed=$((failed + 1))
    fi
}

[ $# -gt 0 ] || set -- tests
for what in "$@"; do
    if [ -d "$what" ]; then
        for f in $(find "$what" -name '*.case' | LC_ALL=C sort); do case_file "$f"; done
    else
        case_file "$what"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
