#include "cli/usage_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "cli/byte_text.hpp"

namespace mullion::cli {

std::string usage_text(const base::ResourceUsage& usage) {
    std::vector<std::string> parts;
    if (usage.processor_time.count() != 0) {
        double seconds = std::chrono::duration<double>(usage.processor_time).count();
        parts.push_back(fmt::format("{:.2f}s of processor time", seconds));
    }
    if (usage.peak_memory != 0) parts.push_back(human_size(usage.peak_memory) + " of memory at most");
    if (usage.read_bytes != 0) parts.push_back(human_size(usage.read_bytes) + " read");
    if (usage.written_bytes != 0) parts.push_back(human_size(usage.written_bytes) + " written");
    return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace mullion::cli
