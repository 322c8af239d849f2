#include "cache/layer_records.hpp"

#include <string_view>

namespace mullion::cache {
namespace {

using base::DiffId;

std::string join_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
        lines.emplace_back(text.substr(0, end));
    }
    return lines;
}

}  // namespace

void LayerRecords::add(const DiffId& diff_id, const oci::Descriptor& blob) {
    if (contains(diff_id, blob.digest)) return;
    database_.run([&](Connection& connection) {
        connection
            .statement(
                "INSERT OR IGNORE INTO layers (diff_id, digest, media_type, size, urls)"
                " VALUES (?, ?, ?, ?, ?)")
            .bind(1, diff_id.digest)
            .bind(2, blob.digest)
            .bind(3, blob.media_type)
            .bind(4, static_cast<std::int64_t>(blob.size))
            .bind(5, join_lines(blob.urls))
            .run();
    });
}

void LayerRecords::remove(const DiffId& diff_id, const base::Digest& blob) {
    database_.run([&](Connection& connection) {
        connection.statement("DELETE FROM layers WHERE diff_id = ? AND digest = ?")
            .bind(1, diff_id.digest)
            .bind(2, blob)
            .run();
    });
}

bool LayerRecords::contains(const DiffId& diff_id, const base::Digest& blob) {
    return database_.run([&](Connection& connection) {
        Statement& query = connection.statement("SELECT 1 FROM layers WHERE diff_id = ? AND digest = ?");
        bool known = query.bind(1, diff_id.digest).bind(2, blob).step();
        query.reset();
        return known;
    });
}

std::vector<oci::Descriptor> LayerRecords::blobs_of(const DiffId& diff_id) {
    return database_.run([&](Connection& connection) {
        std::vector<oci::Descriptor> blobs;
        Statement& query = connection.statement(
            "SELECT media_type, digest, size, urls FROM layers WHERE diff_id = ? ORDER BY id");
        query.bind(1, diff_id.digest);
        while (query.step()) {
            blobs.push_back({.media_type = std::string(query.bytes(0)),
                             .digest = query.digest(1),
                             .size = static_cast<std::uint64_t>(query.integer(2)),
                             .urls = split_lines(query.bytes(3))});
        }
        query.reset();
        return blobs;
    });
}

void LayerRecords::add_recompressed(const DiffId& diff_id, const std::string& form,
                                    const oci::Descriptor& blob) {
    add(diff_id, blob);
    database_.run([&](Connection& connection) {
        connection.statement("INSERT OR REPLACE INTO recompressed VALUES (?, ?, ?, ?, ?)")
            .bind(1, diff_id.digest)
            .bind(2, form)
            .bind(3, blob.digest)
            .bind(4, blob.media_type)
            .bind(5, static_cast<std::int64_t>(blob.size))
            .run();
    });
}

std::optional<oci::Descriptor> LayerRecords::recompressed(const DiffId& diff_id, const std::string& form) {
    return database_.run([&](Connection& connection) -> std::optional<oci::Descriptor> {
        Statement& query = connection.statement(
            "SELECT media_type, digest, size FROM recompressed WHERE diff_id = ? AND form = ?");
        if (!query.bind(1, diff_id.digest).bind(2, form).step()) return {};
        oci::Descriptor found{.media_type = std::string(query.bytes(0)),
                              .digest = query.digest(1),
                              .size = static_cast<std::uint64_t>(query.integer(2))};
        query.reset();
        return found;
    });
}

void LayerRecords::add_fetched(const base::Digest& blob) {
    database_.run([&](Connection& connection) {
        connection.statement("INSERT OR IGNORE INTO fetched VALUES (?)").bind(1, blob).run();
    });
}

}  // namespace mullion::cache
