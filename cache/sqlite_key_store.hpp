// KeyStore in the `records` table.
#pragma once

#include <memory>

#include "cache/database.hpp"
#include "cache/key_store.hpp"

namespace mullion::cache {

// Keeps a reference. The use of records is written, once a day each, when the store is destroyed.
std::unique_ptr<KeyStore> make_sqlite_key_store(Database& database);

}  // namespace mullion::cache
