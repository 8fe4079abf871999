#!/bin/sh
# libhlx.sh: an installed libhlx can be built against, shared and static; only its own names can be
# seen; the C example trains through it.
#
#   libhlx.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$(cd "$1" && pwd) || exit 2
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failed=0
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok - $name"
    else
        echo "not ok - $name"
        tail -20 "$work/log"
        failed=1
    fi
}
check install make -s BUILD="$build" PREFIX="$work/usr" install
export PKG_CONFIG_PATH="$work/usr/lib/pkgconfig" LD_LIBRARY_PATH="$work/usr/lib"
cc="${CC:-cc} -std=c17 -Wall -Wextra -Wpedantic -Werror"
shared=$(pkg-config --cflags --libs hlx)
static="$(pkg-config --cflags hlx) $work/usr/lib/libhlx.a"
static="$static $(pkg-config --static --libs-only-l hlx | sed 's/-lhlx//')"
check "shared: builds" sh -c "$cc examples/c/train.c -o $work/shared $shared"
check "static: builds" sh -c "$cc examples/c/train.c -o $work/static $static"
check "hlx.h is C++, too" sh -c "echo '#include <hlx.h>' | ${CXX:-c++} -x c++ -Wall -Wextra \
    -Wpedantic -Werror -fsyntax-only \$(pkg-config --cflags hlx) -"
nm -D --defined-only "$work/usr/lib/libhlx.so" | awk '{print $3}' >"$work/shared.names"
nm -g --defined-only "$work/usr/lib/libhlx.a" | awk 'NF == 3 {print $3}' |
    sort >"$work/static.names"
sed -n 's/^HLX_API.*[ *]\(hlx_[a-z_]*\)(.*/\1/p' runtime/hlx.h | sort >"$work/names"
check "shared: the names of hlx.h and no other" sh -c "sort $work/shared.names | diff $work/names -"
check "static: the names of hlx.h and no other" diff "$work/names" "$work/static.names"
check "one_weight compiles" "$build/bin/hlxc" examples/one_weight.hlxl -o "$work/one.hbin"
for kind in shared static; do
    "$work/$kind" "$work/one.hbin" cpu >"$work/$kind.cpu" 2>&1
    check "$kind: trains" grep -q '^epoch 18: loss 0.000, gradient -0.023, w 1.999970$' \
        "$work/$kind.cpu"
done
if "$build/bin/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
else
    XDG_CACHE_HOME="$work" "$work/shared" "$work/one.hbin" vulkan >"$work/vulkan" 2>&1
    check "the same numbers on Vulkan" sh -c "grep ^epoch $work/shared.cpu >$work/a &&
        grep ^epoch $work/vulkan | diff $work/a -"
fi
"$work/shared" "$work/none.hbin" >"$work/log" 2>&1
code=$?
check "a missing file is code 4" [ $code -eq 4 ]
exit $failed
