#include "cli/thread_limit.hpp"

#include <tbb/global_control.h>

#include <charconv>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace mullion::cli {

struct ThreadLimit::Control {
    tbb::global_control threads;
};

ThreadLimit::ThreadLimit() {
    std::optional<std::string> text = base::environment_unless_empty("MULLION_THREADS");
    if (!text) return;
    std::string_view digits = *text;
    std::size_t count = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (error != std::errc() || end != digits.data() + digits.size() || count == 0 || count > 4096) {
        throw base::fail(base::ErrorCode::Invalid, "invalid MULLION_THREADS \"{}\": expected 1 to 4096",
                         *text);
    }
    control_.reset(new Control{{tbb::global_control::max_allowed_parallelism, count}});
}

ThreadLimit::~ThreadLimit() = default;

}  // namespace mullion::cli
