// The words of one Dockerfile instruction.
//
// Input is one logical line: continuation lines joined, comments and heredoc bodies taken out, white space
// trimmed at both ends (frontend/source_text). The escape character, which a directive chooses at run time,
// arrives as U+FDD0, so that one DFA serves both and no predicate is needed; token text gets the real
// character back. A line feed never occurs.
//
// Each keyword switches to the mode of its family of argument syntax. Every family has two modes: in
// X_FLAGS leading words that begin with "--" are flags; the first other word, or "--" alone, switches to X
// for good. Rules at the end of a mode that start with "-> skip" drop what the language ignores.
lexer grammar DockerfileLexer;

tokens { FLAG, END_FLAGS, WORD, JSON, TEXT }

// The name of an instruction.

ADD         : A D D                     -> mode(LIST_FLAGS) ;
ARG         : A R G                     -> mode(PAIRS_FLAGS) ;
CMD         : C M D                     -> mode(COMMAND_FLAGS) ;
COPY        : C O P Y                   -> mode(LIST_FLAGS) ;
ENTRYPOINT  : E N T R Y P O I N T       -> mode(COMMAND_FLAGS) ;
ENV         : E N V                     -> mode(PAIRS_FLAGS) ;
EXPOSE      : E X P O S E               -> mode(WORDS_FLAGS) ;
FROM        : F R O M                   -> mode(WORDS_FLAGS) ;
HEALTHCHECK : H E A L T H C H E C K     -> mode(HEALTH_FLAGS) ;
LABEL       : L A B E L                 -> mode(PAIRS_FLAGS) ;
MAINTAINER  : M A I N T A I N E R       -> mode(STRING_FLAGS) ;
ONBUILD     : O N B U I L D             -> mode(TRIGGER) ;
RUN         : R U N                     -> mode(COMMAND_FLAGS) ;
SHELL       : S H E L L                 -> mode(COMMAND_FLAGS) ;
STOPSIGNAL  : S T O P S I G N A L       -> mode(STRING_FLAGS) ;
USER        : U S E R                   -> mode(STRING_FLAGS) ;
VOLUME      : V O L U M E               -> mode(LIST_FLAGS) ;
WORKDIR     : W O R K D I R             -> mode(STRING_FLAGS) ;
UNKNOWN     : NON_BLANK+                -> mode(IGNORED_FLAGS) ;

// What ONBUILD applies to: its own flags, then the name of an instruction. The keywords are repeated because
// a name that begins with "--" is a flag here and an unknown name above.
mode TRIGGER;

TRIGGER_END         : END_OF_FLAGS              -> type(END_FLAGS), mode(DEFAULT_MODE) ;
TRIGGER_FLAG        : FLAG_WORD                 -> type(FLAG) ;
TRIGGER_ADD         : A D D                     -> type(ADD), mode(LIST_FLAGS) ;
TRIGGER_ARG         : A R G                     -> type(ARG), mode(PAIRS_FLAGS) ;
TRIGGER_CMD         : C M D                     -> type(CMD), mode(COMMAND_FLAGS) ;
TRIGGER_COPY        : C O P Y                   -> type(COPY), mode(LIST_FLAGS) ;
TRIGGER_ENTRYPOINT  : E N T R Y P O I N T       -> type(ENTRYPOINT), mode(COMMAND_FLAGS) ;
TRIGGER_ENV         : E N V                     -> type(ENV), mode(PAIRS_FLAGS) ;
TRIGGER_EXPOSE      : E X P O S E               -> type(EXPOSE), mode(WORDS_FLAGS) ;
TRIGGER_FROM        : F R O M                   -> type(FROM), mode(WORDS_FLAGS) ;
TRIGGER_HEALTHCHECK : H E A L T H C H E C K     -> type(HEALTHCHECK), mode(HEALTH_FLAGS) ;
TRIGGER_LABEL       : L A B E L                 -> type(LABEL), mode(PAIRS_FLAGS) ;
TRIGGER_MAINTAINER  : M A I N T A I N E R       -> type(MAINTAINER), mode(STRING_FLAGS) ;
TRIGGER_ONBUILD     : O N B U I L D             -> type(ONBUILD) ;
TRIGGER_RUN         : R U N                     -> type(RUN), mode(COMMAND_FLAGS) ;
TRIGGER_SHELL       : S H E L L                 -> type(SHELL), mode(COMMAND_FLAGS) ;
TRIGGER_STOPSIGNAL  : S T O P S I G N A L       -> type(STOPSIGNAL), mode(STRING_FLAGS) ;
TRIGGER_USER        : U S E R                   -> type(USER), mode(STRING_FLAGS) ;
TRIGGER_VOLUME      : V O L U M E               -> type(VOLUME), mode(LIST_FLAGS) ;
TRIGGER_WORKDIR     : W O R K D I R             -> type(WORKDIR), mode(STRING_FLAGS) ;
TRIGGER_UNKNOWN     : BODY_WORD                 -> type(UNKNOWN), mode(IGNORED_FLAGS) ;
TRIGGER_BLANK       : BLANK+                    -> skip ;
TRIGGER_SPACE       : WIDE_SPACE SPACE*         -> skip, mode(DEFAULT_MODE) ;

// FROM, EXPOSE: words between blanks, nothing quotes.
mode WORDS_FLAGS;

WORDS_END   : END_OF_FLAGS              -> type(END_FLAGS), mode(WORDS) ;
WORDS_FLAG  : FLAG_WORD                 -> type(FLAG) ;
WORDS_FIRST : BODY_WORD                 -> type(WORD), mode(WORDS) ;
WORDS_BLANK : BLANK+                    -> skip ;
WORDS_SPACE : WIDE_SPACE SPACE*         -> skip, mode(WORDS) ;

mode WORDS;

WORDS_WORD  : NON_BLANK+                -> type(WORD) ;
WORDS_SKIP  : BLANK+                    -> skip ;

// ADD, COPY, VOLUME: what looks like a JSON array, else words.
mode LIST_FLAGS;

LIST_END    : END_OF_FLAGS              -> type(END_FLAGS), mode(LIST) ;
LIST_FLAG   : FLAG_WORD                 -> type(FLAG) ;
LIST_JSON   : '[' ANY*                    -> type(JSON) ;
LIST_FIRST  : BODY_WORD                 -> type(WORD), mode(WORDS) ;
LIST_BLANK  : BLANK+                    -> skip ;
LIST_SPACE  : WIDE_SPACE SPACE*         -> skip, mode(LIST) ;

mode LIST;

LIST_BODY_JSON  : '[' ANY*                -> type(JSON) ;
LIST_BODY_FIRST : NON_BLANK+            -> type(WORD), mode(WORDS) ;

// RUN, CMD, ENTRYPOINT, SHELL: what looks like a JSON array, else the text as it is.
mode COMMAND_FLAGS;

COMMAND_END   : END_OF_FLAGS            -> type(END_FLAGS), mode(COMMAND) ;
COMMAND_FLAG  : FLAG_WORD               -> type(FLAG) ;
COMMAND_JSON  : '[' ANY*                  -> type(JSON) ;
COMMAND_TEXT  : BODY_TEXT               -> type(TEXT) ;
COMMAND_BLANK : BLANK+                  -> skip ;
COMMAND_SPACE : WIDE_SPACE SPACE*       -> skip, mode(COMMAND) ;

mode COMMAND;

COMMAND_BODY_JSON : '[' ANY*              -> type(JSON) ;
COMMAND_BODY_TEXT : ANY+                -> type(TEXT) ;

// WORKDIR, USER, STOPSIGNAL, MAINTAINER: the text as it is.
mode STRING_FLAGS;

STRING_END   : END_OF_FLAGS             -> type(END_FLAGS), mode(STRING) ;
STRING_FLAG  : FLAG_WORD                -> type(FLAG) ;
STRING_TEXT  : BODY_TEXT                -> type(TEXT) ;
STRING_BLANK : BLANK+                   -> skip ;
STRING_SPACE : WIDE_SPACE SPACE*        -> skip, mode(STRING) ;

mode STRING;

STRING_BODY  : ANY+                     -> type(TEXT) ;

// HEALTHCHECK: a type, then as RUN.
mode HEALTH_FLAGS;

HEALTH_END   : END_OF_FLAGS             -> type(END_FLAGS), mode(HEALTH) ;
HEALTH_FLAG  : FLAG_WORD                -> type(FLAG) ;
HEALTH_TYPE  : (BODY_START NON_SPACE* | '-') -> type(WORD), mode(HEALTH_TEST) ;
HEALTH_BLANK : BLANK+                   -> skip ;
HEALTH_SPACE : WIDE_SPACE SPACE*        -> skip, mode(HEALTH) ;

mode HEALTH;

HEALTH_BODY_TYPE : NON_SPACE+           -> type(WORD), mode(HEALTH_TEST) ;

mode HEALTH_TEST;

HEALTH_TEST_SPACE : SPACE+              -> skip, mode(COMMAND) ;

// ENV, LABEL, ARG: words in which quotes group and the escape character protects; both stay in the word.
mode PAIRS_FLAGS;

PAIRS_END   : END_OF_FLAGS              -> type(END_FLAGS), mode(PAIRS) ;
PAIRS_FLAG  : FLAG_WORD                 -> type(FLAG) ;
PAIRS_FIRST : ('-'? PAIRS_OTHER PAIRS_PART* OPEN_QUOTE? | '-'? OPEN_QUOTE | '-') -> type(WORD), mode(PAIRS) ;
PAIRS_BLANK : BLANK+                    -> skip ;
PAIRS_SPACE : WIDE_SPACE SPACE*         -> skip, mode(PAIRS) ;
PAIRS_LONE  : ESCAPE                    -> skip ;

mode PAIRS;

PAIRS_WORD  : (PAIRS_PART+ OPEN_QUOTE? | OPEN_QUOTE) -> type(WORD) ;
PAIRS_SKIP  : SPACE+                    -> skip ;
// At the very end of the line: it has nothing to protect and is dropped.
PAIRS_LAST  : ESCAPE                    -> skip ;

// Unknown instructions keep their flags and lose their arguments.
mode IGNORED_FLAGS;

IGNORED_END   : END_OF_FLAGS            -> type(END_FLAGS), mode(IGNORED) ;
IGNORED_FLAG  : FLAG_WORD               -> type(FLAG) ;
IGNORED_FIRST : (BODY_START | WIDE_SPACE | '-') -> skip, mode(IGNORED) ;
IGNORED_BLANK : BLANK+                  -> skip ;

mode IGNORED;

IGNORED_BODY  : ANY+                    -> skip ;

// Characters.

fragment ANY        : ~[\n] ;
fragment ESCAPE     : '\uFDD0' ;
// Separates words; what Unicode calls white space beyond that only trims.
fragment BLANK      : [\t\u000B\f\r ] ;
fragment NON_BLANK  : ~[\t\u000B\f\r ] ;
fragment WIDE_SPACE : [\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000] ;
fragment SPACE      : [\t\u000B\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000] ;
fragment NON_SPACE  : ~[\t\u000B\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000] ;

// The first character of an argument; two for one that begins with a single '-'.
fragment BODY_START
    : ~[\-\t\u000B\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]
    | '-' ~[\-\t\u000B\f\r ]
    ;

fragment BODY_WORD  : BODY_START NON_BLANK* | '-' ;
fragment BODY_TEXT  : BODY_START ANY* | '-' (BLANK ANY*)? ;

// A flag: quotes group and will be removed, the escape character protects any next character, even inside
// single quotes. An unclosed quote runs to the end of the line.
fragment FLAG_WORD  : '--' FLAG_PART* FLAG_OPEN? ESCAPE? ;
fragment FLAG_PART
    : ESCAPE ANY
    | '"' (ESCAPE ANY | ~["\uFDD0])* '"'
    | '\'' (ESCAPE ANY | ~['\uFDD0])* '\''
    | ~["'\uFDD0\t\u000B\f\r ]
    ;
fragment FLAG_OPEN  : '"' (ESCAPE ANY | ~["\uFDD0])* | '\'' (ESCAPE ANY | ~['\uFDD0])* ;

// A flag that is "--" once its quotes are gone, and all white space behind it.
fragment END_OF_FLAGS : '--' ('""' | '\'\'')* (["'] | (["'])? ESCAPE | BLANK SPACE*)? ;

fragment PAIRS_PART : PAIRS_OTHER | '-' ;
fragment PAIRS_OTHER
    : ESCAPE ANY
    | '"' (ESCAPE ANY | ~["\uFDD0])* '"'
    | '\'' ~[']* '\''
    | ~["'\-\uFDD0\t\u000B\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]
    ;
fragment OPEN_QUOTE : '"' (ESCAPE ANY | ~["\uFDD0])* | '\'' ~[']* ;

// Names are lower-cased code point by code point, so that U+0130 is an i and U+212A a k.
fragment A : [aA] ;
fragment B : [bB] ;
fragment C : [cC] ;
fragment D : [dD] ;
fragment E : [eE] ;
fragment F : [fF] ;
fragment G : [gG] ;
fragment H : [hH] ;
fragment I : [iI\u0130] ;
fragment K : [kK\u212A] ;
fragment L : [lL] ;
fragment M : [mM] ;
fragment N : [nN] ;
fragment O : [oO] ;
fragment P : [pP] ;
fragment R : [rR] ;
fragment S : [sS] ;
fragment T : [tT] ;
fragment U : [uU] ;
fragment V : [vV] ;
fragment W : [wW] ;
fragment X : [xX] ;
fragment Y : [yY] ;
