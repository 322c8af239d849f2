#include "worker/seen_names.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace mullion::worker {
namespace {

constexpr std::string_view kRecordType = "seen name 1";

base::Digest record_key(const oci::Reference& reference) {
    return base::Hasher().field(kRecordType).field(reference.string()).finish();
}

SeenName parse(const std::string& payload) {
    base::Json json = base::parse_json(payload, "cache record");
    base::JsonView view(json, "cache record");
    return {{view.at("media_type").string(),
             base::Digest::parse(view.at("digest").string()),
             view.at("size").size(),
             {},
             {},
             {}},
            base::FileTime::parse_rfc3339(view.at("seen").string())};
}

}  // namespace

void remember_name(cache::KeyStore& keys, const oci::Reference& reference, const SeenName& seen) {
    base::OrderedJson json = {{"type", kRecordType},
                              {"media_type", seen.root.media_type},
                              {"digest", seen.root.digest.string()},
                              {"size", seen.root.size},
                              {"seen", seen.time.rfc3339()}};
    const base::Digest key = record_key(reference);
    keys.save({key}, {key, json.dump()});
}

std::optional<SeenName> find_seen_name(cache::KeyStore& keys, const oci::Reference& reference) {
    auto record = keys.find(record_key(reference));
    if (!record) return {};
    try {
        return parse(record->payload);
    } catch (const base::Error& error) {
        base::log("worker").warn("{}: {}", reference.string(), error.what());
        return {};
    }
}

}  // namespace mullion::worker
