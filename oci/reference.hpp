// Image references: [host[:port]/]path[:tag][@digest], normalised as Docker does (distribution/reference).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.hpp"

namespace mullion::oci {

// An immutable, valid reference. host() is never empty: a name without a host is one of docker.io, and a
// single component there is below library/. `index.docker.io` is docker.io.
class Reference {
  public:
    // Fills in the default host and "library/"; no tag is added. Throws Invalid ("invalid reference format:
    // ...", or "invalid repository name ..." for 64 hexadecimal digits, which name an image ID).
    static Reference parse(std::string_view text);

    const std::string& host() const { return host_; }
    const std::string& path() const { return path_; }
    const std::optional<std::string>& tag() const { return tag_; }
    const std::optional<base::Digest>& digest() const { return digest_; }

    Reference with_default_tag() const;  // ":latest" if neither tag nor digest
    Reference with_digest(const base::Digest& digest) const;
    std::string string() const;    // full: "docker.io/library/alpine:3"
    std::string familiar() const;  // short: "alpine:3"
    std::string name() const;      // host/path

    bool operator==(const Reference&) const = default;

  private:
    Reference() = default;
    std::string suffix() const;  // ":tag@digest"

    std::string host_;
    std::string path_;
    std::optional<std::string> tag_;
    std::optional<base::Digest> digest_;
};

}  // namespace mullion::oci
