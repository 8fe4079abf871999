#!/bin/sh
# run.sh: builds every libFuzzer harness of this folder and runs each for SECONDS on its corpus.
#
#   run.sh BUILD SECONDS [HARNESS...]
#
# New inputs go to BUILD/fuzz/corpus, findings to BUILD/fuzz/findings; the corpus in git only seeds.
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$1 seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(ls tests/fuzz/*_fuzz.c | sed 's|.*/||; s|_fuzz[.]c$||')
make -s -j2 BUILD="$build/fuzz" CC=clang OPT=-O1 \
    EXTRA='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' libs || exit 1

# fuzz NAME: builds the harness and runs it.
fuzz() {
    name=$1 exe=$build/fuzz/$1_fuzz
    if ! clang -std=c17 -D_POSIX_C_SOURCE=200809L -I. -I"$build/fuzz" -g -O1 -ffp-contract=off \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -o "$exe" "tests/fuzz/${name}_fuzz.c" tests/gen/round.c -Wl,--start-group \
        "$build"/fuzz/lib*.a -Wl,--end-group -lutf8proc -lcrypto -ljansson -lz -lSPIRV-Tools \
        -lstdc++ -lm -lpthread; then
        echo "not ok - $name does not build"
        return
    fi
    mkdir -p "$build/fuzz/corpus/$name" "$build/fuzz/findings" "tests/fuzz/corpus/$name"
    if "$exe" -max_total_time="$seconds" -rss_limit_mb=3000 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$build/fuzz/findings/$name-" \
        "$build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$build/fuzz/$name.log" 2>&1; then
        echo "ok - $name: $(awk '/number_of_executed_units/ {print $2}' "$build/fuzz/$name.log") inputs"
    else
        echo "not ok - $name"
        tail -n 40 "$build/fuzz/$name.log"
    fi
}

# Two at a time.
while [ $# -gt 0 ]; do
    fuzz "$1" &
    shift
    [ $# -eq 0 ] || fuzz "$1"
    [ $# -eq 0 ] || shift
    wait
done >"$build/fuzz/results" 2>&1
cat "$build/fuzz/results"
failed=$(grep -c '^not ok' "$build/fuzz/results")
echo "$(grep -c '^ok' "$build/fuzz/results") passed, $failed failed"
[ "$failed" -eq 0 ]
