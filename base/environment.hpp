// Variables of our own environment, UTF-8 on every system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mullion::base {

std::optional<std::string> environment(const std::string& name);
// The same; one that is empty counts as unset, as the XDG Base Directory Specification says of its own.
std::optional<std::string> environment_unless_empty(const std::string& name);
// Of the user: $HOME, on Windows %USERPROFILE%; nullopt if that is unset or empty.
std::optional<std::filesystem::path> home_directory();

}  // namespace mullion::base
