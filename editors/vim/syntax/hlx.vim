" hlx.vim: colours HLXL and HLX; written by `make editors`.
scriptencoding utf-8
if exists('b:current_syntax')
    finish
endif
syn match hlxSymbol "!=\|\*\*\|->\|\.\.\|:=\|<=\|==\|>=\|%\|\*\|+\|,\|-\|\.\|\/\|:\|;\|<\|=\|>\|@"
syn match hlxSymbol "[🜁🜂↑→≔≡≢≤≥⋅⋯⋰]"
syn keyword hlxType bf16 bool f16 f32 i32 u32 i8 u8
syn match hlxType "[𝔹ℂℍℕℙℚℝℤ]"
syn match hlxFunction "\<\%(stop_gradient\|broadcast_to\|scatter_rows\|random_bits\|shift_right\|transaction\|checkpoint\|shift_left\|transpose\|bytes_of\|collapse\|max_over\|min_over\|snapshot\|spirv_of\|bit_and\|bit_not\|bit_xor\|bitcast\|one_hot\|permute\|reshape\|resolve\|sigmoid\|across\|argmax\|assert\|bit_or\|concat\|gather\|params\|tensor\|dtype\|error\|expm1\|float\|floor\|jsonl\|log1p\|merge\|print\|range\|round\|rsqrt\|shape\|stack\|table\|trunc\|where\|zeros\|cast\|ceil\|exp2\|full\|grad\|iota\|keys\|mean\|ones\|open\|path\|rank\|root\|sqrt\|step\|tanh\|text\|type\|abs\|cos\|div\|erf\|exp\|idx\|int\|len\|log\|map\|max\|min\|mod\|pad\|sin\|str\|sum\)\ze\s*("
syn match hlxFunction "[↗↘↣↦⇄⇉⇌⇑⇗∀∃∇∎∏∑√∣∥∪∫∴∵∷∼∽∾∿≀≃≊≋≣≪≫⊂⊃⊓⊔⊘⊚⊛⊜⊝⊞⊟⊠⊡⊢⊣⊦⊩⊮⊳⊶⊷⊸⊺⊻⋀⋁⋄⋈⋎⋏⋘⋙⋮⋱⌂⟌⟐⟡⟤⤴⤵⧆⧉⧺⨁⨋⨌⨕⩓⩔÷]"
syn keyword hlxConstant false null true
syn match hlxConstant "[∅⊤⊥]"
syn keyword hlxWordOperator and not or
syn match hlxWordOperator "[∧∨¬]"
syn keyword hlxDeclaration contract entry param share state data let var fn
syn match hlxDeclaration "[🜊ᚠᚷᚹᛈᛊᛚᛞᛟ]"
syn keyword hlxControl backward import return using else for as if in
syn match hlxControl "[ᚢᚨᚱᛁᛃᛒᛖᛗ∈]"
syn match hlxNumber "\v<0[xX][0-9A-Fa-f_]+>"
syn match hlxNumber "\v<[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9_]+)?>"
syn match hlxNumber "\v[0-9_.]@1<!\.[0-9][0-9_]*([eE][+-]?[0-9_]+)?>"
syn match hlxHandle "\v(\&|⟁)\h\w*"
syn match hlxEscape contained "\v\\([ntr\"\\]|u\{\x{1,6}\})"
syn region hlxText start=+"+ skip=+\\\\\|\\"+ end=+"+ oneline contains=hlxEscape
syn match hlxText "\v(<x|᛫)\"\x*\""
syn match hlxComment "//.*$" contains=@Spell
syn match hlxLegend "\%^ᛝ.*$"
hi def link hlxControl Statement
hi def link hlxDeclaration Keyword
hi def link hlxWordOperator Operator
hi def link hlxConstant Constant
hi def link hlxFunction Function
hi def link hlxType Type
hi def link hlxSymbol Operator
hi def link hlxNumber Number
hi def link hlxHandle Identifier
hi def link hlxText String
hi def link hlxEscape SpecialChar
hi def link hlxComment Comment
hi def link hlxLegend PreProc
let b:current_syntax = 'hlx'
