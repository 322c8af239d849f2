#!/usr/bin/env python3
"""Compares every #include of the tree with the table of rooms (docs/architecture.md). Exits 1 with one line per breach."""

import pathlib
import re
import sys

ALLOWED = {
    "base": set(),
    "tree": {"base"},
    "oci": {"base"},
    "cache": {"oci", "tree", "base"},
    "solver": {"cache", "base"},
    "frontend": {"solver", "oci", "tree", "base"},
    "hcs": {"tree", "base"},
    "worker": {"solver", "cache", "oci", "hcs", "tree", "base"},
    "cli": {"frontend", "solver", "cache", "oci", "hcs", "tree", "base", "worker"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
SUFFIXES = {".cpp", ".hpp", ".h", ".c", ".inc"}


def breaches(root: pathlib.Path):
    for room, allowed in ALLOWED.items():
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".hpp" and "#pragma once" not in text:
                yield f"{path.relative_to(root)}: no #pragma once"
            for number, line in enumerate(text.splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                where = f"{path.relative_to(root)}:{number}"
                first = match.group(1).split("/")[0]
                if first in ("tests", "bench"):
                    yield f"{where}: {room} must not include {match.group(1)}"
                if first in ALLOWED and first != room and first not in allowed:
                    yield f"{where}: {room} must not include {first}"
                if room == "solver" and match.group(1) == "solver/operation.hpp" and path.stem != "operation":
                    yield f"{where}: the scheduler must not know operations by name"


def main() -> int:
    found = list(breaches(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "every include agrees with the table")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
