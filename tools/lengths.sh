#!/bin/sh
# lengths.sh: how long the standard library and the examples are in each form, in characters, bytes
# and tokens of language models.
#
#   BIN=build/bin NODE_PATH=folder/node_modules sh tools/lengths.sh [FILE.hlxl...]
#
# Needs node and npm's js-tiktoken (see tokens.js). The trees have no comments, so the sources are
# counted with and without them.
set -eu
cd "$(dirname "$0")/.."
BIN=$(cd "${BIN:-build/bin}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
[ $# -gt 0 ] || set -- stdlib/*.hlxl examples/*.hlxl

uncommented() {
    sed '/^ *\/\//d; s| *// .*$||' "$1"
}

i=0
for file in "$@"; do
    i=$((i + 1))
    base=$dir/$i
    "$BIN/hlxfmt" "$file" >"$base.hlxl"
    "$BIN/hlxfmt" --runic "$file" >"$base.hlx"
    uncommented "$base.hlxl" >"$base.bare.hlxl"
    uncommented "$base.hlx" >"$base.bare.hlx"
    "$BIN/hlxc" --emit=ast-value "$file" -o "$base.lcb"
    "$BIN/hlxls" convert --to json "$base.lcb" >"$base.indented"
    node -e 'console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0))))' \
        <"$base.indented" >"$base.json"
    "$BIN/hlxls" convert --to lct "$base.lcb" >"$base.lct"
    for level in 0 1 12; do
        "$BIN/hlxls" convert --to lcr --level $level "$base.lcb" >"$base.$level.lcr"
    done
done

row() { # NAME FILES
    name=$1
    shift
    node tools/tokens.js "$@" | awk -v name="$name" -v only=$(($# == 1)) '
        $1 == "together" || (only && NR == 2) {
            printf "%-28s %10d %10d %10d %10d\n", name, $2, $3, $4, $5
        }'
}

printf '%-28s %10s %10s %10s %10s\n' '' characters bytes o200k_base cl100k_base
row "HLXL" $(ls "$dir"/*.hlxl | grep -v bare)
row "HLX" $(ls "$dir"/*.hlx | grep -v bare)
row "HLXL without comments" "$dir"/*.bare.hlxl
row "HLX without comments" "$dir"/*.bare.hlx
row "tree as JSON, one line" "$dir"/*.json
row "tree as LC-T" "$dir"/*.lct
for level in 0 1 12; do row "tree as LC-R, level $level" "$dir"/*.$level.lcr; done
