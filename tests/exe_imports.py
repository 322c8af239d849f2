#!/usr/bin/env python3
"""Checks that mullion.exe loads nothing but what every Windows has: no run-time of a compiler, no library beside it.

Exits 1 with one line per DLL that is not allowed.
"""

import re
import subprocess
import sys

ALLOWED = {
    "advapi32.dll",
    "bcrypt.dll",
    "crypt32.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "normaliz.dll",
    "ole32.dll",
    "rstrtmgr.dll",
    "shell32.dll",
    "user32.dll",
    "ws2_32.dll",
}


def main() -> int:
    objdump, program = sys.argv[1:]
    listing = subprocess.run([objdump, "-p", program], check=True, capture_output=True, text=True).stdout
    imports = re.findall(r"DLL Name: (\S+)", listing)
    strange = sorted({name for name in imports if name.lower() not in ALLOWED})
    print("\n".join(strange) or f"{len(imports)} DLLs, all of them Windows' own")
    return 1 if strange or not imports else 0


if __name__ == "__main__":
    sys.exit(main())
