#include "oci/history.hpp"

#include <optional>
#include <string_view>

namespace mullion::oci {
namespace {

constexpr std::string_view kMadeUpComment = "buildkit.exporter.image.v0";

}  // namespace

void align_history(std::vector<HistoryEntry>& history, std::size_t layers) {
    std::size_t with_layer = 0;
    for (HistoryEntry& entry : history) {
        if (entry.empty_layer) continue;
        if (with_layer == layers) {
            entry.empty_layer = true;
        } else {
            ++with_layer;
        }
    }
    for (; with_layer < layers; ++with_layer) {
        HistoryEntry entry;
        entry.comment = kMadeUpComment;
        history.push_back(std::move(entry));
    }
}

void fill_history_times(std::vector<HistoryEntry>& history, base::FileTime layer_time) {
    for (HistoryEntry& entry : history) {
        if (!entry.created && !entry.empty_layer) entry.created = layer_time;
    }
    // What is left untimed are steps that made no layer. Before the first timed entry behind one of them, the
    // time is that entry's; from there on it is the last one seen.
    std::optional<base::FileTime> time;
    bool untimed = false;
    for (const HistoryEntry& entry : history) {
        untimed |= !entry.created;
        if (!entry.created) continue;
        time = entry.created;
        if (untimed) break;
    }
    untimed = false;
    for (HistoryEntry& entry : history) {
        if (!entry.created) {
            untimed = true;
            entry.created = time;
        } else if (untimed) {
            time = entry.created;
        }
    }
}

}  // namespace mullion::oci
