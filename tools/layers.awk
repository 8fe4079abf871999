# layers.awk: fails on an #include that the folder table of spec/architecture.md does not allow.
# usage: awk -f tools/layers.awk FILE...
BEGIN {
    may["base"] = " base "
    may["latent"] = " latent base "
    may["ir"] = " ir latent base "
    may["frontend"] = " frontend ir latent base "
    may["codegen"] = " codegen ir latent base runtime/program.h runtime/dispatch.h runtime/pipeline.h runtime/spv_tools.h "
    may["runtime"] = " runtime ir latent base "
    may["codegen/hlxc.c"] = may["codegen"] "frontend/frontend.h "
    bad = 0
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    target = quoted[2]
    folder = FILENAME
    sub(/\/.*/, "", folder)
    allowed = (FILENAME in may) ? may[FILENAME] : may[folder]
    if (allowed == "")
        next
    first = target
    sub(/\/.*/, "", first)
    if (first == target) {
        printf "%s:%d: \"%s\": write the path from the root\n", FILENAME, FNR, target
        bad = 1
    } else if (index(allowed, " " first " ") == 0 && index(allowed, " " target " ") == 0) {
        printf "%s:%d: %s/ may not include \"%s\"\n", FILENAME, FNR, folder, target
        bad = 1
    }
}
END { exit bad }
