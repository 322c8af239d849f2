#include "tree/delta_links.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

// Where the bytes behind a link are: an entry of the list, or (no index) a path of a lower layer.
struct Origin {
    std::optional<std::size_t> index;
    std::string path;
};

class Linker {
  public:
    Linker(std::vector<Change>& sorted, const Tree* lower, Os os) : sorted_(sorted), lower_(lower), os_(os) {}

    void run() {
        bool any = std::any_of(sorted_.begin(), sorted_.end(), [](const Change& change) {
            const auto* upsert = std::get_if<Upsert>(&change);
            return upsert != nullptr && upsert->hard_link;
        });
        if (!any) return;
        for (std::size_t i = 0; i < sorted_.size(); ++i) position_[fold(os_, path_of(sorted_[i]))] = i;
        for (std::size_t i = 0; i < sorted_.size(); ++i) {
            const auto* upsert = std::get_if<Upsert>(&sorted_[i]);
            if (upsert != nullptr && upsert->hard_link) add(i);
        }
        for (auto& [index, names] : by_entry_) link_to_entry(index, names);
        for (auto& [path, names] : by_lower_path_) link_to_lower(path, names);
    }

  private:
    Upsert& upsert(std::size_t index) { return std::get<Upsert>(sorted_[index]); }

    [[noreturn]] void invalid(std::size_t index, std::string_view why) {
        throw fail(ErrorCode::Invalid, "{} is a hard link to {}, which {}",
                   display_path(os_, printable(upsert(index).path)),
                   display_path(os_, printable(*upsert(index).hard_link)), why);
    }

    void add(std::size_t index) {
        Origin origin = origin_of(index);
        if (!origin.index) {
            by_lower_path_[fold(os_, origin.path)].push_back(index);
            return;
        }
        if (upsert(*origin.index).node->kind != NodeKind::File) invalid(index, "is not a file");
        by_entry_[*origin.index].push_back(index);
    }

    // Follows links to links.
    Origin origin_of(std::size_t index) {
        std::size_t at = index;
        for (std::size_t steps = 0; steps <= sorted_.size(); ++steps) {
            const std::string& target = *upsert(at).hard_link;
            auto found = position_.find(fold(os_, target));
            if (found == position_.end() || std::holds_alternative<Removal>(sorted_[found->second])) {
                return {{}, target};
            }
            at = found->second;
            if (!upsert(at).hard_link) return {at, {}};
        }
        invalid(index, "leads back to itself");
    }

    // `names` come in list order.
    void link_to_first(const std::vector<std::size_t>& names) {
        upsert(names.front()).hard_link.reset();
        for (std::size_t i = 1; i < names.size(); ++i) {
            upsert(names[i]).hard_link = upsert(names.front()).path;
        }
    }

    void link_to_entry(std::size_t origin, std::vector<std::size_t>& names) {
        names.insert(std::upper_bound(names.begin(), names.end(), origin), origin);
        NodeRef node = upsert(origin).node;
        for (std::size_t name : names) upsert(name).node = node;
        link_to_first(names);
    }

    void link_to_lower(const std::string& folded, const std::vector<std::size_t>& names) {
        if (lower_ == nullptr) return;
        auto file = lower_->locate(folded);
        if (!file) invalid(names.front(), "does not exist");
        if (file->node->kind != NodeKind::File) invalid(names.front(), "is not a file");
        if (is_hidden(folded)) return link_to_first(names);
        for (std::size_t name : names) upsert(name).hard_link = file->path;
    }

    // Does an entry of the list remove or replace the path or one of its parents?
    bool is_hidden(std::string_view folded) const {
        for (; !folded.empty(); folded = parent_of(folded)) {
            auto found = position_.find(std::string(folded));
            if (found == position_.end()) continue;
            const auto* upsert = std::get_if<Upsert>(&sorted_[found->second]);
            if (upsert == nullptr || upsert->node->kind != NodeKind::Directory) return true;
        }
        return false;
    }

    std::vector<Change>& sorted_;
    const Tree* lower_;
    Os os_;
    std::unordered_map<std::string, std::size_t> position_;  // by folded path
    std::map<std::size_t, std::vector<std::size_t>> by_entry_;
    std::map<std::string, std::vector<std::size_t>> by_lower_path_;
};

}  // namespace

void canonicalise_links(std::vector<Change>& sorted, const Tree* lower, Os os) {
    Linker(sorted, lower, os).run();
}

}  // namespace mullion::tree
