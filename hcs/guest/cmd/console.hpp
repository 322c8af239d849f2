// Text to and from handles, and Windows' words for errors.
#pragma once

#include <windows.h>

#include <utility>

#include "hcs/guest/cmd/handle.hpp"
#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

// In the console's output code page, or UTF-16; false (and GetLastError) if it could not be written.
bool write_text(HANDLE handle, View text, bool as_utf16);
bool write_bytes(HANDLE handle, std::string_view bytes);

// Bytes of a script, of a file or of a program, in the console's output code page (UTF-16 with its mark).
Text decoded(std::string_view bytes);

// Up to and without the line end; reads no byte more. nullopt at the end of the input.
std::optional<Text> read_line(HANDLE handle);

// All of a handle's bytes. Throws Failure if there are too many.
std::string read_all(HANDLE handle);

// Without a handle if it cannot be opened (GetLastError).
Handle open_to_read(const Text& path);

// What is written to the second is read from the first. Throws Failure.
std::pair<Handle, Handle> make_pipe();

Text error_text(DWORD error);

}  // namespace mullion::cmd
