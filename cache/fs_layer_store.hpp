// LayerStore on files and the `layers` table.
#pragma once

#include <filesystem>
#include <memory>

#include "cache/content_store.hpp"
#include "cache/database.hpp"
#include "cache/layer_store.hpp"
#include "cache/session.hpp"

namespace mullion::cache {

// Keeps references. Drops what was unpacked before the last reboot (see cache/layer_store.hpp).
std::unique_ptr<LayerStore> make_fs_layer_store(const std::filesystem::path& state, Session& session,
                                                ContentStore& content, Database& database,
                                                tree::StatCache& stats);

}  // namespace mullion::cache
