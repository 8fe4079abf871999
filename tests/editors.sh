#!/bin/sh
# editors.sh: the files for editors are what the tables say, and editors can read them.
#
#   editors.sh BUILD
set -u
cd "$(dirname "$0")/.." || exit 70
tool=$1/tools/editors
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
bad=0

ok() { # TEXT CODE
    if [ "$2" -eq 0 ]; then echo "ok - $1"; else echo "not ok - $1" && bad=1; fi
}

have() {
    command -v "$1" >/dev/null && return 0
    echo "ok - $1 is not installed # SKIP"
    return 1
}

# The scope that the grammar gives to the start of a text.
scope() {
    jq -r --arg text "$1" '
        first(.patterns[] | (.match // .begin) as $pattern
            | select([$text | match($pattern)] | any(.offset == 0))
            | .name // "definition")' "$grammar" | sed 's/[.]hlx$//'
}

textmate() {
    grammar=editors/textmate/hlx.tmLanguage.json
    jq -e '[.. | objects | .match?, .begin?, .end? | select(. != null)]
        | length > 10 and all(. as $pattern | "x" | test($pattern) | type == "boolean")' \
        "$grammar" >"$dir/out" 2>&1
    ok "every pattern of the TextMate grammar is valid" $?
    while IFS='|' read -r text want; do
        got=$(scope "$text")
        [ "$got" = "$want" ]
        ok "TextMate: $text is $want ($got)" $?
    done <"$dir/scopes"
    for text in 'letter' 'if: 1' 'x.let' 'mean'; do
        got=$(scope "$text")
        [ -z "$got" ]
        ok "TextMate: $text is a name ($got)" $?
    done
}
cat >"$dir/scopes" <<'T'
// let x|comment.line.double-slash
"let"|string.quoted.double
x"00ff"|string.quoted.other.bytes
᛫"00ff"|string.quoted.other.bytes
&h_a|constant.other.handle
⟁a|constant.other.handle
0x1F|constant.numeric.hex
1_000.5e-3|constant.numeric
.5|constant.numeric
fn f(x)|definition
ᚠf(x)|definition
let x|storage.type
ᛚx|storage.type
if x|keyword.control
ᛁx|keyword.control
not x|keyword.operator.word
true|constant.language
⊥|constant.language
rsqrt (x)|support.function.builtin
⟌(x)|support.function.builtin
f32[2]|support.type
ℝ[2]|support.type
**|keyword.operator
↑|keyword.operator
≔|keyword.operator
T

# Each word of a file's first line with its group in Vim.
cat >"$dir/words.vim" <<'V'
let words = [&filetype]
let at = 0
while at < len(getline(1))
    let word = matchstr(getline(1), '\S\+', at)
    let at = match(getline(1), '\S', at)
    call add(words, word . '=' . substitute(synIDattr(synID(1, at + 1, 1), 'name'), '^hlx', '', ''))
    let at += len(word) + 1
endwhile
call writefile([join(words)], $GROUPS)
qa!
V
in_vim() {
    GROUPS=$dir/groups vim -N -u NONE -i NONE -es --cmd 'set encoding=utf-8' \
        -c "set runtimepath=$PWD/editors/vim,\$VIMRUNTIME" -c 'filetype plugin on' -c 'syntax on' \
        -c "edit $1" -c "source $dir/words.vim" </dev/null
}

vim_colours() { # NAME LINE WANT
    printf '%s\n' "$2" >"$dir/$1"
    rm -f "$dir/groups"
    in_vim "$dir/$1"
    got=$(cat "$dir/groups" 2>/dev/null)
    [ "$got" = "hlx $3" ]
    ok "Vim: $got" $?
}

in_vims() {
    vim_colours t.hlxl 'let x = sqrt( 1.5 ) + "text" // let' \
        'let=Declaration x= ==Symbol sqrt(=Function 1.5=Number )= +=Symbol "text"=Text //=Comment let=Comment'
    vim_colours t.hlx 'ᛚ x ≔ √( .5 ) ⟁a ∈ ℝ // ᛚ' \
        'ᛚ=Declaration x= ≔=Symbol √(=Function .5=Number )= '\
'⟁a=Handle ∈=Control ℝ=Type //=Comment ᛚ=Comment'
}

"$tool" textmate | cmp - editors/textmate/hlx.tmLanguage.json
ok "the TextMate grammar is what make editors writes" $?
"$tool" vim | cmp - editors/vim/syntax/hlx.vim
ok "the syntax file of Vim is what make editors writes" $?
if have jq; then textmate; fi
if have vim; then in_vims; fi
exit $bad
