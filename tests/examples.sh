#!/bin/sh
# examples.sh: every .hlxl in the tree parses and formats to itself; every example compiles to the
# same bytes in two folders; one with a train entry trains to the same bits twice; the numbers that
# README promises come out; corpus outputs are valid HLXL.
set -u
cd "$(dirname "$0")/.." || exit 70
root=$PWD
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$dir/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok - $name"
        tail -n 20 "$dir/log"
    fi
}
hlxc=$BIN/hlxc hlxrun=$BIN/hlxrun hlxfmt=$BIN/hlxfmt

mkdir "$dir/a" "$dir/b"
cp -r examples/* "$dir/a"
cp -r examples/* "$dir/b"
for f in examples/*.hlxl; do
    n=$(basename "$f" .hlxl)
    check "$n is formatted" "$hlxfmt" --check "$f"
    check "$n compiles" sh -c "cd '$dir/a' && '$hlxc' '$n.hlxl' -o '$n.hbin'"
    check "$n compiles elsewhere" sh -c "cd / && '$hlxc' '$dir/b/$n.hlxl' -o '$dir/b/$n.hbin'"
    check "$n: the same bytes" cmp "$dir/a/$n.hbin" "$dir/b/$n.hbin"
    check "$n inspects" "$hlxrun" inspect "$dir/a/$n.hbin"
    case $n in *transformer*) steps=4 ;; *) steps=40 ;; esac
    for i in 1 2; do
        check "$n trains ($i)" "$hlxrun" "$dir/a/$n.hbin" --train --device cpu --steps $steps \
            --export-safetensors "$dir/$n.$i.safetensors"
    done
    check "$n: the same bits" cmp "$dir/$n.1.safetensors" "$dir/$n.2.safetensors"
    check "$n: other bits with another seed" sh -c "'$hlxrun' '$dir/a/$n.hbin' --train --device cpu \
        --seed 7 --steps 1 --export-safetensors '$dir/$n.s.safetensors' &&
        { [ '$n' = one_weight ] || ! cmp -s '$dir/$n.s.safetensors' '$dir/$n.1.safetensors'; }"
done
for f in stdlib/*.hlxl; do
    check "$f is formatted" "$hlxfmt" --check "$f"
done

"$hlxrun" "$dir/a/one_weight.hbin" --train --device cpu >"$dir/one" 2>&1
for want in ' 1/18: .*loss=219[.]735.* gradient=-439[.]470.* w=1[.]439470' \
    ' 2/18: .*loss=69[.]039.* w=1[.]685806' ' 18/18: .*loss=.* w=1[.]999970'; do
    check "one_weight prints $want" grep -E -- "$want" "$dir/one"
done
handle=$(grep -o '&h_[0-9a-f]*' "$dir/one" | head -n 1)
check "README shows the handle $handle" grep -qF "program: ${handle:-none} " README.md

# Every output of the corpus is valid HLXL.
i=0
python3 - "$root/examples/corpus.jsonl" "$dir" <<'P' || failed=$((failed + 1))
import json, sys
for i, line in enumerate(open(sys.argv[1])):
    open(f"{sys.argv[2]}/corpus{i:03}.hlxl", "w").write(json.loads(line)["output"] + "\n")
P
for f in "$dir"/corpus*.hlxl; do
    check "corpus output $(basename "$f")" "$hlxc" --emit=ast "$f"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
