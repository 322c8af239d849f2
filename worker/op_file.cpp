#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "tree/base_image.hpp"
#include "tree/delta_times.hpp"
#include "tree/name.hpp"
#include "worker/file_editor.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

template <typename... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

// COPY, ADD, WORKDIR and heredoc files: one layer made of values. Running again costs next to nothing, so the
// layer is written only when somebody needs it on disk (an exporter, a RUN on top of it).
class FileOp final : public solver::Op {
  public:
    FileOp(OpSetting setting, const solver::FileOperation& operation)
        : setting_(std::move(setting)), operation_(operation) {
        for (const solver::FileAction& action : operation_.actions) {
            const auto* copy = std::get_if<solver::CopyAction>(&action);
            if (copy == nullptr) continue;
            if (copy->input >= setting_.input_count) {
                throw fail(ErrorCode::Invalid, "a file operation copies from an input it does not have");
            }
            if (copy->input > 0) copies_[copy->input].push_back(*copy);
        }
        if (setting_.input_count == 0) {
            throw fail(ErrorCode::Invalid, "a file operation has no input to build on");
        }
    }

    solver::Category category() const override { return solver::Category::Cpu; }
    bool cheap() const override { return true; }

    // The actions as data; of sources that are counted by content only their base names.
    solver::CacheMap cache_map(const solver::ExecContext&) override {
        solver::FileOperation key = operation_;
        for (solver::FileAction& action : key.actions) {
            auto* copy = std::get_if<solver::CopyAction>(&action);
            if (copy == nullptr || copy->input == 0) continue;
            for (std::string& source : copy->sources) source = tree::base_name(source);
        }
        solver::CacheMap map{operation_key("file 2", {setting_.platform.string(), key}), false, {}};
        if (!copies_.empty()) map.content_digests.resize(setting_.input_count);
        for (const auto& [input, actions] : copies_) {
            map.content_digests[input] = [this, &copies = actions](const solver::ResultRef& result,
                                                                   const base::CancelToken& cancel) {
                return content_digest(copies, *snapshot_of(result), cancel);
            };
        }
        return map;
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>& inputs,
                                        const solver::ExecContext& context) override {
        SnapshotRef base = snapshot_of(inputs.at(0));
        if (operation_.independent) return {Snapshot::on_top(base, independent_layer(inputs, context))};
        const tree::Tree& lower = base->tree(context.cancel);
        FileEditor editor(lower, epoch_of(operation_.epoch_ticks), true,
                          {base, setting_.parts.blobs.contents(), context.cancel});
        for (const solver::FileAction& action : operation_.actions) run(action, editor, inputs, context);
        LayerRef layer = layer_of(lower, editor.tree(), inputs);
        if (operation_.uniform_parents) return {Snapshot::on_top(base, std::move(layer))};
        return {Snapshot::on_top(base, std::move(layer), editor.tree())};
    }

    std::string save(const solver::ResultRef& result, std::size_t) override {
        return save_payload(*snapshot_of(result));
    }
    solver::ResultRef load(const std::string& payload, std::size_t) override {
        return load_payload(payload, setting_.parts.blobs, setting_.parts.options.allow_registry_loss);
    }

  private:
    LayerRef layer_of(const tree::Tree& lower, const tree::Tree& upper,
                      const std::vector<solver::ResultRef>& inputs) const {
        auto delta = std::make_shared<tree::Delta>(tree::diff(lower, upper));
        // A Windows layer has an entry for its root; no step changes it, and without one Linux keeps its own.
        delta->files_root.reset();
        if (lower.os() == tree::Os::Windows) delta->files_root = lower.root()->metadata;
        bool lost = std::any_of(copies_.begin(), copies_.end(), [&](const auto& from) {
            return snapshot_of(inputs.at(from.first))->registry_lost();
        });
        if (operation_.uniform_parents) {
            tree::stamp_repeated_parents(*delta, lower, epoch_of(operation_.epoch_ticks));
            if (!lost) return setting_.parts.layers.share(std::move(delta));
        }
        return std::make_shared<Layer>(DeltaRef(std::move(delta)), lost);
    }

    // --link: the same layer whatever it lies on. A layer repeats the directories on the way to its files,
    // and an importer makes them what it is told; so what every Windows image has is repeated as Windows made
    // it.
    LayerRef independent_layer(const std::vector<solver::ResultRef>& inputs,
                               const solver::ExecContext& context) {
        base::FileTime epoch = epoch_of(operation_.epoch_ticks);
        bool windows = image_os(setting_.platform) == tree::Os::Windows;
        tree::Tree lower = windows ? tree::standard_directories(epoch) : tree::Tree(tree::Os::Linux);
        FileEditor editor(lower, epoch, false);
        for (const solver::FileAction& action : operation_.actions) run(action, editor, inputs, context);
        return layer_of(lower, editor.tree(), inputs);
    }

    base::Digest content_digest(const std::vector<solver::CopyAction>& actions, const Snapshot& from,
                                const base::CancelToken& cancel) {
        CopyInput input{from.tree(cancel), from.is_files()};
        base::Hasher hasher;
        for (const solver::CopyAction& action : actions) {
            hasher.field(selection_digest(action, input, setting_.parts.blobs.contents(), cancel).string());
        }
        if (from.registry_lost()) hasher.field("registry lost");
        return hasher.finish();
    }

    void run(const solver::FileAction& action, FileEditor& editor,
             const std::vector<solver::ResultRef>& inputs, const solver::ExecContext& context) {
        std::visit(Overloaded{[&](const solver::CopyAction& copy) {
                                  SnapshotRef from = snapshot_of(inputs.at(copy.input));
                                  CopyInput input{from->tree(context.cancel), from->is_files()};
                                  editor.copy(copy, input, setting_.parts.archives, context.cancel);
                              },
                              [&](const solver::WriteFileAction& write) { editor.write_file(write); },
                              [&](const solver::MakeDirectoryAction& make) { editor.make_directory(make); }},
                   action);
    }

    OpSetting setting_;
    solver::FileOperation operation_;
    std::map<std::size_t, std::vector<solver::CopyAction>> copies_;  // by input
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::FileOperation& operation) {
    return std::make_unique<FileOp>(std::move(setting), operation);
}

}  // namespace mullion::worker
