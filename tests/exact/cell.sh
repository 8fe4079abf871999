#!/bin/sh
# cell.sh: one run of prove.sh: trains a program in one configuration and keeps its receipt's seal.
#
#   cell.sh BIN WORK ROW PROGRAM RUN STEPS CACHE
#
# STEPS are hlxrun's options, with a comma for a space. A dash stands where no step of the program
# has the variant that the row asks for, or the program has fewer shards than the row has workers.
bin=$1 work=$2 row=$3 program=$4 run=$5
column() { sed -n "${row}p" "$work/list" | cut -d'|' -f"$1"; }
receipt=$work/$row.$program.$run.receipt
seal=$work/$row.$program.$run.seal
if [ -s "$seal" ] && ! grep -q exit "$seal"; then exit 0; fi # kept from an earlier run
# shellcheck disable=SC2046
env XDG_CACHE_HOME="$7" $(column 2) "$bin/hlxrun" "$work/$program$(column 4).hbin" --train -q \
    $(echo "$6" | tr ',' ' ') $(column 3) --receipt "$receipt" 2>"$receipt.err"
code=$?
if [ $code -eq 0 ]; then
    python3 tools/verify_receipt.py "$receipt" | sed -n 's/^seal: //p' >"$seal"
elif [ $code -eq 2 ] && grep -q 'has a variant\|too few for' "$receipt.err"; then
    echo - >"$seal"
else
    echo "exit-$code" >"$seal"
    cat "$receipt.err" >&2
fi
