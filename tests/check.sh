#!/bin/sh
# check.sh: runs every suite and ends with one line "N passed, N failed".
#
#   check.sh BUILD SANITIZED_BUILD [SUITE...]
#
# A suite is a command that prints TAP ("ok ...", "not ok ...") or ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 70
build=$1 san=$2
shift 2
passed=0 failed=0
log=$(mktemp -d) || exit 70
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT TERM
# Each suite has a cache of its own, and most start with an empty one. What Mesa's drivers compile is
# kept for all of them, as the same kernels come again and again.
export MESA_SHADER_CACHE_DIR="$log/mesa"

# suite NAME COMMAND...: runs, counts, shows the output only when something failed.
suite() {
    name=$1
    shift
    start=$(date +%s)
    "$@" >"$log/out" 2>&1
    code=$?
    ok=$(grep -c '^ok ' "$log/out")
    bad=$(grep '^not ok ' "$log/out" | grep -vc '# SKIP')
    if line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/out" | tail -n 1) && [ -n "$line" ]; then
        ok=${line%% *}
        bad=${line#* passed, }
        bad=${bad%% *}
    fi
    # A crash after the last count, or a suite that counts nothing, is a failure too.
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    if [ $((ok + bad)) -eq 0 ]; then bad=1; fi
    [ "$bad" -eq 0 ] || { sed 's/^/    /' "$log/out" | tail -n 200; }
    printf '%-34s %5d passed, %d failed  (%ds)\n' "$name" "$ok" "$bad" $(($(date +%s) - start))
    passed=$((passed + ok)) failed=$((failed + bad))
}

unit() { # BUILD LABEL
    for t in tests/unit/*_test.c; do
        t=$(basename "$t" .c)
        suite "unit/$t$2" env CMOCKA_MESSAGE_OUTPUT=tap HLX_CHECK=1 "$1/tests/unit/$t"
    done
}

want() { # is the suite asked for?
    [ -z "$suites" ] && return 0
    case " $suites " in *" $1 "*) return 0 ;; esac
    return 1
}

suites=$*
bin=$(cd "$build/bin" && pwd) sanbin=$(cd "$san/bin" && pwd)
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
want layers && suite layers make -s layers
want unit && unit "$build" ""
want unit-san && unit "$san" " (sanitized)"
want cases && suite cases env BIN="$bin" sh tests/run.sh
want cases-san && suite "cases (sanitized)" env BIN="$sanbin" sh tests/run.sh
want errors && suite errors env BIN="$bin" sh tests/errors.sh
want editors && suite editors sh tests/editors.sh "$build"
want gen && suite gen/rules sh tests/gen/rules.sh "$build"
want fmt && suite fmt/roundtrip env BIN="$bin" sh tests/fmt/roundtrip.sh
want examples && suite examples env BIN="$bin" sh tests/examples.sh
want vulkan && suite vulkan/devices env BIN="$bin" sh tests/vulkan/devices.sh
want vulkan && suite vulkan/layers sh tests/vulkan/layers.sh "$build"
want vulkan && suite "vulkan/faults (sanitized)" env BIN="$sanbin" sh tests/vulkan/faults.sh
want vulkan && suite vulkan/doctor sh tests/vulkan/doctor.sh "$build" "$san"
want vulkan && suite vulkan/pipeline sh tests/vulkan/pipeline.sh "$build"
want libhlx && suite libhlx sh tests/vulkan/libhlx.sh "$build"
want device && suite device/guard sh tests/device/guard.sh "$build"
want device && suite device/bits env BIN="$bin" sh tests/device/bits.sh
want batches && suite exact/batches sh -c "\"$build/bin/hlxc\" tests/exact/batches.hlxl \
    -o \"$log/batches.hbin\" && \"$build/tests/exact/batches\" \"$log/batches.hbin\" vulkan"
want receipt && suite receipt/receipts sh tests/receipt/receipts.sh "$build"
want receipt && suite receipt/edges env BIN="$bin" sh tests/receipt/edges.sh
want receipt && suite receipt/outputs env BIN="$bin" sh tests/receipt/outputs.sh
want receipt && suite "receipt/bisect (sanitized)" env BIN="$sanbin" sh tests/receipt/bisect.sh
want prove && suite "exact/prove (small)" sh tests/exact/prove.sh "$build" --small
want rebuild && suite exact/rebuild sh tests/exact/rebuild.sh "$build"
want rebuild && suite "exact/rebuild (sanitized)" env BIN="$sanbin" \
    FILES="examples/mlp.hlxl examples/sharded.hlxl" sh tests/exact/rebuild.sh "$build"
want flags && suite exact/flags sh tests/exact/flags.sh
want compilers && suite exact/compilers sh tests/exact/compilers.sh
want ulp && suite ulp "$build/tests/ulp/ulp" --sample 4096 --tap
want store && suite store/faults env BIN="$bin" sh tests/store/faults.sh
want store && suite store/many env BIN="$bin" sh tests/store/many.sh
want store && suite store/flips env BIN="$bin" sh tests/store/flips.sh
want fuzz && suite fuzz sh tests/fuzz/run.sh "$build" 10
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
