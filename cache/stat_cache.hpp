// tree::StatCache in the `files` table. What must not be trusted is kept away from it by tree::HostContent
// (files that changed within the clock's resolution of being read; git calls them racily clean).
#pragma once

#include <memory>

#include "cache/database.hpp"
#include "tree/content.hpp"

namespace mullion::cache {

// Keeps a reference. New entries are collected in memory and written in one transaction, at the latest on
// destruction; a process that is killed loses them and reads these files once more. Entries of other
// processes are seen if they were written before the first look at a file near by.
std::unique_ptr<tree::StatCache> make_sqlite_stat_cache(Database& database);

}  // namespace mullion::cache
