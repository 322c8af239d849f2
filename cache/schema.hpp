// The schema of mullion.db, as the steps that led to it. A step is never edited once released: append
// another.
#pragma once

namespace mullion::cache {

// kMigrations[n] leads from schema n to n + 1; 0 is an empty file. `used` is in days (Database::today).
inline constexpr const char* kMigrations[] = {
    // 1: cache keys, layers by diff ID, digests of host files by stat identity.
    "CREATE TABLE records (key BLOB PRIMARY KEY, canonical BLOB NOT NULL, payload BLOB NOT NULL,"
    "                      used INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE layers (diff_id BLOB PRIMARY KEY, media_type BLOB NOT NULL, digest BLOB NOT NULL,"
    "                     size INTEGER NOT NULL, urls BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE files (device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,"
    "                    modified INTEGER NOT NULL, changed INTEGER NOT NULL, digest BLOB NOT NULL,"
    "                    used INTEGER NOT NULL, PRIMARY KEY (device, inode)) WITHOUT ROWID;",
    // 2: several blobs of one diff ID, every one of them digested to it. Nobody had checked the old rows.
    "DROP TABLE layers;"
    "CREATE TABLE layers (id INTEGER PRIMARY KEY, diff_id BLOB NOT NULL, digest BLOB NOT NULL,"
    "                     media_type BLOB NOT NULL, size INTEGER NOT NULL, urls BLOB NOT NULL,"
    "                     UNIQUE (diff_id, digest));",
    // 3: what layers were recompressed to.
    "CREATE TABLE recompressed (diff_id BLOB NOT NULL, form BLOB NOT NULL, digest BLOB NOT NULL,"
    "                           media_type BLOB NOT NULL, size INTEGER NOT NULL,"
    "                           PRIMARY KEY (diff_id, form)) WITHOUT ROWID;",
    // 4: blobs that were fetched from a registry for a build.
    "CREATE TABLE fetched (digest BLOB PRIMARY KEY) WITHOUT ROWID;",
};

inline constexpr int kSchemaVersion = static_cast<int>(sizeof kMigrations / sizeof kMigrations[0]);

}  // namespace mullion::cache
