// The syntax of one Dockerfile instruction, by families of argument shape. One token decides every
// alternative. Nearly any text is accepted here: argument counts, flag names and values are judged by
// frontend/instruction, where the messages are.
parser grammar DockerfileParser;

options { tokenVocab = DockerfileLexer; }

line : onbuild* instruction? EOF ;

onbuild : ONBUILD flags ;

instruction
    : (FROM | EXPOSE) flags WORD*                           # words
    | (ADD | COPY | VOLUME) flags (JSON | WORD*)            # list
    | (RUN | CMD | ENTRYPOINT | SHELL) flags (JSON | TEXT)? # command
    | HEALTHCHECK flags (WORD (JSON | TEXT)?)?              # healthcheck
    | (WORKDIR | USER | STOPSIGNAL | MAINTAINER) flags TEXT? # string
    | (ENV | LABEL | ARG) flags WORD*                       # pairs
    | UNKNOWN flags                                         # unknown
    ;

flags : FLAG* END_FLAGS? ;
