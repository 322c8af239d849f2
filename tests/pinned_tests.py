#!/usr/bin/env python3
"""Checks that docs/dockerfile.md names tests that exist, and names one (or says "none") for every row of its tables.

Exits 1 with one line per finding.
"""

import pathlib
import re
import sys

PAGE = "docs/dockerfile.md"
COLUMN = "pinned by"
DEFINITION = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
CITATION = re.compile(r"`([A-Z]\w*\.[A-Z]\w*)`")


def defined(tests: pathlib.Path) -> set[str]:
    found = set()
    for path in tests.rglob("*.cpp"):
        found.update(".".join(names) for names in DEFINITION.findall(path.read_text(encoding="utf-8")))
    return found


# The cells of a table's line. A bar within a cell is written "\|".
def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def findings(page: str, tests: set[str]):
    width = 0  # columns of the table we are in, if its last one is COLUMN
    for number, line in enumerate(page.splitlines(), 1):
        where = f"{PAGE}:{number}"
        for name in CITATION.findall(line):
            if name not in tests:
                yield f"{where}: there is no test {name}"
        if not line.startswith("|"):
            width = 0
            continue
        row = cells(line)
        if row[-1] == COLUMN:
            width = len(row)
        elif width and not set(line) <= set("|-: "):
            if len(row) != width:
                yield f"{where}: {len(row)} cells in a table of {width}"
            elif not CITATION.search(row[-1]) and row[-1] != "none":
                yield f"{where}: no test is named"


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    page = (root / PAGE).read_text(encoding="utf-8")
    found = list(findings(page, defined(root / "tests")))
    if not CITATION.search(page):
        found.append(f"{PAGE}: names no test at all")
    print("\n".join(found) or "every test that is named exists")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
