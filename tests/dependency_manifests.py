#!/usr/bin/env python3
"""Checks that every list of dependencies names the same ones: docs/dependencies.md, scripts/setup (Debian),
scripts/mingw-deps (Debian's sources, for mullion.exe), vcpkg.json and cmake/MullionDependencies.cmake.

Exits 1 with one line per finding.
"""

import json
import pathlib
import re
import sys

# In docs/dependencies.md, Debian's package, what scripts/mingw-deps builds it from, vcpkg's port, CMake's name.
# None: not there, because Windows has its own or the build for Windows does without.
LIBRARIES = [
    ("ANTLR 4", "libantlr4-runtime-dev", "antlr4-cpp-runtime", "antlr4", None),
    ("oneTBB", "libtbb-dev", "onetbb", "tbb", "TBB"),
    ("nlohmann_json", "nlohmann-json3-dev", "nlohmann-json3-dev", "nlohmann-json", "nlohmann_json"),
    ("OpenSSL", "libssl-dev", None, None, "OpenSSL"),
    ("libcurl", "libcurl4-openssl-dev", "curl", "curl", "CURL"),
    ("libarchive", "libarchive-dev", "libarchive", "libarchive", "LibArchive"),
    ("SQLite", "libsqlite3-dev", "sqlite3", "sqlite3", "SQLite3"),
    ("libdeflate", "libdeflate-dev", "libdeflate", "libdeflate", "deflate"),
    ("zlib", "zlib1g-dev", "zlib", "zlib", "ZLIB"),
    ("zstd", "libzstd-dev", "libzstd", "zstd", "zstd"),
    ("toml++", "libtomlplusplus-dev", "libtomlplusplus-dev", "tomlplusplus", "tomlplusplus"),
    ("fmt", "libfmt-dev", "fmtlib", "fmt", "fmt"),
    ("spdlog", "libspdlog-dev", "spdlog", "spdlog", "spdlog"),
    ("CLI11", "libcli11-dev", "libcli11-dev", "cli11", "CLI11"),
    ("GoogleTest", "libgtest-dev", "googletest", "gtest", "GTest"),
    ("Google Benchmark", "libbenchmark-dev", None, "benchmark", "benchmark"),
]
# What these need themselves, or what is no library.
FURTHER = {
    "debian": {"dpkg-dev", "libgmock-dev"},
    "mingw": {"bzip2", "xz-utils", "libutfcpp-dev"},
    "vcpkg": {"pkgconf"},
    "cmake": {"Threads", "PkgConfig"},
}


def documented(root: pathlib.Path) -> set[str]:
    names = set()
    for line in (root / "docs/dependencies.md").read_text(encoding="utf-8").splitlines():
        cell = line.split("|")[1].strip() if line.startswith("| ") else ""
        if cell and cell != "library" and not re.search(r"\((?:programs?|tests|one test|build tool)\b", cell):
            names.update(re.sub(r"\s*\(.*?\)", "", cell).split(", "))
    return names


def debian(root: pathlib.Path) -> set[str]:
    text = (root / "scripts/setup").read_text(encoding="utf-8")
    arrays = re.findall(r"^\w+_packages=\((.*?)\)", text, re.MULTILINE | re.DOTALL)
    return {word for array in arrays for word in array.split() if word.endswith("-dev")}


def mingw(root: pathlib.Path) -> set[str]:
    text = (root / "scripts/mingw-deps").read_text(encoding="utf-8")
    arrays = re.findall(r"^declare -A \w+=\((.*?)\)", text, re.MULTILINE | re.DOTALL)
    return {name for array in arrays for name in re.findall(r"\[([^]]+)\]=", array)}


def vcpkg(root: pathlib.Path) -> set[str]:
    manifest = json.loads((root / "vcpkg.json").read_text(encoding="utf-8"))
    lists = [manifest["dependencies"], *(feature["dependencies"] for feature in manifest["features"].values())]
    return {entry if isinstance(entry, str) else entry["name"] for entries in lists for entry in entries}


def cmake(root: pathlib.Path) -> set[str]:
    text = (root / "cmake/MullionDependencies.cmake").read_text(encoding="utf-8")
    return set(re.findall(r"(?:find_package|pkg_check_modules)\((\w+)", text))


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    findings = []
    for column, (name, read) in enumerate(
        [("docs", documented), ("debian", debian), ("mingw", mingw), ("vcpkg", vcpkg), ("cmake", cmake)]
    ):
        expected = {row[column] for row in LIBRARIES if row[column]} | FURTHER.get(name, set())
        found = read(root)
        findings += [f"{name}: {missing} is missing" for missing in sorted(expected - found)]
        findings += [f"{name}: {surplus} is known nowhere else" for surplus in sorted(found - expected)]
    print("\n".join(findings) or "every list names the same dependencies")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
