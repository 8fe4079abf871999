#!/bin/sh
# layers.sh: the Vulkan runtime says nothing under the validation layers with synchronisation
# validation: the unit test of the runtime, and every example, in both profiles, trained for a few
# steps; the pipeline is in pipeline.sh.
#
#   layers.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$(cd "$1" && pwd) || exit 2
work=$(mktemp -d) || exit 70
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$work"
if "$build/bin/hlxrun" --list-devices | grep -q '^vulkan *none'; then
    echo "ok - SKIPPED: there is no Vulkan device"
    exit 0
fi
if ! ls /usr/share/vulkan/explicit_layer.d/*validation*.json >/dev/null 2>&1; then
    echo "not ok - the validation layers are missing (Debian: vulkan-validationlayers)"
    exit 1
fi
# In the environment the layer's list has ':' between its items.
export VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation
sync=SYNCHRONIZATION_VALIDATION
VK_LAYER_ENABLES=VK_VALIDATION_FEATURE_ENABLE_${sync}_EXT
export VK_LAYER_ENABLES=$VK_LAYER_ENABLES:VALIDATION_CHECK_ENABLE_${sync}_QUEUE_SUBMIT

failed=0
silent() { # NAME COMMAND...: succeeds, and the layer prints nothing
    name=$1
    shift
    if "$@" >"$work/out" 2>&1 && ! grep -q 'Validation' "$work/out"; then
        echo "ok - $name"
    else
        echo "not ok - $name"
        grep 'Validation' "$work/out" | cut -c1-600 | head -5
        tail -5 "$work/out"
        failed=1
    fi
}

# Silence means something only if the layer is there.
if VK_LOADER_DEBUG=layer "$build/bin/hlxrun" --list-devices 2>&1 |
    grep -q 'Insert instance layer "VK_LAYER_KHRONOS_validation"'; then
    echo "ok - the layer is loaded"
else
    echo "not ok - the layer is not loaded"
    failed=1
fi
silent vk_test "$build/tests/unit/vk_test"
for f in examples/*.hlxl; do
    n=$(basename "$f" .hlxl)
    "$build/bin/hlxc" "$f" -o "$work/$n.hbin" || failed=1
    silent "$n" "$build/bin/hlxrun" "$work/$n.hbin" --train --steps 3 --device vulkan
    "$build/bin/hlxc" --numerics=native "$f" -o "$work/native.hbin" || failed=1
    silent "$n, native" "$build/bin/hlxrun" "$work/native.hbin" --train --steps 3 --device vulkan
done
silent "sharded, 2 workers" "$build/bin/hlxrun" "$work/sharded.hbin" --train --eval --steps 3 \
    --workers 2 --device vulkan
silent "receipt" "$build/bin/hlxrun" "$work/one_weight.hbin" --train --steps 3 --device vulkan \
    --receipt "$work/receipt" --receipt-every 1
exit $failed
