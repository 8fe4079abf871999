" Sources of Helix, in either spelling.
autocmd BufNewFile,BufRead *.hlxl,*.hlx setfiletype hlx
