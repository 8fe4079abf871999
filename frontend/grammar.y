/* grammar.y: the one grammar of HLXL and HLX; its actions only build the tree. */
%code requires {
#include "frontend/ast_build.h"
}
%code {
#include "frontend/syntax_error.h"

#define YYMAXDEPTH 20000
#define YYLLOC_DEFAULT(Cur, Rhs, N)                                                               \
    (Cur) = join(YYRHSLOC(Rhs, (N) ? 1 : 0), YYRHSLOC(Rhs, N), (N) == 0)

/* From the start of a rule's first part to the end of its last; an empty rule stands behind what
   was before it. */
static struct span join(struct span first, struct span last, bool empty)
{
    return (struct span){last.file, empty ? last.end : first.start, last.end};
}

static int hlx_lex(HLX_STYPE *value, HLX_LTYPE *at, struct parser *p)
{
    return scan_next(p->scan, value, at);
}

static void hlx_error(HLX_LTYPE *at, struct parser *p, const char *text)
{
    (void)text; /* bison's only own message: its stack is full */
    syntax_too_deep(p, *at);
}
}

%require "3.8"
%define api.pure full
%define api.prefix {hlx_}
%define api.token.prefix {TOK_}
%define api.value.type {struct ast *}
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%param {struct parser *p}
%initial-action { @$ = (struct span){p->file->file, 0, 0}; }
%expect 0

%token NAME "a name" INT "an integer" FLOAT "a float" TEXT "a text" BYTES "bytes" HANDLE "a handle"
%token TRUE "true" FALSE "false" NULL "null"
%token LET "let" VAR "var" FN "fn" RETURN "return" IF "if" ELSE "else" FOR "for" IN "in"
%token IMPORT "import" PARAM "param" CONTRACT "contract" AS "as"
%token DATA "data" ENTRY "entry" STATE "state" SHARE "share" USING "using" BACKWARD "backward"
%token LPAREN "(" RPAREN ")" LBRACKET "[" RBRACKET "]" LBRACE "{" RBRACE "}"
%token COMMA "," COLON ":" SEMI ";" DOT "." ASSIGN "=" UPDATE ":=" ARROW "->" RANGE ".."
%token FIELD "field mark" END "end of contract" LEGEND "legend"

%token OR "or" AND "and" NOT "not" EQ "==" NE "!=" LT "<" LE "<=" GT ">" GE ">="
%token PLUS "+" MINUS "-" STAR "*" SLASH "/" PERCENT "%" MATMUL "@" POWER "**"

%left "or"
%left "and"
%precedence "not"
%nonassoc "==" "!=" "<" "<=" ">" ">="
%left "+" "-"
%left "*" "/" "%" "@"
%precedence NEG
%right "**"

%%

program: top                    { ast_program(p, @$); }
    | top stmt                  { ast_item(p, $2); ast_program(p, @$); }
    | top error                 { ast_item(p, ast_leaf(p, AST_ERROR, @2)); ast_program(p, @$); }

/* Statements are handed on when their end has been read, and nothing behind it. */
top: %empty                     { $$ = NULL; }
    | top ";"
    | top stmt ";"              { $$ = NULL; ast_item(p, $2); }
    | top error ";"             { $$ = NULL; ast_item(p, ast_leaf(p, AST_ERROR, @2)); yyerrok; }

/* -- statements ---------------------------------------------------------------------------- */

body: stmts
    | stmts stmt                { $$ = ast_add(p, $1, $2); }
    | stmts error               { $$ = ast_add(p, $1, ast_leaf(p, AST_ERROR, @2)); }

stmts: %empty                   { $$ = ast_leaf(p, AST_BLOCK, @$); }
    | stmts ";"
    | stmts stmt ";"            { $$ = ast_add(p, $1, $2); }
    | stmts error ";"           { $$ = ast_add(p, $1, ast_leaf(p, AST_ERROR, @2)); yyerrok; }

block: "{" body "}"             { $$ = ast_block(p, $2, @$); }

stmt: "import" name             { $$ = ast_named(ast_node(p, AST_IMPORT, @$, NULL), $2); }
    | "import" name "as" name   { $$ = ast_named(ast_node(p, AST_IMPORT, @$, $4), $2); }
    | "import" TEXT "as" name   { $$ = ast_named(ast_node(p, AST_IMPORT, @$, $4), $2);
                                  ast_flag($$, AST_PATH); }
    | "data" name "=" expr      { $$ = ast_named(ast_node(p, AST_DATA, @$, $4), $2); }
    | "entry" name formals result plan using block
                                { $$ = ast_node(p, AST_ENTRY, @$, $3, $4, $5, $6, $7);
                                  ast_named($$, $2); }
    | "fn" name formals result block backward
                                { $$ = ast_named(ast_node(p, AST_FN, @$, $3, $4, $5, $6), $2); }
    | "contract" INT name formals
                                { $$ = ast_schema(p, $2, $3, $4, @$); }
    | "let" name typing "=" expr { $$ = ast_named(ast_node(p, AST_LET, @$, $3, $5), $2); }
    | "var" name typing "=" expr { $$ = ast_named(ast_node(p, AST_VAR, @$, $3, $5), $2); }
    | expr "=" expr             { $$ = ast_assign(p, $1, $3, @$); }
    | expr ":=" expr            { $$ = ast_update(p, $1, $3, @$); }
    | variables
    | "share" variables         { $$ = ast_flag($2, AST_SHARE); $$->span = @$; }
    | "for" name "in" iterable block
                                { $$ = ast_node(p, AST_FOR, @$, NULL, $4, $5);
                                  ast_named($$, $2); }
    | "for" name "," name "in" iterable block
                                { $$ = ast_node(p, AST_FOR, @$, $2, $6, $7);
                                  ast_named($$, $4); }
    | "return"                  { $$ = ast_node(p, AST_RETURN, @$, NULL); }
    | "return" expr             { $$ = ast_node(p, AST_RETURN, @$, $2); }
    | expr                      { $$ = ast_statement(p, $1, @$); }

variables: "param" names ":" type init { $$ = ast_variables(p, $2, $4, $5, @$); }
    | "state" names ":" type init      { $$ = ast_variables(p, $2, $4, $5, @$);
                                         ast_flag($$, AST_STATE); }
names: name                     { $$ = ast_node(p, AST_PARAM, @$, $1); }
    | names "," name            { $$ = ast_add(p, $1, $3); }
init: %empty                    { $$ = NULL; }
    | "=" expr                  { $$ = $2; }

plan: %empty                    { $$ = NULL; }
    | "for" name "in" expr      { $$ = ast_named(ast_node(p, AST_FORPLAN, @$, $4), $2); }
using: %empty                   { $$ = NULL; }
    | "using" object            { $$ = $2; }
backward: %empty                { $$ = NULL; }
    | "backward" formals block  { $$ = ast_node(p, AST_BACKWARD, @$, $2, $3); }
iterable: expr
    | expr ".." expr            { $$ = ast_node(p, AST_RANGE, @$, $1, $3); }

/* -- signatures ---------------------------------------------------------------------------- */

formals: "(" ")"                { $$ = ast_leaf(p, AST_FORMALS, @$); }
    | "(" formal_list ")"       { $$ = ast_close($2, AST_FORMALS, @$); }
    | "(" formal_list "," ")"   { $$ = ast_close($2, AST_FORMALS, @$); ast_trailing_comma(p, @3); }
    | "(" error ")"             { $$ = ast_leaf(p, AST_FORMALS, @$); }
formal_list: formal             { $$ = ast_node(p, AST_FORMALS, @$, $1); }
    | formal_list "," formal    { $$ = ast_add(p, $1, $3); }
formal: name typing init        { $$ = ast_named(ast_node(p, AST_FORMAL, @$, $2, $3), $1); }

typing: %empty                  { $$ = NULL; }
    | ":" type                  { $$ = $2; }
result: %empty                  { $$ = NULL; }
    | "->" type                 { $$ = $2; }
type: type_name                 { $$ = ast_named(ast_leaf(p, AST_TYPE, @$), $1); }
    | type_name "[" "]"         { $$ = ast_named(ast_leaf(p, AST_TYPE, @$), $1);
                                  ast_flag($$, AST_SHAPED); }
    | type_name "[" items "]"   { $$ = ast_named(ast_close($3, AST_TYPE, @$), $1);
                                  ast_flag($$, AST_SHAPED); }
    | type_name "[" error "]"   { $$ = ast_named(ast_leaf(p, AST_TYPE, @$), $1); }
type_name: name | "fn"

/* -- expressions --------------------------------------------------------------------------- */

expr: postfix
    | scoped
    | expr "or" expr            { $$ = ast_binary(p, AST_OR, $1, $3, @2, @$); }
    | expr "and" expr           { $$ = ast_binary(p, AST_AND, $1, $3, @2, @$); }
    | "not" expr                { $$ = ast_unary(p, AST_NOT, $2, @1, @$); }
    | expr "==" expr            { $$ = ast_binary(p, AST_EQ, $1, $3, @2, @$); }
    | expr "!=" expr            { $$ = ast_binary(p, AST_NE, $1, $3, @2, @$); }
    | expr "<" expr             { $$ = ast_binary(p, AST_LT, $1, $3, @2, @$); }
    | expr "<=" expr            { $$ = ast_binary(p, AST_LE, $1, $3, @2, @$); }
    | expr ">" expr             { $$ = ast_binary(p, AST_GT, $1, $3, @2, @$); }
    | expr ">=" expr            { $$ = ast_binary(p, AST_GE, $1, $3, @2, @$); }
    | expr "+" expr             { $$ = ast_binary(p, AST_ADD, $1, $3, @2, @$); }
    | expr "-" expr             { $$ = ast_binary(p, AST_SUB, $1, $3, @2, @$); }
    | expr "*" expr             { $$ = ast_binary(p, AST_MUL, $1, $3, @2, @$); }
    | expr "/" expr             { $$ = ast_binary(p, AST_DIV, $1, $3, @2, @$); }
    | expr "%" expr             { $$ = ast_binary(p, AST_REM, $1, $3, @2, @$); }
    | expr "@" expr             { $$ = ast_binary(p, AST_MATMUL, $1, $3, @2, @$); }
    | "-" expr %prec NEG        { $$ = ast_unary(p, AST_NEG, $2, @1, @$); }
    | expr "**" expr            { $$ = ast_binary(p, AST_POW, $1, $3, @2, @$); }

scoped: postfix "as" path       { $$ = ast_as(p, $1, $3, @$); }
    | scoped "as" path          { $$ = ast_as(p, $1, $3, @$); }
path: segment                   { $$ = ast_node(p, AST_AS, @$, $1); }
    | path "." segment          { $$ = ast_add(p, $1, $3); }
segment: word                   { $$ = ast_named(ast_leaf(p, AST_SEGMENT, @$), $1); }
    | segment "[" expr "]"      { $$ = ast_add(p, $1, $3); $$->span = @$; }
    | segment "[" error "]"     { $$ = ast_add(p, $1, ast_leaf(p, AST_ERROR, @3)); }

postfix: name | INT | FLOAT | TEXT | BYTES | HANDLE | object | conditional
    | "true"                    { $$ = ast_bool($1, true); }
    | "false"                   { $$ = ast_bool($1, false); }
    | "null"                    { $$ = ast_leaf(p, AST_NULL_, @$); }
    | "[" "]"                   { $$ = ast_leaf(p, AST_ARRAY, @$); }
    | "[" items "]"             { $$ = ast_close($2, AST_ARRAY, @$); }
    | "[" items "," "]"         { $$ = ast_close($2, AST_ARRAY, @$); ast_trailing_comma(p, @3); }
    | "[" error "]"             { $$ = ast_leaf(p, AST_ERROR, @$); }
    | "(" expr ")"              { $$ = ast_flag($2, AST_PARENS); }
    | "(" error ")"             { $$ = ast_leaf(p, AST_ERROR, @$); }
    | "contract" INT object     { $$ = ast_contract($3, $2, 0, @$); }
    | "contract" INT marks "end of contract" { $$ = ast_contract($3, $2, 0, @$); }
    | "field mark" INT object   { $$ = ast_contract($3, $2, AST_AT, @$); }
    | "fn" formals result block { $$ = ast_node(p, AST_FN, @$, $2, $3, $4, NULL); }
    | postfix "(" ")"           { $$ = ast_node(p, AST_CALL, @$, $1); }
    | postfix "(" arguments ")" { $$ = ast_prepend(p, $1, $3, AST_CALL, @$); }
    | postfix "(" arguments "," ")"      { $$ = ast_prepend(p, $1, $3, AST_CALL, @$);
                                           ast_trailing_comma(p, @4); }
    | postfix "(" error ")"     { $$ = ast_leaf(p, AST_ERROR, @$); }
    | postfix "[" parts "]"     { $$ = ast_prepend(p, $1, $3, AST_INDEX, @$); }
    | postfix "[" error "]"     { $$ = ast_leaf(p, AST_ERROR, @$); }
    | postfix "." word          { $$ = ast_named(ast_node(p, AST_MEMBER, @$, $1), $3); }

arguments: argument             { $$ = ast_node(p, AST_CALL, @$, $1); }
    | arguments "," argument    { $$ = ast_add(p, $1, $3); }
argument: expr                  { $$ = ast_node(p, AST_ARG, @$, $1); }
    | word ":" expr             { $$ = ast_named(ast_node(p, AST_ARG, @$, $3), $1); }

parts: part                     { $$ = ast_node(p, AST_INDEX, @$, $1); }
    | parts "," part            { $$ = ast_add(p, $1, $3); }
part: expr
    | expr ".." expr            { $$ = ast_node(p, AST_RANGE, @$, $1, $3); }
    | expr ".."                 { $$ = ast_node(p, AST_RANGE, @$, $1, NULL); }
    | ".." expr                 { $$ = ast_node(p, AST_RANGE, @$, NULL, $2); }
    | ".."                      { $$ = ast_node(p, AST_RANGE, @$, NULL, NULL); }

items: expr                     { $$ = ast_node(p, AST_ARRAY, @$, $1); }
    | items "," expr            { $$ = ast_add(p, $1, $3); }

object: "{" "}"                 { $$ = ast_leaf(p, AST_OBJECT, @$); }
    | "{" fields "}"            { $$ = ast_close($2, AST_OBJECT, @$); }
    | "{" fields "," "}"        { $$ = ast_close($2, AST_OBJECT, @$); ast_trailing_comma(p, @3); }
    | "{" error "}"             { $$ = ast_leaf(p, AST_OBJECT, @$); }
fields: field                   { $$ = ast_node(p, AST_OBJECT, @$, $1); }
    | fields "," field          { $$ = ast_add(p, $1, $3); }
field: key ":" expr             { $$ = ast_named(ast_node(p, AST_FIELD, @$, $3), $1);
                                  $$->flags = $1->flags; }
marks: %empty                   { $$ = ast_leaf(p, AST_OBJECT, @$); }
    | marks mark                { $$ = ast_add(p, $1, $2); }
mark: "field mark" label expr   { $$ = ast_named(ast_node(p, AST_FIELD, @$, $3), $2);
                                  $$->flags = $2->flags; }
label: word
    | TEXT                      { $$ = ast_flag($1, AST_QUOTED); }
    | INT                       { $$ = ast_index_key(p, $1, @$); }
key: word
    | TEXT                      { $$ = ast_flag($1, AST_QUOTED); }
    | "field mark" INT          { $$ = ast_index_key(p, $2, @$); }

conditional: "if" expr block    { $$ = ast_node(p, AST_IF, @$, $2, $3, NULL);
                                  ast_flag($$, AST_VALUE); }
    | "if" expr block "else" block       { $$ = ast_node(p, AST_IF, @$, $2, $3, $5);
                                           ast_flag($$, AST_VALUE); }
    | "if" expr block "else" conditional { $$ = ast_node(p, AST_IF, @$, $2, $3, $5);
                                           ast_flag($$, AST_VALUE); }

/* -- names --------------------------------------------------------------------------------- */

name: NAME | "data" | "entry" | "state" | "share" | "using" | "backward"
word: name | "true" | "false" | "null" | "let" | "var" | "fn" | "return" | "if" | "else" | "for"
    | "in" | "import" | "param" | "contract" | "and" | "or" | "not" | "as"

%%

/* Called for every syntax error, with what was read and what could have stood there. */
static int yyreport_syntax_error(const yypcontext_t *context, struct parser *p)
{
    enum { MOST = 64 };
    yysymbol_kind_t kind[MOST];
    const char *expected[MOST];
    int n = yypcontext_expected_tokens(context, kind, MOST);
    for (int i = 0; i < n; i++)
        expected[i] = yysymbol_name(kind[i]);
    yysymbol_kind_t found = yypcontext_token(context);
    if (n >= 0 && found != YYSYMBOL_YYEMPTY)
        syntax_error(p, *yypcontext_location(context), yysymbol_name(found), expected, (size_t)n);
    return n == YYENOMEM ? YYENOMEM : 0;
}
