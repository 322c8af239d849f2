#include "frontend/signal_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

constexpr std::array<std::string_view, 37> kNames{
    "ABRT",   "ALRM",  "BUS",  "CHLD", "CLD",    "CONT",  "FPE",  "HUP",  "ILL",  "INT",
    "IO",     "IOT",   "KILL", "PIPE", "POLL",   "PROF",  "PWR",  "QUIT", "SEGV", "STKFLT",
    "STOP",   "SYS",   "TERM", "TRAP", "TSTP",   "TTIN",  "TTOU", "URG",  "USR1", "USR2",
    "VTALRM", "WINCH", "XCPU", "XFSZ", "UNUSED", "RTMIN", "RTMAX"};

// "RTMIN+1" to "RTMIN+15", "RTMAX-1" to "RTMAX-14".
bool is_real_time(std::string_view name) {
    const bool from_first = name.starts_with("RTMIN+");
    if (!from_first && !name.starts_with("RTMAX-")) return false;
    name.remove_prefix(6);
    int offset = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), offset);
    return error == std::errc() && stop == name.data() + name.size() && name[0] != '0' && offset >= 1 &&
           offset <= (from_first ? 15 : 14);
}

}  // namespace

bool is_signal(std::string_view text) {
    int number = 0;
    const auto digits = text.starts_with('+') ? text.substr(1) : text;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && stop == digits.data() + digits.size()) return number != 0;
    const auto upper = upper_ascii(text);
    const auto name = std::string_view(upper).substr(upper.starts_with("SIG") ? 3 : 0);
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || is_real_time(name);
}

}  // namespace mullion::frontend
