// Writes the layers that layer_tar_test.cpp reads and writes again: with Go's own tar writer, in the shape Windows
// (hcsshim), BuildKit and containerd give them. Run: go run make_layers.go DIRECTORY
package main

import (
	"archive/tar"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const dirSD = "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgCoAAcAAAAAAxgA/wEfAAECAAAAAAAFIAAAACACAAAAAxQA/wEfAAEBAAAAAAAFEgAAAAAAGAD/AR8AAQIAAAAAAAUgAAAAIAIAAAALFAAAAAAQAQEAAAAAAAMAAAAAAAMYAKkAEgABAgAAAAAABSAAAAAhAgAAAAIYAAQAAAABAgAAAAAABSAAAAAhAgAAAAIYAAIAAAABAgAAAAAABSAAAAAhAgAA"
const fileSD = "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgBMAAMAAAAAABgA/wEfAAECAAAAAAAFIAAAACACAAAAABQA/wEfAAEBAAAAAAAFEgAAAAAAGACpABIAAQIAAAAAAAUgAAAAIQIAAA=="

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func paxTime(t time.Time) string {
	if t.Nanosecond() == 0 {
		return strconv.FormatInt(t.Unix(), 10)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()), "0")
}

type when struct{ m, a, c, b time.Time }

func header(name string, size int64, attr uint32, w when) *tar.Header {
	h := &tar.Header{Format: tar.FormatPAX, Name: name, Size: size, Typeflag: tar.TypeReg, ModTime: w.m, AccessTime: w.a, ChangeTime: w.c,
		PAXRecords: map[string]string{"MSWINDOWS.fileattr": strconv.Itoa(int(attr)), "LIBARCHIVE.creationtime": paxTime(w.b)}}
	if attr&16 != 0 {
		h.Mode |= 040000
		h.Size = 0
		h.Typeflag = tar.TypeDir
	}
	return h
}

// A layer as Windows exports it: Files before Hives, no trailing slashes, all four times.
func windows(path string) {
	f, err := os.Create(path)
	must(err)
	t := tar.NewWriter(f)
	one := time.Unix(1700000000, 123456700)
	two := time.Unix(1700000100, 0)
	old := time.Unix(-1, 500000000)
	w := when{one, two, one, old}
	w.b = time.Unix(1600000000, 5000)
	plain := when{two, two, two, two}
	put := func(h *tar.Header, data string) {
		h.Size = int64(len(data))
		must(t.WriteHeader(h))
		_, err := t.Write([]byte(data))
		must(err)
	}
	dir := func(name string) {
		h := header(name, 0, 16, w)
		if strings.HasPrefix(name, "Files/") {
			h.PAXRecords["MSWINDOWS.rawsd"] = dirSD
		}
		put(h, "")
	}
	file := func(name, data string, attr uint32) *tar.Header {
		h := header(name, 0, attr, w)
		h.Mode |= 0100000
		h.PAXRecords["MSWINDOWS.rawsd"] = fileSD
		put(h, data)
		return h
	}
	link := func(name, target string, attr uint32, mount bool) {
		h := header(name, 0, attr, w)
		h.Typeflag = tar.TypeSymlink
		h.Mode |= 0120000
		h.Linkname = target
		h.PAXRecords["MSWINDOWS.rawsd"] = fileSD
		if mount {
			h.PAXRecords["MSWINDOWS.mountpoint"] = "1"
		}
		put(h, "")
	}
	stream := func(of *tar.Header, name, data string) {
		put(&tar.Header{Format: of.Format, Name: of.Name + ":" + name, Mode: of.Mode, Typeflag: tar.TypeReg, ModTime: of.ModTime,
			AccessTime: of.AccessTime, ChangeTime: of.ChangeTime}, data)
	}
	put(header("Files", 0, 16, plain), "")
	dir("Files/Windows")
	put(&tar.Header{Name: "Files/Windows/.wh.gone.txt"}, "")
	long := "Files/Windows/" + strings.Repeat("d", 60)
	dir(long)
	put(&tar.Header{Name: long + "/.wh." + strings.Repeat("w", 60)}, "")
	file(long+"/"+strings.Repeat("n", 60)+".txt", "long", 32)
	h := file("Files/Windows/a.txt", "hello", 32)
	stream(h, "Zone.Identifier", "[ZoneTransfer]\r\nZoneId=3\r\n")
	stream(h, "second", "")
	h = header("Files/Windows/ea.bin", 0, 34, w)
	h.Mode |= 0100000
	h.PAXRecords["MSWINDOWS.rawsd"] = fileSD
	h.PAXRecords["MSWINDOWS.xattr.$KERNEL.PURGE.ESBCACHE"] = base64.StdEncoding.EncodeToString([]byte{1, 0, 2, 255})
	put(h, strings.Repeat("x", 513))
	h = header("Files/Windows/hard.txt", 0, 32, w)
	h.Mode = 0644
	h.Typeflag = tar.TypeLink
	h.Linkname = "Files/Windows/a.txt"
	put(h, "")
	link("Files/Windows/junction", `C:\Windows`, 1040, true)
	link("Files/Windows/link-absolute", `C:\Windows\a.txt`, 1056, false)
	link("Files/Windows/link-relative", `..\x`, 1056, false)
	link("Files/Windows/link-unc", `\\server\share\d`, 1040, false)
	oldTimes := w
	w = when{old, old, old, old}
	w.b = time.Unix(-100, 0)
	h = header("Files/Windows/old.txt", 0, 32, w)
	h.Mode |= 0100000
	h.PAXRecords["LIBARCHIVE.creationtime"] = "-100"
	put(h, "before 1970")
	w = oldTimes
	file("Files/Windows/\u00fcml\u00e4ut \u65e5\u672c.txt", "unicode", 32)
	put(header("Hives", 0, 16, plain), "")
	h = header("Hives/System_Delta", 0, 32, plain)
	put(h, "regf?")
	h = header("UtilityVM", 0, 16, plain)
	put(h, "")
	h = header("UtilityVM/Files", 0, 16, w)
	put(h, "")
	must(t.Close())
	must(f.Close())
}

// A layer as BuildKit makes it on Linux.
func buildkit(path string) {
	f, err := os.Create(path)
	must(err)
	t := tar.NewWriter(f)
	now := time.Unix(1700000000, 0)
	put := func(h *tar.Header, data string) {
		if h.Typeflag == tar.TypeDir {
			h.Mode |= 1 << 14
		}
		if h.Typeflag == tar.TypeReg {
			h.Mode |= 1 << 15
		}
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		if h.Typeflag == tar.TypeDir {
			h.PAXRecords["MSWINDOWS.fileattr"] = "16"
		} else if h.Typeflag == tar.TypeReg {
			h.PAXRecords["MSWINDOWS.fileattr"] = "32"
		}
		h.PAXRecords["LIBARCHIVE.creationtime"] = fmt.Sprintf("%d.%d", h.ModTime.Unix(), h.ModTime.Nanosecond())
		h.Format = tar.FormatPAX
		h.Size = int64(len(data))
		must(t.WriteHeader(h))
		_, err := t.Write([]byte(data))
		must(err)
	}
	put(&tar.Header{Typeflag: tar.TypeDir, Name: "Hives", ModTime: time.Unix(1700000000, 500)}, "")
	put(&tar.Header{Typeflag: tar.TypeDir, Name: "Files", ModTime: time.Unix(1700000000, 500)}, "")
	sd := func(v string) map[string]string { return map[string]string{"MSWINDOWS.rawsd": v} }
	put(&tar.Header{Typeflag: tar.TypeDir, Name: "Files/app/", Mode: 0755, ModTime: now, PAXRecords: sd(dirSD)}, "")
	put(&tar.Header{Typeflag: tar.TypeReg, Name: "Files/app/a.txt", Mode: 0755, ModTime: now, PAXRecords: sd(fileSD)}, "content")
	put(&tar.Header{Typeflag: tar.TypeLink, Name: "Files/app/b.txt", Linkname: "Files/app/a.txt", Mode: 0755, ModTime: now}, "")
	put(&tar.Header{Typeflag: tar.TypeSymlink, Name: "Files/app/link", Linkname: "Files/a.txt", Mode: 0777, ModTime: now}, "")
	put(&tar.Header{Typeflag: tar.TypeReg, Name: "Files/app/owned.exe", Mode: 0755, Uid: 3000000, Gid: 1000, ModTime: now, PAXRecords: sd(fileSD)}, "MZ")
	must(t.Close())
	must(f.Close())
}

// A plain layer of a Linux image as containerd makes it.
func linux(path string) {
	f, err := os.Create(path)
	must(err)
	t := tar.NewWriter(f)
	now := time.Unix(1700000000, 0)
	put := func(h *tar.Header, data string) {
		h.Format = tar.FormatPAX
		h.ModTime = now
		h.Size = int64(len(data))
		must(t.WriteHeader(h))
		_, err := t.Write([]byte(data))
		must(err)
	}
	put(&tar.Header{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0755}, "")
	must(t.WriteHeader(&tar.Header{Name: "etc/.wh.old"}))
	put(&tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0644}, "root:x:0:0")
	put(&tar.Header{Typeflag: tar.TypeDir, Name: "usr/", Mode: 0755}, "")
	put(&tar.Header{Typeflag: tar.TypeReg, Name: "usr/a:b\\c", Mode: 04755, Uid: 1000, Gid: 1000,
		PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"}}, "ping")
	put(&tar.Header{Typeflag: tar.TypeLink, Name: "usr/hard", Linkname: "etc/passwd", Mode: 0644}, "")
	put(&tar.Header{Typeflag: tar.TypeSymlink, Name: "usr/link", Linkname: "../etc/passwd", Mode: 0777}, "")
	must(t.Close())
	must(f.Close())
}

func main() {
	windows(os.Args[1] + "/windows_layer.tar")
	buildkit(os.Args[1] + "/buildkit_layer.tar")
	linux(os.Args[1] + "/linux_layer.tar")
}
