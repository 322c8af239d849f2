// Expectations: dockerfile.md §13, "Exporter".
#include "oci/history.hpp"

#include <gtest/gtest.h>

namespace mullion::oci {
namespace {

using base::FileTime;
using History = std::vector<HistoryEntry>;

HistoryEntry layer(std::optional<std::int64_t> seconds = {}) {
    HistoryEntry entry;
    if (seconds) entry.created = FileTime::from_seconds(*seconds);
    return entry;
}
HistoryEntry nop(std::optional<std::int64_t> seconds = {}) {
    HistoryEntry entry = layer(seconds);
    entry.empty_layer = true;
    return entry;
}
std::string flags(const History& history) {
    std::string text;
    for (const HistoryEntry& entry : history) text += entry.empty_layer ? '-' : 'L';
    return text;
}
std::vector<std::int64_t> seconds(History history, std::int64_t layer_time) {
    fill_history_times(history, FileTime::from_seconds(layer_time));
    std::vector<std::int64_t> times;
    for (const HistoryEntry& entry : history) times.push_back(entry.created ? entry.created->seconds() : -1);
    return times;
}
using Seconds = std::vector<std::int64_t>;

TEST(AlignHistory, MissingEntriesAreAppended) {
    History history = {layer(1), nop(2)};
    align_history(history, 3);
    EXPECT_EQ(flags(history), "L-LL");
    EXPECT_EQ(history[2].comment, "buildkit.exporter.image.v0");
    EXPECT_EQ(history[0].comment, "");
    History empty;
    align_history(empty, 1);
    EXPECT_EQ(flags(empty), "L");
}

TEST(AlignHistory, SurplusEntriesAreMarkedFromTheEnd) {
    History history = {layer(), nop(), layer(), layer()};
    align_history(history, 1);
    EXPECT_EQ(flags(history), "L---");
    align_history(history, 0);
    EXPECT_EQ(flags(history), "----");
}

TEST(AlignHistory, WhatFitsStays) {
    History history = {nop(), layer(), nop()};
    History before = history;
    align_history(history, 1);
    EXPECT_EQ(history, before);
}

TEST(FillHistoryTimes, LayersGetTheLayerTime) {
    EXPECT_EQ(seconds({layer(), layer(5)}, 9), (Seconds{9, 5}));
}

TEST(FillHistoryTimes, OtherStepsGetTheTimeOfTheFirstNewLayer) {
    EXPECT_EQ(seconds({layer(1), nop(), nop(), layer(7), nop()}, 9), (Seconds{1, 7, 7, 7, 7}));
    EXPECT_EQ(seconds({layer(1), nop()}, 9), (Seconds{1, 1})) << "none: the last one";
    EXPECT_EQ(seconds({layer(1), nop(), layer(7), nop(), layer(8), nop()}, 9), (Seconds{1, 7, 7, 7, 8, 8}));
}

TEST(FillHistoryTimes, WithoutAnyTimeThereIsNone) {
    EXPECT_EQ(seconds({nop(), nop()}, 9), (Seconds{-1, -1}));
    EXPECT_EQ(seconds({nop(), layer()}, 9), (Seconds{9, 9}));
}

}  // namespace
}  // namespace mullion::oci
