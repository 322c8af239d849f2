#include "cache/state.hpp"

#include "base/error.hpp"
#include "cache/database.hpp"
#include "cache/fs_image_store.hpp"
#include "cache/fs_layer_store.hpp"
#include "cache/sqlite_key_store.hpp"
#include "cache/stat_cache.hpp"

namespace mullion::cache {

namespace fs = std::filesystem;

namespace {

fs::path real_path(const fs::path& path) {
    std::error_code code;
    fs::path real = fs::canonical(path, code);
    if (code) throw base::system_error(code, "cannot open it");
    return real;
}

}  // namespace

// In the order of use: the stores go before what they refer to.
struct State::Parts {
    Parts(const fs::path& directory, RemoveLayer remove_layer)
        : session(std::make_shared<Session>(directory, std::move(remove_layer))),
          content(ContentStore::open_directory(directory, session)),
          database(directory),
          keys(make_sqlite_key_store(database)),
          stats(make_sqlite_stat_cache(database)),
          images(make_fs_image_store(directory, *session, *content, database)),
          layers(make_fs_layer_store(directory, *session, *content, database, *stats)),
          mounts(directory, *session) {}

    std::shared_ptr<Session> session;
    std::unique_ptr<ContentStore> content;
    Database database;
    std::unique_ptr<KeyStore> keys;
    std::unique_ptr<tree::StatCache> stats;
    std::unique_ptr<ImageStore> images;
    std::unique_ptr<LayerStore> layers;
    MountStore mounts;
};

State::State(fs::path directory, RemoveLayer remove_layer) : directory_(std::move(directory)) {
    try {
        base::with_context([&] { return fmt::format("state directory {}", directory_.string()); },
                           [&] {
                               base::make_directories(directory_);
                               directory_ = real_path(directory_);
                               parts_ = std::make_unique<Parts>(directory_, std::move(remove_layer));
                           });
    } catch (base::Error& error) {
        error.hint("choose another state directory with --state or MULLION_STATE");
        throw;
    }
}

State::~State() = default;

const fs::path& State::directory() const {
    return directory_;
}

fs::path State::temporary_directory() const {
    return parts_->session->directory();
}

TempLayer State::temporary_layer() const {
    return TempLayer(*parts_->session);
}

ContentStore& State::content() {
    return *parts_->content;
}

KeyStore& State::keys() {
    return *parts_->keys;
}

ImageStore& State::images() {
    return *parts_->images;
}

LayerStore& State::layers() {
    return *parts_->layers;
}

MountStore& State::mounts() {
    return parts_->mounts;
}

tree::StatCache& State::stats() {
    return *parts_->stats;
}

}  // namespace mullion::cache
