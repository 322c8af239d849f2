#!/usr/bin/env python3
"""Writes frontend/unicode_tables.cpp from the Unicode character database.

usage: make_unicode_tables.py UnicodeData.txt > frontend/unicode_tables.cpp

UnicodeData.txt of version 15.0 comes with Debian's package unicode-data.
"""
import sys


def classify(category):
    if category == "Nd":
        return "Digit"
    if category[0] == "L":
        return "Letter"
    if category[0] in "MNPS":
        return "Print"
    return None


def characters(path):
    """(code point, category, lower-case mapping) of every assigned character."""
    first = None
    for line in open(path):
        fields = line.split(";")
        code, name, category, lower = int(fields[0], 16), fields[1], fields[2], fields[13]
        if name.endswith(", First>"):
            first = code
            continue
        for point in range(first if name.endswith(", Last>") else code, code + 1):
            yield point, category, int(lower, 16) if lower else point
        first = None


def class_ranges(table):
    ranges = []
    for point, category, _ in table:
        kind = classify(category)
        if kind is None:
            continue
        if ranges and ranges[-1][1] == point - 1 and ranges[-1][2] == kind:
            ranges[-1][1] = point
        else:
            ranges.append([point, point, kind])
    return ranges


def lower_ranges(table):
    """[first, last, stride, delta]: every stride-th code point moves by delta."""
    ranges = []
    for point, _, lower in table:
        delta = lower - point
        if delta == 0:
            continue
        last = ranges[-1] if ranges else None
        if last and last[3] == delta:
            step = point - last[1]
            if (last[0] == last[1] and step <= 2) or step == last[2]:
                last[1], last[2] = point, step
                continue
        ranges.append([point, point, 1, delta])
    return ranges


def main():
    table = sorted(characters(sys.argv[1]))
    print("// Made by scripts/make_unicode_tables.py from UnicodeData.txt 15.0; do not edit.")
    print('#include "frontend/unicode_tables.hpp"\n')
    print("namespace mullion::frontend::tables {\n")
    print("// clang-format off")
    print("const ClassRange kClasses[] = {")
    row = ""
    for first, last, kind in class_ranges(table):
        row += f"{{0x{first:X},0x{last:X},CharacterClass::{kind}}},"
        if len(row) > 80:
            print(row)
            row = ""
    print(row + "\n};")
    print("const std::size_t kClassCount = sizeof kClasses / sizeof *kClasses;\n")
    print("const LowerRange kLower[] = {")
    row = ""
    for first, last, stride, delta in lower_ranges(table):
        row += f"{{0x{first:X},0x{last:X},{stride},{delta}}},"
        if len(row) > 80:
            print(row)
            row = ""
    print(row + "\n};")
    print("const std::size_t kLowerCount = sizeof kLower / sizeof *kLower;")
    print("// clang-format on\n")
    print("}  // namespace mullion::frontend::tables")


main()
