#!/bin/sh
# embed.sh: writes a C table of files (name, bytes, length) to stdout: embed.sh TABLE FILE...
set -eu
table=$1
shift
echo '#include "frontend/embedded.h"'
i=0
for f in "$@"; do
    echo "static const unsigned char text_$i[] = {"
    od -An -v -tu1 "$f" | sed 's/  */,/g; s/^,//; s/$/,/'
    echo "0};"
    i=$((i + 1))
done
echo "const struct embedded_file ${table}[] = {"
i=0
for f in "$@"; do
    name=$(basename "$f")
    echo "    {\"${name%.*}\", (const char *)text_$i, sizeof text_$i - 1},"
    i=$((i + 1))
done
echo '    {0, 0, 0}};'
