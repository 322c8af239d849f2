// What we need to know of URLs without sending them.
#pragma once

#include <string>
#include <string_view>

namespace mullion::oci {

bool is_http_url(std::string_view text);
// For messages, names and records: without user, password and fragment, query values cut.
std::string redacted_url(std::string_view url);
// The last element of the path, percent-decoded; empty if the path has none.
std::string url_file_name(std::string_view url);
// %41 becomes A; what is no escape stays.
std::string percent_decoded(std::string_view text);

}  // namespace mullion::oci
