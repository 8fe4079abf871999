#!/bin/sh
# prove.sh: trains the same programs in every way there is here and prints one table: a row a
# configuration, a column a program, in each cell the receipt's seal. A column must hold one seal.
#
#   prove.sh BUILD [--small]
#
# REPEAT=5 runs each configuration so many times (those of a forced variant once), JOBS=4 so many at
# once. PROGRAMS="mlp sharded" takes these examples only; VARIANTS="rows_8x8 tile_32" forces these on
# CPU devices and not all of them. KEEP=folder keeps the receipts there; a run that was stopped goes
# on behind its last receipt. Without a GPU its rows are missing; lavapipe's rows need Mesa's driver.
# --small runs a few steps in a few of the ways.
set -u
build=$(cd "$1" && pwd) || exit 2
small=${2:-}
cd "$(dirname "$0")/../.." || exit 70
bin=$build/bin
if [ -n "${KEEP:-}" ]; then
    mkdir -p "$KEEP" && work=$(cd "$KEEP" && pwd) || exit 70
else
    work=$(mktemp -d) || exit 70
    trap 'rm -rf "$work"' EXIT
fi
trap 'exit 130' INT TERM
unset MESA_SHADER_CACHE_DIR # each way compiles its own kernels
REPEAT=${REPEAT:-1} JOBS=${JOBS:-1}
tiny=400 mlp=600 sharded=60
variants="cpu_8x16 cpu_map cpu_alone cpu_apart apart joined rows_4x4 rows_8x8"
variants="$variants tile_8 tile_16 tile_32 tile_64 tile_128"
workers="2 4 8" threads="1 2" widths="128 256 512"
if [ "$small" = --small ]; then
    tiny=2 mlp=30 sharded=6
    variants="rows_8x8 tile_32 joined" workers="8" threads="1" widths="128"
fi

programs=${PROGRAMS:-one_weight mlp tiny_transformer sharded}
for p in $programs; do
    "$bin/hlxc" "examples/$p.hlxl" -o "$work/$p.hbin" &&
        "$bin/hlxc" --no-fuse "examples/$p.hlxl" -o "$work/$p.unfused.hbin" || exit 1
done
steps() {
    case $1 in
    one_weight) echo "--epochs 18" ;;
    mlp) echo "--steps $mlp" ;;
    tiny_transformer) echo "--steps $tiny" ;;
    *) echo "--steps $sharded" ;;
    esac
}

# -- configurations: NAME|ENVIRONMENT|OPTIONS|PROGRAM'S KIND|HOW OFTEN -----------------------------
devices=$("$bin/hlxrun" --list-devices)
lavapipe=$(echo "$devices" | grep -o 'llvmpipe' | head -n 1)
gpu=$(echo "$devices" | awk '/^vulkan:[0-9]/ && !/llvmpipe/ {print $1; exit}')
list() {
    echo "evaluator||--device cpu||$REPEAT"
    echo "evaluator, unfused||--device cpu --no-fuse||1"
    for w in $workers; do echo "evaluator, $w workers||--device cpu --workers $w||1"; done
    if [ -n "$lavapipe" ]; then
        for t in $threads; do
            for v in $widths; do
                setting="LP_NUM_THREADS=$t LP_NATIVE_VECTOR_WIDTH=$v"
                echo "lavapipe, $t threads, $v bits|$setting|--device llvmpipe||$REPEAT"
            done
        done
        echo "lavapipe, unfused|LP_NUM_THREADS=2|--device llvmpipe|.unfused|1"
        for w in $workers; do
            echo "lavapipe, $w workers|LP_NUM_THREADS=2|--device llvmpipe --workers $w||1"
        done
        for v in ${VARIANTS:-$variants}; do
            echo "lavapipe, $v|LP_NUM_THREADS=2|--device llvmpipe --variant $v||1"
        done
    fi
    if [ -n "$gpu" ]; then
        echo "GPU||--device $gpu||$REPEAT"
        echo "GPU, unfused||--device $gpu|.unfused|1"
        for w in $workers; do echo "GPU, $w workers||--device $gpu --workers $w||1"; done
        for v in $variants; do echo "GPU, $v||--device $gpu --variant $v||1"; done
    fi
}
list >"$work/list"
(cd "$work" && sha256sum list ./*.hbin) >"$work/these"
if [ -f "$work/kept" ] && ! cmp -s "$work/kept" "$work/these"; then
    echo "prove.sh: $work holds the receipts of other rows or programs; give an empty folder" >&2
    exit 2
fi
mv "$work/these" "$work/kept"

# -- cells ----------------------------------------------------------------------------------------
rows=$(wc -l <"$work/list")
# Each row measures anew which variants are the fastest; in the small form one does for all.
cache() { if [ "$small" = --small ]; then echo "$work/cache"; else echo "$work/cache$1"; fi; }
column() { sed -n "$1p" "$work/list" | cut -d'|' -f"$2"; }
for p in $(echo "$programs" | tr ' ' '\n' | sort -r); do # the transformer, which is long, first
    row=1
    while [ "$row" -le "$rows" ]; do
        i=0
        while [ $i -lt "$(column $row 5)" ]; do
            i=$((i + 1))
            echo "$row $p $i $(steps $p | tr ' ' ,) $(cache $row)"
        done
        row=$((row + 1))
    done
done | xargs -P "$JOBS" -L 1 sh tests/exact/cell.sh "$bin" "$work"

# -- the table ------------------------------------------------------------------------------------
printf '%-32s' ""
for p in $programs; do printf ' %-17s' "$p"; done
echo
row=1
while [ "$row" -le "$rows" ]; do
    printf '%-32s' "$(sed -n "${row}p" "$work/list" | cut -d'|' -f1)"
    for p in $programs; do
        printf ' %-17s' "$(cat "$work/$row.$p".*.seal | sort -u | cut -c1-16 | tr '\n' ' ' | sed 's/ $//')"
    done
    echo
    row=$((row + 1))
done
failed=0 row=1
while [ "$row" -le "$rows" ]; do
    if ! cat "$work/$row".*.seal | grep -qv '^-$'; then
        echo "not ok - $(sed -n "${row}p" "$work/list" | cut -d'|' -f1): no program ran in this way"
        failed=1
    fi
    row=$((row + 1))
done
for p in $programs; do
    cat "$work"/*."$p".*.seal | grep -v '^-$' | sort -u >"$work/seals"
    runs=$(cat "$work"/*."$p".*.seal | grep -vc '^-$')
    if [ "$(wc -l <"$work/seals")" -eq 1 ] && ! grep -q exit "$work/seals"; then
        echo "ok - $p: one digest in $runs runs: $(cat "$work/seals")"
    else
        echo "not ok - $p: $(wc -l <"$work/seals") digests in $runs runs"
        failed=1
    fi
done
exit $failed
