#include "frontend/environment.hpp"

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

std::string Environment::key(std::string_view name) const {
    return tree::fold(os_, name);
}

void Environment::set(std::string_view name, std::string_view value) {
    const auto [place, added] = index_.try_emplace(key(name), entries_.size());
    if (added) {
        entries_.emplace_back();
    } else {
        const auto& old = entries_[place->second];
        size_ -= old.first.size() + old.second.size();
    }
    size_ += name.size() + value.size();
    if (size_ > kMaxSize)
        throw base::fail(base::ErrorCode::Exhausted, "environment larger than {} bytes", kMaxSize);
    entries_[place->second] = {std::string(name), std::string(value)};
}

void Environment::set_assignment(std::string_view assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos)
        set(assignment, {});
    else
        set(assignment.substr(0, equals), assignment.substr(equals + 1));
}

const std::string* Environment::find(std::string_view name) const {
    const auto place = index_.find(key(name));
    return place == index_.end() ? nullptr : &entries_[place->second].second;
}

std::vector<std::string> Environment::assignments() const {
    std::vector<std::string> out;
    out.reserve(entries_.size());
    for (const auto& [name, value] : entries_) out.push_back(name + "=" + value);
    return out;
}

}  // namespace mullion::frontend
