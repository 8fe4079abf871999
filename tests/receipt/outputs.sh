#!/bin/sh
# outputs.sh: what a run writes: nothing is written over what it reads, what cannot be written is
# known before it begins, and a receipt or log that fails on the way costs nothing else.
#
#   BIN=build/bin outputs.sh
set -u
cd "$(dirname "$0")/../.." || exit 70
BIN=$(cd "$BIN" && pwd) || exit 2
script=$PWD/tools/verify_receipt.py
work=$(mktemp -d) || exit 70
run=
trap '[ -z "$run" ] || kill -KILL $run 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 70
export XDG_CACHE_HOME="$work/cache"
failed=0
check() { # WHAT CONDITION...
    what=$1
    shift
    if "$@"; then
        echo "ok - $what"
    else
        echo "not ok - $what"
        sed 's/^/#   /' out
        failed=1
    fi
}
says() { grep -q -- "$1" out; }
silent() { ! says "$1"; }
train() { # PROGRAM [OPTION...]: leaves out and code
    program=$1
    shift
    timeout 60 "$BIN/hlxrun" "$program" --train -q --device cpu "$@" >out 2>&1
    code=$?
}
refused() { # WHAT CODE SENTENCE [OPTION...]: and nothing is touched
    topic=$1 want=$2 sentence=$3
    shift 3
    find . -type f ! -name out ! -name sums ! -path './cache/*' -exec cksum {} + | sort >sums
    train p.hbin --steps 2 "$@"
    check "$topic: exit $want" test $code -eq "$want"
    check "$topic: the reason" says "$sentence"
    find . -type f ! -name out ! -name sums ! -path './cache/*' -exec cksum {} + | sort >out
    check "$topic: nothing was written" cmp -s sums out
}

cat >corpus.jsonl <<'P'
{"text": "what is read"}
{"text": "is not to be lost"}
P
cat >p.hlxl <<'P'
data corpus = jsonl("corpus.jsonl", text: "{text}", tokens: "ascii", seq: 8);
param w: f32[] = 1.0;
entry train(x: i32[1, 8]) using { data: corpus, epochs: 1 } {
    let l = w * w * mean(cast(x, f32));
    w := w - 0.001 * grad(l, w);
    return { loss: l };
}
P
cat >nodata.hlxl <<'P'
param w: f32[4] = 0.5;
entry train() using { epochs: 5 } {
    let l = sum(w * w);
    w := w - 0.1 * grad(l, w);
    return { loss: l };
}
P
cat >diverges.hlxl <<'P'
param w: f32[4] = 1.0;
entry train() using { epochs: 5000 } {
    let l = sum(w * w);
    w := w + 0.5 * grad(l, w);
    return { loss: l };
}
P
for p in p nodata diverges; do
    "$BIN/hlxc" $p.hlxl -o $p.hbin || exit 1
done

# -- one file, two uses --------------------------------------------------------------------------
ln -s p.hbin soft
ln p.hbin hard
cp corpus.jsonl given.jsonl
ln -s new dangling
mkdir folder
ln -s folder linked
over='would be written over the program, `p.hbin`$'
refused "--receipt is the program" 2 "^hlxrun: the receipt $over" --receipt p.hbin
refused "by a symbolic link" 2 "the receipt $over" --receipt soft
refused "by a hard link" 2 "the receipt $over" --receipt hard
refused "by another path" 2 "the receipt $over" --receipt folder/../p.hbin
refused "--log is the program" 2 "the log $over" --log p.hbin
refused "--export-safetensors is" 2 "the exported params $over" --export-safetensors soft
data='would be written over the data `corpus`, `corpus.jsonl`$'
refused "--receipt is the data that the program names" 2 "the receipt $data" --receipt corpus.jsonl
refused "--log is" 2 "the log $data" --log folder/../corpus.jsonl
refused "--log is the data that is given" 2 "over a file of data, \`given.jsonl\`$" \
    --data given.jsonl --log given.jsonl
refused "and given by name" 2 "over a file of data, \`given.jsonl\`$" \
    --data corpus=given.jsonl --export-safetensors given.jsonl
one='would be one file, `'
refused "--receipt is --log, a new file" 2 "the log and the receipt ${one}x" --receipt x --log x
refused "--receipt is --export-safetensors" 2 "the receipt and the exported params ${one}x" \
    --receipt x --export-safetensors ./x
refused "a link that leads nowhere yet" 2 "the log and the receipt $one" --receipt new --log dangling
refused "a linked folder" 2 "the log and the receipt $one" --receipt folder/x --log linked/x
"$BIN/hlxrun" p.hbin --train --steps 2 --device cpu --receipt shown >shown 2>out
check "--receipt is where the standard output goes: exit 2" test $? -eq 2
check "and why" says 'the receipt and the standard output would be one file, `shown`$'
train p.hbin --receipt /dev/null --log /dev/null --export-safetensors /dev/null
check "a device may be written to by all" test $code -eq 0
train p.hbin --receipt dangling --log l --export-safetensors w.st
check "three files are written" test $code -eq 0 -a -s new -a -s l -a -s w.st
check "the link is still one" test -L dangling
python3 "$script" -q dangling 2>out
check "and leads to the receipt" test $? -eq 0
train p.hbin --receipt dangling --log l --export-safetensors w.st
check "and again, over what is there" test $code -eq 0
rm new l w.st dangling
check "the program still runs" "$BIN/hlxrun" inspect p.hbin --json >out

# The same for pipelines, which are checked before a device is looked for.
touch a.npy
"$BIN/hlxrun" p.hbin --run --bind a=a.npy --out b=a.npy >out 2>&1
check "--out is --bind: exit 2" test $? -eq 2
check "and why" says 'an output would be written over what is bound, `a.npy`$'
"$BIN/hlxrun" p.hbin --run --out a=x.npy --out b=x.npy >out 2>&1
check "--out is --out" says 'an output and an output would be one file, `x.npy`$'
"$BIN/hlxrun" p.hbin --run --out p.hbin >out 2>&1
check "--out is the pipeline" says 'would be written over the pipeline, `p.hbin`$'

# -- known before the run ------------------------------------------------------------------------
for option in receipt export-safetensors; do
    case $option in receipt) noun='the receipt' ;; *) noun='the exported params' ;; esac
    refused "--$option is a folder" 4 "^hlxrun: cannot write $noun \`folder\`: it is a directory" \
        --$option folder
    refused "--$option has no name" 4 "cannot write $noun \`\`: it has no name" --$option ''
    refused "--$option is in no folder" 4 "cannot write $noun \`no/x\`: No such file" --$option no/x
    refused "--$option is in a file" 4 "cannot write $noun \`l.x/x\`: No such file" --$option l.x/x
done
# What root may not write is hard to find; another user's rights will do.
if [ "$(id -u)" -ne 0 ]; then user=
elif setpriv --reuid=65534 --clear-groups true 2>/dev/null; then user='setpriv --reuid=65534 --clear-groups'
else user=none
fi
if [ "$user" != none ] && chmod 755 "$work" && $user test -x "$BIN/hlxrun"; then
    mkdir open
    echo precious >open/r
    chmod 777 open
    chmod 444 open/r
    XDG_CACHE_HOME=/nonexistent $user "$BIN/hlxrun" nodata.hbin --train --device cpu --receipt open/r >out 2>&1
    check "a file that is not to be written: exit 4" test $? -eq 4
    check "before the run" silent Epoch
    check "and why" says 'cannot write the receipt `open/r`: Permission denied'
    check "it is as it was" test "$(cat open/r)" = precious
    mkdir shut
    touch shut/l
    chmod 666 shut/l
    chmod 555 shut
    shut() { # OPTION: a run that writes shut/l, which is open, in a folder that is not
        XDG_CACHE_HOME=/nonexistent $user "$BIN/hlxrun" nodata.hbin --train -q --device cpu "$1" shut/l >out 2>&1
    }
    check "a log is written in its place" shut --log
    shut --export-safetensors
    check "what is replaced needs its folder: exit 4" test $? -eq 4
    check "and why" says 'cannot write the exported params `shut/l`: Permission denied'
    chmod 755 shut
else
    echo "ok - SKIPPED: no other user can run the tools"
fi
mkfifo pipe
for stream in - pipe; do
    train nodata.hbin --receipt $stream
    check "--receipt $stream: exit 2" test $code -eq 2
    check "--receipt $stream: why" says 'takes a file: it is written more than once'
done
"$BIN/hlxrun" nodata.hbin --train --device cpu --receipt /dev/stdout 2>out | cat >shown
check "--receipt /dev/stdout, a pipe" says 'takes a file: it is written more than once'

# -- failing on the way --------------------------------------------------------------------------
train nodata.hbin --receipt /dev/full --export-safetensors w.st
check "a full disk: exit 4" test $code -eq 4
check "that is said, and what there is" says 'No space left on device; there is no receipt$'
check "the params are exported" test -s w.st
train diverges.hbin --receipt /dev/full --receipt-every 7
check "of two failures the run's counts" test $code -eq 6
check "and both are told" test "$(grep -c '^hlxrun: ' out)" -eq 2

wait_for() { # SECONDS CONDITION...
    i=$(($1 * 10))
    shift
    until "$@" 2>/dev/null || [ $i -eq 0 ]; do
        sleep 0.1
        i=$((i - 1))
    done
}
start() { # [OPTION...]: a long run; its messages come through a pipe, which no limit of a file ends
    rm -f said w.st
    mkfifo said
    cat said >out &
    (trap '' XFSZ && exec "$BIN/hlxrun" nodata.hbin --train --steps 4000000000 -q --device cpu \
        --receipt-every 10000 "$@" >said 2>&1) &
    run=$!
}
stop() {
    kill -TERM $run
    wait $run
    code=$?
    run=
    wait
}
rm -f w.st
mkdir late
start --receipt late/r --export-safetensors w.st
sleep 2
rm -rf late
wait_for 60 says 'the run goes on'
check "a folder that is gone is told, once" test "$(grep -c 'the run goes on$' out)" -eq 1
stop
check "the run went on, and ends with exit 4" test $code -eq 4
check "the sentence says what there is" \
    says '^hlxrun: cannot write `late/r`: No such file or directory; there is no receipt$'
check "the params are exported" test -s w.st
mkdir late
start --receipt late/r
wait_for 60 test -e late/r
mv late early
wait_for 90 says 'the run goes on'
mkdir late
stop
check "what fails and then succeeds is no failure" test $code -eq 143
check "the receipt is whole" python3 "$script" -q late/r

if command -v prlimit >/dev/null; then
    start --receipt r --log l --export-safetensors w.st
    wait_for 60 test -e r
    prlimit --pid $run --fsize=400: # room for the params alone
    wait_for 60 says 'cannot write the log.*the run goes on'
    stop
    check "a limit that comes later: exit 4" test $code -eq 4
    check "the log's end is told" says '^hlxrun: the log `l` ends before the run does$'
    check "its failure was, too" says 'cannot write the log `l`: File too large; the run goes on$'
    last=$(sed -n 's/^hlxrun: cannot write `r`: .*; the receipt there goes up to step \([0-9]*\)$/\1/p' out)
    check "the receipt is one up to a step" test -n "$last"
    python3 "$script" r >valid
    check "which is its last" grep -q "^valid: .* steps 10000 to $last," valid
    check "the params are exported" test -s w.st
fi

# -- a run without a record ----------------------------------------------------------------------
rm -f r
train nodata.hbin --receipt r
cp r old
train diverges.hbin --receipt old --receipt-every 5000
check "an earlier receipt: exit 6" test $code -eq 6
check "it is told from this run's" says 'before its first record: `old` is not this run.s receipt$'
check "and is left" cmp -s r old
rm old
train diverges.hbin --receipt old --receipt-every 5000
check "no earlier one" says 'before its first record: there is no receipt$'
train diverges.hbin --receipt r --receipt-every 5
check "a first record replaces it" silent 'is not this run'
check "by this run's" python3 "$script" -q r --program diverges.hbin

# -- options that would do nothing ---------------------------------------------------------------
if "$BIN/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
else
    "$BIN/hlxrun" nodata.hbin --train -q --device vulkan --no-fuse >out 2>&1
    check "--no-fuse on a device that is not cpu: exit 2" test $? -eq 2
    check "it names the compiler's" says '^hlxrun: --no-fuse .*hlxc --no-fuse'
fi
train nodata.hbin --no-fuse
check "--no-fuse on cpu" test $code -eq 0

# -- replay ---------------------------------------------------------------------------------------
train p.hbin --steps 2 --receipt again
cksum again p.hbin corpus.jsonl >sums
for target in again p.hbin corpus.jsonl; do
    "$BIN/hlxrun" replay again --program p.hbin --device cpu --export-safetensors $target >out 2>&1
    check "replay: params over $target: exit 2" test $? -eq 2
    check "replay: params over $target: the reason" says 'would be written over'
done
cksum again p.hbin corpus.jsonl >out
check "replay: nothing was written" cmp -s sums out
"$BIN/hlxrun" replay again --program p.hbin --device cpu --export-safetensors new.st >out 2>&1
check "replay: a file of its own" test $? -eq 0 -a -s new.st

# -- memory --------------------------------------------------------------------------------------
# Values of 20 MB take a multiple in memory; a file of 100 MB is held twice; one of 1 GB is not read.
python3 - <<'P'
n = 20000000
def leb(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
open("values", "wb").write(b"\x05" + leb(n) + b"\0" * n)
open("twice", "wb").truncate(100000000)
open("huge", "wb").truncate(1000000000)
P
spent() { # FILE ARGUMENT...
    file=$1
    shift
    (ulimit -v 160000 && "$BIN/hlxrun" "$@" -q --device cpu) >out 2>&1
    check "out of memory: $*: exit 3" test $? -eq 3
    check "out of memory: $*: the file is named" says "out of memory while reading \`$file\`\$"
}
spent values verify values
spent huge verify huge
spent huge huge --train
spent twice p.hbin --train --data twice
spent huge p.hbin --train --data huge

# -- small things --------------------------------------------------------------------------------
"$BIN/hlxrun" doctor --device cpu nonsense >out 2>&1
check "a test that is not there: exit 2" test $? -eq 2
check "those that are" says '^quick, floats, .*sums, '
"$BIN/hlxrun" doctor --exhaustive --device cpu floats >out 2>&1
check "with --exhaustive the functions" says '^div, sqrt, .* erf,'
"$BIN/hlxrun" doctor --help >out
check "--help lists both" test "$(grep -c 'floats, ints, \|div, sqrt, ' out)" -eq 2
"$BIN/hlxrun" doctor --device cpu barriers >out 2>&1
check "one test is one" says '^1 test, passed$'
"$BIN/hlxrun" --help >out
check "--help tells of both signals" says '130 and 143'
exit $failed
