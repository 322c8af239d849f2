#!/usr/bin/env python3
"""Runs the front-end conformance kit that may lie next to the checkout (../shared/conformance) against a built mullion.

usage: conformance_kit.py SOURCE_DIRECTORY MULLION

Runs the kit's own cases, then the ignore-file cases of this tree (tests/golden/ignore), which have its form. Exits 77 (skipped,
to ctest) where there is no kit: none of its data is part of this tree.
"""

import pathlib
import subprocess
import sys

source = pathlib.Path(sys.argv[1]).resolve()
kit = source.parent / "shared" / "conformance" / "run"
if not kit.is_file():
    print(f"no conformance kit at {kit}")
    sys.exit(77)
command = [sys.executable, str(kit), sys.argv[2], "-j", "2", "--show", "3"]
codes = [subprocess.call(command), subprocess.call([*command, "--cases", str(source / "tests/golden/ignore")])]
sys.exit(max(map(abs, codes)))
