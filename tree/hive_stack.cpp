#include "tree/hive_stack.hpp"

#include <algorithm>

#include "tree/name.hpp"

namespace mullion::tree {
namespace {

// What one hive says of the key at a path.
struct Found {
    std::optional<HiveFile::Key> key;
    bool removed = false;      // gone, whatever is below
    bool hides_below = false;  // lower hives have no say
};

Found look_up(const HiveFile& hive, std::string_view path) {
    Found found;
    HiveFile::Key at = hive.root();
    for (;;) {
        LayerSemantics layer = hive.layer(at);
        if (layer == LayerSemantics::Tombstone) return {std::nullopt, true, false};
        bool last = path.empty();
        found.hides_below = found.hides_below || layer == LayerSemantics::SupersedeTree ||
                            (last && layer == LayerSemantics::SupersedeLocal);
        if (last) break;
        std::string_view name = path.substr(0, path.find('\\'));
        path.remove_prefix(std::min(path.size(), name.size() + 1));
        auto next = hive.child(at, name);
        if (!next) return found;
        at = *next;
    }
    found.key = at;
    return found;
}

// `upper` counts where both have a value; what it removes goes.
void put_on_top(std::vector<HiveValue>& values, std::vector<HiveValue> upper) {
    for (HiveValue& value : upper) {
        std::erase_if(
            values, [&](const HiveValue& lower) { return names_equal(Os::Windows, lower.name, value.name); });
        if (!value.tombstone) values.push_back(std::move(value));
    }
}

}  // namespace

bool HiveStack::dirty() const {
    return std::any_of(hives_.begin(), hives_.end(), [](const HiveFile& hive) { return hive.dirty(); });
}

std::optional<std::vector<HiveValue>> HiveStack::values(std::string_view path) const {
    std::optional<std::vector<HiveValue>> values;
    for (const HiveFile& hive : hives_) {
        Found found = look_up(hive, path);
        if (found.removed || found.hides_below) values.reset();
        if (!found.key) continue;
        if (!values) values.emplace();
        put_on_top(*values, hive.describe(*found.key).values);
    }
    return values;
}

std::optional<HiveValue> HiveStack::value(std::string_view path, std::string_view name) const {
    auto found = values(path);
    if (!found) return std::nullopt;
    for (HiveValue& value : *found) {
        if (names_equal(Os::Windows, value.name, name)) return std::move(value);
    }
    return std::nullopt;
}

}  // namespace mullion::tree
