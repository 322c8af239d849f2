#include "tests/solver/fake_world.hpp"

#include <algorithm>
#include <stdexcept>

namespace mullion::test {

std::optional<cache::KeyRecord> FakeKeyStore::find(const base::Digest& key) {
    std::lock_guard lock(mutex_);
    if (failing.contains("find")) throw std::runtime_error("find failed");
    auto found = records_.find(key);
    if (found == records_.end()) return {};
    return found->second;
}

void FakeKeyStore::save(const std::vector<base::Digest>& keys, const cache::KeyRecord& record) {
    std::lock_guard lock(mutex_);
    if (failing.contains("save")) throw std::runtime_error("save failed");
    ++saves_;
    for (const base::Digest& key : keys) records_.insert_or_assign(key, record);
}

void FakeKeyStore::forget(const base::Digest& key) {
    std::lock_guard lock(mutex_);
    records_.erase(key);
}

std::size_t FakeKeyStore::saves() {
    std::lock_guard lock(mutex_);
    return saves_;
}

std::size_t FakeKeyStore::size() {
    std::lock_guard lock(mutex_);
    return records_.size();
}

void RecordingProgress::emit(const base::ProgressEvent& event) {
    std::lock_guard lock(mutex_);
    events_.push_back(event);
}

std::vector<base::ProgressEvent> RecordingProgress::events() {
    std::lock_guard lock(mutex_);
    return events_;
}

std::vector<std::string> RecordingProgress::life(const std::string& name) {
    std::vector<std::string> life;
    for (const base::ProgressEvent& event : events()) {
        const auto* vertex = std::get_if<base::VertexEvent>(&event);
        if (vertex == nullptr || vertex->name != name) continue;
        if (!vertex->error.empty()) {
            life.push_back("error: " + vertex->error);
        } else if (vertex->cached) {
            life.push_back("cached");
        } else if (vertex->completed) {
            life.push_back("done");
        } else {
            life.push_back(vertex->started ? "started" : "announced");
        }
    }
    return life;
}

class FakeOp final : public solver::Op {
  public:
    FakeOp(World& world, std::string name, Spec spec)
        : world_(world), name_(std::move(name)), spec_(std::move(spec)) {}

    solver::Category category() const override { return spec_.category; }
    bool cheap() const override { return spec_.cheap; }
    bool pins_remotely() const override { return spec_.pins_remotely; }

    solver::CacheMap cache_map(const solver::ExecContext& context) override {
        if (spec_.on_cache_map) spec_.on_cache_map();
        if (spec_.reports_pinning)
            context.progress->emit(base::StatusEvent{context.vertex, "pinning", 1, 2, {}, {}, {}});
        solver::CacheMap map{base::Digest::of(spec_.key.empty() ? name_ : spec_.key), spec_.session_only, {}};
        for (bool by_content : spec_.contents) {
            map.content_digests.emplace_back();
            if (by_content) {
                map.content_digests.back() = [this](const solver::ResultRef& input,
                                                    const base::CancelToken&) {
                    world_.note("digest " + name_);
                    return base::Digest::of(std::to_string(value_of(input)));
                };
            }
        }
        return map;
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>& inputs,
                                        const solver::ExecContext& context) override {
        world_.note("exec " + name_);
        std::vector<int> values;
        int value = 0;
        for (const solver::ResultRef& input : inputs) {
            values.push_back(value_of(input));
            value += values.back();
        }
        if (spec_.body) value = spec_.body(values, context);
        std::vector<solver::ResultRef> outputs;
        for (std::size_t i = 0; i < spec_.outputs; ++i) {
            outputs.push_back(std::make_shared<Number>(value + static_cast<int>(i)));
        }
        return outputs;
    }

    std::string save(const solver::ResultRef& result, std::size_t) override {
        bool kept = spec_.kept && (spec_.durable == nullptr || *spec_.durable);
        return kept ? std::to_string(value_of(result)) : std::string();
    }

    solver::ResultRef load(const std::string& payload, std::size_t) override {
        world_.note("load " + name_);
        if (world_.lost_) return nullptr;
        return std::make_shared<Number>(std::stoi(payload));
    }

  private:
    World& world_;
    std::string name_;
    Spec spec_;
};

solver::VertexRef World::sum(const std::string& operation, const std::vector<solver::VertexRef>& inputs) {
    specs_[operation];
    std::vector<solver::Edge> edges;
    for (const solver::VertexRef& input : inputs) edges.push_back({input, 0});
    solver::VertexOptions own = options;
    own.name = operation;
    return solver::Vertex::make(operation, std::move(edges), std::move(own));
}

solver::VertexRef World::constant(const std::string& operation, int value) {
    solver::VertexRef vertex = sum(operation, {});
    specs_[operation].body = [value](const auto&, const auto&) { return value; };
    return vertex;
}

solver::OpResolver World::resolver() {
    return [this](const solver::VertexRef& vertex) {
        const std::string& name = vertex->operation();
        return std::make_unique<FakeOp>(*this, name, specs_.at(name));
    };
}

std::vector<std::string> World::log() {
    std::lock_guard lock(mutex_);
    return log_;
}

std::size_t World::count(const std::string& entry) {
    std::vector<std::string> entries = log();
    return static_cast<std::size_t>(std::count(entries.begin(), entries.end(), entry));
}

void World::clear_log() {
    std::lock_guard lock(mutex_);
    log_.clear();
}

void World::lose_payloads() {
    lost_ = true;
}

void World::note(std::string entry) {
    std::lock_guard lock(mutex_);
    log_.push_back(std::move(entry));
}

}  // namespace mullion::test
