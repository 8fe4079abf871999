#!/bin/sh
# embed.sh: writes a C table of the standard library's sources (name, bytes, length) to stdout.
set -eu
echo '#include "frontend/stdlib.h"'
i=0
for f in "$@"; do
    echo "static const unsigned char text_$i[] = {"
    od -An -v -tu1 "$f" | sed 's/  */,/g; s/^,//; s/$/,/'
    echo "0};"
    i=$((i + 1))
done
echo 'const struct stdlib_file stdlib_files[] = {'
i=0
for f in "$@"; do
    name=$(basename "$f" .hlxl)
    echo "    {\"$name\", (const char *)text_$i, sizeof text_$i - 1},"
    i=$((i + 1))
done
echo '    {0, 0, 0}};'
