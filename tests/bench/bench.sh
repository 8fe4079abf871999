#!/bin/sh
# bench.sh: prints how fast the tools are, beside PyTorch where Debian's python3-torch is installed.
#
#   bench.sh BUILD
#
# Every number is a median. What is compared is measured in turn, in one run; nothing is asserted.
# No command runs for long: a slow machine has fewer samples, and a dash where there is none.
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$(cd "${1:-build}" && pwd) || exit 70
bin=$build/bin
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
python=/usr/bin/python3
torch=$("$python" tests/bench/torch_step.py version 2>/dev/null) || torch=

# -- measuring -----------------------------------------------------------------------------------

# The median of the numbers in a file, one a line; nothing if there is none.
median() {
    sort -n "$1" 2>/dev/null |
        awk '{x[NR] = $1} END {if (NR) print (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2}'
}

# clock COUNT COMMAND...: milliseconds of each run of a command, one a line.
clock() {
    count=$1
    shift
    while [ "$count" -gt 0 ]; do
        start=$(date +%s%N)
        "$@" >/dev/null 2>>"$dir/passes" || return
        echo $(($(date +%s%N) - start)) | awk '{print $1 / 1e6}'
        count=$((count - 1))
    done
}

# steps DEVICE THREADS STEPS PROGRAM [OPTION...]: milliseconds a step of each epoch but the first, in
# which the program meets the device.
steps() {
    device=$1 threads=$2 count=$3 program=$4
    shift 4
    rm -f "$dir/log"
    HLX_THREADS=$threads timeout 60 "$bin/hlxrun" "$program" --train -q --device "$device" \
        --steps "$count" --log "$dir/log" "$@" 2>"$dir/why"
    sed -n 's/.*"event":"epoch".*"step":\([0-9]*\),.*"seconds":\([0-9.e-]*\).*/\1 \2/p' "$dir/log" |
        awk 'NR > 1 {print $2 * 1000 / ($1 - last)} {last = $1}'
}

# The same of PyTorch: in_torch step THREADS COUNT | mm N THREADS COUNT.
in_torch() {
    [ -z "$torch" ] || "$python" tests/bench/torch_step.py "$@"
}

# The median of one pass in what hlxc --time-passes wrote.
pass() {
    awk -v name="$1" '$1 == name {print $2}' "$dir/passes" >"$dir/pass"
    median "$dir/pass"
}

# gflops N FILE: of the product of two N x N matrices, from milliseconds.
gflops() {
    median "$2" | awk -v n="$1" '{print 2 * n * n * n / $1 / 1e6}'
}

# -- printing ------------------------------------------------------------------------------------

# heading TEXT COLUMN...
heading() {
    printf '\n%-36s' "$1"
    shift
    printf '%11s' "$@"
    printf '\n'
}

# row NAME [NUMBER...]: a missing number is a dash.
row() {
    printf '  %-34s' "$1"
    shift
    for x in "$@"; do
        if [ -n "$x" ]; then printf '%11.1f' "$x"; else printf '%11s' -; fi
    done
    printf '\n'
}

# -- programs ------------------------------------------------------------------------------------

cat >"$dir/deep.hlxl" <<'P'
import transformer;
import loss;
import optim;

let c = { vocab: 256, d: 768, layers: 12, heads: 12, ffn: 3072 };

entry train(x: i32[8, 512], y: i32[8, 512]) {
    let l = loss.cross_entropy(transformer.decoder(x, c), y);
    optim.adamw(l, grads: optim.clip(grad(l)));
    return l;
}
P
cat >"$dir/mm.hlxl" <<'P'
let n = 512;
param a, b: f32[n, n] = normal(0.03);
state c: f32[n, n];
entry train() {
    c := a @ b;
}
P

cat >"$dir/start.hlxl" <<'P'
import nn;

let batch = 1;

fn model(x: f32[B, 256]) -> f32[B, 256] {
    nn.linear(gelu(nn.linear(x, 1024) as l1), 256) as l2
}

entry eval() {
    return mean(model(cast(iota([batch, 256], 1), f32) / 256.0));
}
P

# -- the benches ---------------------------------------------------------------------------------

compile_times() {
    heading 'hlxc, ms' all frontend grad simplify plan pack
    : >"$dir/passes"
    clock 10 "$bin/hlxc" examples/tiny_transformer.hlxl --time-passes -o "$dir/tiny.hbin" >"$dir/ms"
    row 'TinyTransformer' "$(median "$dir/ms")" "$(pass frontend)" "$(pass grad)" \
        "$(pass simplify)" "$(pass plan)" "$(pass pack)"
    : >"$dir/passes"
    clock 5 "$bin/hlxc" "$dir/deep.hlxl" --time-passes --check >"$dir/ms"
    row '12 layers, 85 M params (--check)' "$(median "$dir/ms")" "$(pass frontend)" \
        "$(pass grad)" "$(pass simplify)" '' ''
}

training_times() {
    heading 'TinyTransformer, ms a step' '1 thread' '2 threads' device
    for _ in 1 2 3; do
        for threads in 1 2; do
            steps cpu $threads 16 "$dir/tiny.hbin" >>"$dir/cpu$threads"
            in_torch step $threads 10 >>"$dir/torch$threads"
        done
        steps vulkan 2 16 "$dir/tiny.hbin" >>"$dir/vulkan"
    done
    row 'hlxrun --device cpu' "$(median "$dir/cpu1")" "$(median "$dir/cpu2")" ''
    row "PyTorch ${torch:-is not installed}" "$(median "$dir/torch1")" "$(median "$dir/torch2")" ''
    row 'hlxrun --device vulkan' '' '' "$(median "$dir/vulkan")"
    [ -s "$dir/vulkan" ] || sed 's/^/      /' "$dir/why"
}

matmul_times() { # N
    "$bin/hlxc" "$dir/mm.hlxl" -D n="$1" -o "$dir/mm.hbin" || return
    rm -f "$dir"/cpu? "$dir"/torch?
    for _ in 1 2; do
        for threads in 1 2; do
            steps cpu $threads 7 "$dir/mm.hbin" >>"$dir/cpu$threads"
            in_torch mm "$1" $threads 7 >>"$dir/torch$threads"
        done
    done
    steps vulkan 2 4 "$dir/mm.hbin" >"$dir/vulkan"
    row "$1: hlxrun --device cpu" "$(gflops "$1" "$dir/cpu1")" "$(gflops "$1" "$dir/cpu2")" ''
    row "$1: torch.mm" "$(gflops "$1" "$dir/torch1")" "$(gflops "$1" "$dir/torch2")" ''
    row "$1: hlxrun --device vulkan" '' '' "$(gflops "$1" "$dir/vulkan")"
}

format_times() {
    heading 'hlxfmt, one core' 'MB/s' 'bytes/byte'
    for bytes in 2000000 20000000; do
        awk -v bytes=$bytes -f tests/bench/source.awk >"$dir/long.hlxl"
        for _ in 1 2 3 4 5; do "$build/tests/bench/cost" "$bin/hlxfmt" "$dir/long.hlxl"; done >"$dir/cost"
        cut -d' ' -f1 "$dir/cost" >"$dir/ms"
        cut -d' ' -f2 "$dir/cost" >"$dir/kb"
        row "$((bytes / 1000000)) MB of source; memory at its peak" \
            "$(median "$dir/ms" | awk -v n=$bytes '{print n / $1 / 1000}')" \
            "$(median "$dir/kb" | awk -v n=$bytes '{print $1 * 1024 / n}')"
    done
}

codec_times() {
    heading 'Values, MB/s of their LC-B, 1 thread' encoding decoding
    "$build/tests/bench/codecs" | while read -r codec kind encode decode; do
        case $kind in objects) kind='tree of small objects' ;; bytes) kind='16 MB of bytes' ;; esac
        [ "$decode" != - ] || decode=
        row "$codec: $kind" "$encode" "$decode"
    done
}

# 10,000 values of 67 bytes: stored in one transaction, so that they are on the disk; read back by
# handle, each hashed; all of the store checked.
store_times() {
    mkdir "$dir/values"
    awk -v dir="$dir/values" 'BEGIN {
        for (i = 0; i < 10000; i++) {
            file = sprintf("%s/%05d.json", dir, i)
            printf "{\"id\": %d, \"name\": \"object %d\", \"weights\": [%f, 1, 2, 3]}\n", i, i, i / 7 >file
            close(file)
        }
    }'
    # Each into a store of its own: ext4 is slow to make files where many were removed just now.
    for i in 1 2 3; do
        clock 1 sh -c "'$bin/hlxls' collapse --store '$dir/store$i' '$dir'/values/* >'$dir/handles'"
    done >"$dir/collapse"
    cut -d' ' -f1 "$dir/handles" >"$dir/digits"
    clock 5 sh -c "'$bin/hlxls' resolve --store '$dir/store1' --to lcb - <'$dir/digits'" >"$dir/resolve"
    clock 5 "$bin/hlxls" fsck --store "$dir/store1" >"$dir/fsck"
    heading 'hlxls, ms' collapse resolve fsck
    row '10,000 small values' "$(median "$dir/collapse")" "$(median "$dir/resolve")" \
        "$(median "$dir/fsck")"
}

# What exactness costs on the device, and what proving it does: a digest of the whole state after
# every step, of which a receipt has one every 50 steps unless it is told otherwise.
price_of_exactness() {
    sizes=512 count=16
    if "$bin/hlxrun" --list-devices | grep '^vulkan:[0-9]' | grep -qv llvmpipe; then
        sizes='1024 2048 3072' count=400
    fi
    heading 'On the device, ms a step' native exact 'a digest' '% at 50'
    for profile in native exact; do
        "$bin/hlxc" --numerics=$profile examples/tiny_transformer.hlxl -o "$dir/$profile.hbin" || return
        rm -f "$dir/$profile"
    done
    rm -f "$dir/proved"
    for _ in 1 2 3; do
        steps vulkan 2 $count "$dir/native.hbin" >>"$dir/native"
        steps vulkan 2 $count "$dir/exact.hbin" >>"$dir/exact"
        steps vulkan 2 $count "$dir/exact.hbin" --receipt "$dir/receipt" --receipt-every 1 >>"$dir/proved"
    done
    # shellcheck disable=SC2046 # two words or none
    row 'TinyTransformer' "$(median "$dir/native")" "$(median "$dir/exact")" \
        $(echo "$(median "$dir/exact")" "$(median "$dir/proved")" |
            awk 'NF == 2 {print $2 - $1, ($2 - $1) / $1 / 50 * 100}')
    heading 'Square matmul on the device, GFLOP/s' native exact
    for n in $sizes; do
        for profile in native exact; do
            "$bin/hlxc" --numerics=$profile "$dir/mm.hlxl" -D n="$n" -o "$dir/mm.hbin" || return
            steps vulkan 2 7 "$dir/mm.hbin" >"$dir/$profile"
        done
        row "$n" "$(gflops "$n" "$dir/native")" "$(gflops "$n" "$dir/exact")"
    done
}

# A process from its start to its end: reads the program, opens the device, makes pipelines, chooses
# kernels, runs one batch. Cold: nothing is cached. Warm: by hlxrun, and by nobody else.
start_times() {
    export MESA_SHADER_CACHE_DISABLE=true __GL_SHADER_DISK_CACHE=0
    heading 'Start and one batch, ms' cold warm
    for batch in 1 2 4 8 16 32 64 128; do
        "$bin/hlxc" "$dir/start.hlxl" -D batch=$batch -o "$dir/start.hbin" || return
        export XDG_CACHE_HOME="$dir/cache-$batch"
        clock 1 "$bin/hlxrun" "$dir/start.hbin" --eval -q --device vulkan >"$dir/cold"
        clock 3 "$bin/hlxrun" "$dir/start.hbin" --eval -q --device vulkan >"$dir/warm"
        row "batch $batch" "$(median "$dir/cold")" "$(median "$dir/warm")"
    done
    unset XDG_CACHE_HOME MESA_SHADER_CACHE_DISABLE __GL_SHADER_DISK_CACHE
}

load() {
    cut -d' ' -f1 /proc/loadavg
}

echo "$("$bin/hlxc" --version | head -n 1); $(nproc) cores," \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1); load $(load)"
"$bin/hlxrun" --list-devices | sed -n 's/^vulkan:[0-9]* */Vulkan: /p'
compile_times
training_times
heading 'Square matmul, GFLOP/s' '1 thread' '2 threads' device
matmul_times 512
matmul_times 1024
price_of_exactness
start_times
[ ! -x "$bin/hlxfmt" ] || format_times
codec_times
[ ! -x "$bin/hlxls" ] || store_times
printf '\nLoad %s at the end: what other processes take is missing above.\n' "$(load)"
echo 'Accuracy and speed of the exact functions over all inputs: make ulp'
