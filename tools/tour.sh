#!/bin/sh
# tour.sh: prints each source file's first sentence, in pipeline order.
set -eu
cd "$(dirname "$0")/.."
for folder in base latent frontend ir codegen runtime; do
    printf '\n%s/\n' "$folder"
    for f in "$folder"/*; do
        case $f in *.c | *.h | *.def | *.l | *.y) ;; *) continue ;; esac
        awk -v f="${f#*/}" '
            /^(\/\/|\/\*|%\{|%top\{)/ || NR > 1 {
                line = $0
                if (line ~ /^(%\{|%top\{)/) next
                sub(/^[ \t]*(\/\/|\/\*)[ \t]?/, "", line)
                text = text (text == "" ? "" : " ") line
                if (match(text, /[.](  | |$)/)) { text = substr(text, 1, RSTART); exit }
                if (NR > 6) exit
            }
            END {
                sub(/^[A-Za-z0-9_.]+[.](c|h|def|l|y)( and [a-z]+)?: /, "", text)
                printf "  %-24s %s\n", f, text
            }' "$f"
    done
done
