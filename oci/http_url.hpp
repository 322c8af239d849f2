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
// Everything but letters, digits and -._~ becomes an escape (RFC 3986 §2.3).
std::string percent_encoded(std::string_view text);
// "https://host:port", the port always written: two URLs belong to one server if these are equal. Throws
// Invalid for what is no http(s) URL.
std::string url_origin(const std::string& url);
// What `reference` ("/path", "https://other/path") means in a document at `base` (RFC 3986 §5). Throws
// Invalid.
std::string resolved_url(const std::string& base, const std::string& reference);
// With "name=value" added to the query, encoded.
std::string url_with_parameter(std::string url, std::string_view name, std::string_view value);

}  // namespace mullion::oci
