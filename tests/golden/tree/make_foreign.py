"""Writes the tars of tar_reader_test.cpp with Python's own writer: GNU long names and base-256 numbers, and PAX
headers in another habit than Go's. Run: make_foreign.py DIRECTORY"""
import io
import sys
import tarfile


def add(tar, name, data=b"", kind=tarfile.REGTYPE, **fields):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data)
    info.mtime = 1700000000
    for key, value in fields.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def write(path, form):
    with tarfile.open(path, "w", format=form) as tar:
        add(tar, "Files", kind=tarfile.DIRTYPE, mode=0o755)
        add(tar, "Files/" + "d" * 120, kind=tarfile.DIRTYPE, mode=0o755)
        add(tar, "Files/" + "d" * 120 + "/file", b"long", uname="root", gname="root")
        add(tar, "Files/link", kind=tarfile.SYMTYPE, linkname="t" * 150)
        add(tar, "Files/numbers", b"12345", uid=1 << 30, mtime=-2 if form == tarfile.GNU_FORMAT else -1.5)


write(sys.argv[1] + "/python_gnu.tar", tarfile.GNU_FORMAT)
write(sys.argv[1] + "/python_pax.tar", tarfile.PAX_FORMAT)
