#!/bin/sh
# embed_gzip.sh: writes a file, packed by gzip, as C source to stdout: embed_gzip.sh HEADER NAME FILE.
set -eu
echo "// Made by tools/embed_gzip.sh."
echo "#include \"$1\""
echo "const struct $2 $2 = {"
echo "    .sha = \"$(sha256sum <"$3" | cut -d' ' -f1)\","
echo "    .n = $(($(wc -c <"$3"))),"
echo "    .npacked = $(($(gzip -9n <"$3" | wc -c))),"
echo "    .packed = (const unsigned char[]){"
gzip -9n <"$3" | od -An -v -tu1 | sed 's/  */,/g; s/^,//; s/$/,/'
echo "}};"
