" Comments, and the style of hlxfmt.
setlocal commentstring=//\ %s comments=:// expandtab shiftwidth=4 textwidth=100
if executable('hlxfmt')
    let &l:formatprg = 'hlxfmt --stdin-filename ' . shellescape(expand('%:t'))
endif
