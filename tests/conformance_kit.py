#!/usr/bin/env python3
"""Runs the front-end conformance kit that may lie next to the checkout (../shared/conformance) against a built mullion.

usage: conformance_kit.py SOURCE_DIRECTORY MULLION

Exits 77 (skipped, to ctest) where there is no kit: none of its data is part of this tree.
"""

import os
import pathlib
import sys

kit = pathlib.Path(sys.argv[1]).resolve().parent / "shared" / "conformance" / "run"
if not kit.is_file():
    print(f"no conformance kit at {kit}")
    sys.exit(77)
os.execv(sys.executable, [sys.executable, str(kit), sys.argv[2], "-j", "2", "--show", "3"])
