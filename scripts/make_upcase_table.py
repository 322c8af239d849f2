#!/usr/bin/env python3
"""Writes tree/upcase_table.inc: how names in Windows images fold.

NTFS compares names by simple (one to one) upper-case mappings of the Basic Multilingual Plane, and only by those
that a lower-case mapping takes back, so that U+0131 or U+017F stay themselves. The final sigma is the exception
(exFAT specification 7.2.5.1, "Recommended Up-case Table").

    python3 scripts/make_upcase_table.py > tree/upcase_table.inc
"""

import unicodedata

FINAL_SIGMA, CAPITAL_SIGMA = 0x3C2, 0x3A3


def single(text, otherwise):
    return ord(text) if len(text) == 1 else otherwise


def simple_upper(point):
    character = chr(point)
    # Where the full mapping makes several letters, the simple one is the title-case letter, if that is one.
    upper = single(character.upper(), single(character.title(), point))
    return upper if upper < 0x10000 else point


def mappings():
    points = [p for p in range(0x10000) if not 0xD800 <= p < 0xE000]
    upper = {p: simple_upper(p) for p in points if simple_upper(p) != p}
    upper = {p: u for p, u in upper.items() if single(chr(u).lower(), p) == p}
    upper[FINAL_SIGMA] = CAPITAL_SIGMA
    return upper


def ranges(upper):
    """[first, last, delta, stride] with as few rows as the order allows."""
    rows = []
    for point in sorted(upper):
        delta = upper[point] - point
        if rows:
            first, last, row_delta, stride = rows[-1]
            step = point - last
            if delta == row_delta and (step == stride or (first == last and step in (1, 2))):
                rows[-1] = [first, point, delta, step]
                continue
        rows.append([point, point, delta, 1])
    return rows


print(f"// Made by scripts/make_upcase_table.py from Unicode {unicodedata.unidata_version}: first, last, delta, stride.")
for row in ranges(mappings()):
    print("{{0x{:04x}, 0x{:04x}, {}, {}}},".format(*row))
