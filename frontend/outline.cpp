#include "frontend/outline.hpp"

#include "base/error.hpp"
#include "frontend/outline_recorder.hpp"
#include "frontend/stages.hpp"

namespace mullion::frontend {

std::vector<Target> list_targets(std::string_view text, const std::string& file) {
    if (text.empty()) throw base::fail(base::ErrorCode::Invalid, "the Dockerfile cannot be empty");
    std::vector<Target> out;
    for (const auto& stage : group_stages(parse(text, file)).stages) {
        const auto& from = stage.from;
        out.push_back({from.stage_name, described(stage.comments, from.stage_name), from.base, from.platform,
                       false, stage.range});
    }
    out.back().is_default = true;
    return out;
}

}  // namespace mullion::frontend
