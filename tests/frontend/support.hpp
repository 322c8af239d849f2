// Shared by the front end's tests: images from a table, and conversions by one call.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "frontend/convert.hpp"
#include "frontend/syntax.hpp"
#include "oci/reference.hpp"
#include "solver/operation.hpp"
#include "tests/support/errors.hpp"

namespace mullion::frontend::test {

using mullion::test::error_of;

// Knows the images it is given; everything else is NotFound. Counts calls.
class FakeResolver final : public ImageResolver {
  public:
    std::map<std::string, oci::ImageConfig> images;   // by full reference
    std::map<std::string, oci::ImageConfig> layouts;  // by what follows oci-layout://
    std::vector<std::string> asked;
    std::optional<std::string> path;  // of every image's machine
    int path_reads = 0;

    ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                const base::CancelToken&) override {
        return answer(images, reference.string(), platform, "");
    }
    ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                 const base::CancelToken&) override {
        return answer(layouts, std::string(layout), platform, std::string(layout));
    }
    std::optional<std::string> machine_path(const ResolvedImage&, const base::CancelToken&) override {
        ++path_reads;
        return path;
    }

  private:
    ResolvedImage answer(const std::map<std::string, oci::ImageConfig>& from, const std::string& name,
                         const oci::Platform& platform, const std::string& store) {
        asked.push_back(name + " " + platform.string());
        const auto found = from.find(name);
        if (found == from.end()) throw base::fail(base::ErrorCode::NotFound, "{}: not found", name);
        const auto digest = base::Digest::of(name);
        return {name + "@" + digest.string(), digest, found->second, store};
    }
};

// A base image with one layer and one history entry.
inline oci::ImageConfig windows_base() {
    oci::ImageConfig image;
    image.platform = oci::Platform::parse("windows(10.0.20348.2700)/amd64");
    image.created = base::FileTime::parse_rfc3339("2024-08-10T03:04:05Z");
    image.diff_ids = {base::DiffId{base::Digest::of("base layer")}};
    image.history = {{.created_by = "Apply image 10.0.20348.2700"}};
    image.config.user = "ContainerUser";
    return image;
}

struct Case {
    FakeResolver resolver;
    Options options;

    Case() {
        options.build_platform = oci::Platform::parse("windows/amd64");
        resolver.images["docker.io/library/base:latest"] = windows_base();
    }
    Conversion convert(std::string_view text) { return frontend::convert(text, options, resolver, {}); }
};

inline solver::Operation operation_of(const solver::Edge& edge) {
    return solver::parse_operation(edge.vertex->operation()).operation;
}

inline base::Error conversion_error(std::string_view text) {
    return error_of([&] { Case().convert(text); });
}

// "LINE: message"
inline std::string described(const base::Error& error) {
    return (error.source() ? std::to_string(error.source()->first_line) : "?") + std::string(": ") +
           error.what();
}

}  // namespace mullion::frontend::test
