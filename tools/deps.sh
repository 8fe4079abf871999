#!/bin/sh
# deps.sh: the one list of Debian packages, and what is missing of it.
#
#   deps.sh build|dev            installs what is missing (root or sudo), else says what to type
#   deps.sh --missing build|dev  prints what is missing
set -eu
build='gcc g++ libc6-dev spirv-headers spirv-tools libvulkan-dev mesa-vulkan-drivers
       flex bison libutf8proc-dev libssl-dev libjansson-dev zlib1g-dev pkg-config'
dev='clang clang-format clang-tidy libclang-rt-14-dev libcmocka-dev libmpfr-dev librandom123-dev
     scdoc mandoc python3 valgrind vulkan-validationlayers jq vim'

missing() {
    for p in $1; do
        [ "$(dpkg-query -W -f='${Status}' "$p" 2>/dev/null)" = 'install ok installed' ] || printf '%s ' "$p"
    done
}
list() { [ "$1" = dev ] && echo "$build $dev" || echo "$build"; }

if [ "$1" = --missing ]; then
    missing "$(list "$2")"
    exit 0
fi
need=$(missing "$(list "$1")")
[ -n "$need" ] || exit 0
as=
if [ "$(id -u)" != 0 ]; then
    as=sudo
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "missing packages; please type:" >&2
        echo "    sudo apt-get install --no-install-recommends $need" >&2
        exit 2
    fi
fi
if ! command -v apt-get >/dev/null; then
    echo "these packages (Debian's names) are missing: $need" >&2
    exit 2
fi
echo "installing: $need"
$as apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends $need >/dev/null
