#!/bin/sh
# errors.sh: runs the examples of docs/errors.md, and checks that every code has one; prints TAP.
#
#   BIN=build/bin sh tests/errors.sh [CODE...]
#   UPDATE=1 ...   writes what the tools say now into docs/errors.md; read the diff before committing
#
# A section `## CODE` has blocks of code: those with a file's name become that file; `console` has
# commands after `$`, and what they print. A file right.hlxl must be formatted, and compile without
# a word. A code that no example can have stands in a unit test.
set -u
cd "$(dirname "$0")/.." || exit 70
BIN=$(cd "${BIN:-build/bin}" && pwd) || exit 2
PATH=$BIN:$PATH
page=$PWD/docs/errors.md
LC_ALL=C TERM=dumb
export PATH LC_ALL TERM
unset NO_COLOR CLICOLOR_FORCE
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Splits the page into $work/CODE.md, in order in $work/codes; what stands before goes to `head`.
split() {
    awk -v dir="$work" '
        BEGIN { out = dir "/head" }
        /^## / { close(out); out = dir "/" $2 ".md"; print $2 >(dir "/codes") }
        { print >out }' "$page"
}

# The files of a section, and its commands as a script.
unpack() { # SECTION FOLDER
    awk -v dir="$2" '
        /^```/ && out == "" { out = $1 == "```console" ? "-" : dir "/" $2; next }
        /^```/ { out = ""; next }
        out == "-" && /^\$ / { print substr($0, 3) >(dir ".sh") }
        out != "" && out != "-" { print >out }' "$1"
}

# What a section would be with what the commands print now.
rewrite() { # SECTION FOLDER
    awk -v dir="$2" '
        /^```console/ { print; inside = 1; next }
        inside && /^```/ { inside = 0 }
        inside && /^\$ / {
            print
            n++
            while ((getline line <(dir ".out." n)) > 0) print line
        }
        !inside { print }' "$1"
}

# Runs each command of a section in its folder; command N prints into FOLDER.out.N.
run_commands() { # FOLDER
    n=0
    while IFS= read -r command; do
        n=$((n + 1))
        (cd "$1" && timeout 60 sh -c "$command" >"$1.out.$n" 2>&1 </dev/null)
    done <"$1.sh"
}

right_is_right() { # FOLDER
    [ -f "$1/right.hlxl" ] || return 0
    (cd "$1" && hlxc --check right.hlxl >printed 2>said && [ ! -s said ] && hlxfmt -d right.hlxl) >"$1.diff" &&
        [ ! -s "$1.diff" ] && return 0
    sed 's/^/    /' "$1.diff" "$1/said"
    return 1
}

example() { # CODE
    dir=$work/$1
    mkdir "$dir"
    : >"$dir.sh"
    unpack "$dir.md" "$dir"
    run_commands "$dir"
    rewrite "$dir.md" "$dir" >"$dir.new"
    if ! cmp -s "$dir.md" "$dir.new" && [ -z "${UPDATE:-}" ]; then
        echo "not ok - $1: the example says something else"
        diff -u "$dir.md" "$dir.new" | sed '1,2d; s/^/    /'
    elif [ -s "$dir.sh" ] && ! cat "$dir".out.* | grep -q "$1"; then
        echo "not ok - $1: the example does not produce it"
    elif [ ! -s "$dir.sh" ] && ! grep -q 'There is no example' "$dir.md"; then
        echo "not ok - $1: no example"
    elif [ ! -s "$dir.sh" ] && ! grep -q "\"$1\"" tests/unit/*.c; then
        echo "not ok - $1: no example, and no unit test that has it"
    elif ! right_is_right "$dir"; then
        echo "not ok - $1: right.hlxl is not right"
    else
        echo "ok - $1"
    fi
}

# Every code of the sources has a row in codes.def, every row is used and explained, in its order.
every_code_is_explained() {
    sed -n 's/^CODE(\([A-Z0-9_]*\),.*/\1/p' frontend/codes.def >"$work/rows"
    cat base/*.c latent/*.c ir/*.c frontend/*.[cly] codegen/*.c runtime/*.c |
        grep -oE '[" ](HLX[0-9]{4}|E_[A-Z]+(_[A-Z]+)*)[":]' | tr -d '": ' | sort -u >"$work/used"
    sort "$work/rows" | diff - "$work/used" >"$work/diff" ||
        { echo "not ok - codes.def (<) has the codes of the sources (>)"; sed 's/^/    /' "$work/diff"; }
    diff "$work/rows" "$work/codes" >"$work/diff" && { echo "ok - every code is explained"; return; }
    echo "not ok - docs/errors.md (>) explains the codes of codes.def (<)"
    sed 's/^/    /' "$work/diff"
}

split
codes=${*:-$(cat "$work/codes")}
for code in $codes; do example "$code"; done >"$work/results"
if [ -n "${UPDATE:-}" ]; then
    for code in $codes; do mv "$work/$code.new" "$work/$code.md"; done
    { cat "$work/head"; while read -r code; do cat "$work/$code.md"; done <"$work/codes"; } >"$work/page"
    cmp -s "$work/page" "$page" || { cat "$work/page" >"$page" && echo "updated docs/errors.md"; }
fi
every_code_is_explained >>"$work/results"
cat "$work/results"
! grep -q '^not ok' "$work/results"
