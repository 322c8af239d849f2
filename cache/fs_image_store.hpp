// ImageStore in <state>/index.json.
#pragma once

#include <filesystem>
#include <memory>

#include "cache/content_store.hpp"
#include "cache/database.hpp"
#include "cache/image_store.hpp"
#include "cache/session.hpp"

namespace mullion::cache {

// Keeps references.
std::unique_ptr<ImageStore> make_fs_image_store(const std::filesystem::path& state, Session& session,
                                                ContentStore& content, Database& database);

}  // namespace mullion::cache
