#include "worker/downloads.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "oci/http_url.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kRecordVersion = "download 1";
constexpr std::uint64_t kMaxDownload = std::uint64_t{256} << 30;

base::Digest record_key(const std::string& url) {
    return base::Hasher().field("download of a URL").field(url).finish();
}

// Into the content store, and into a checksum if one is asked for.
class DownloadSink final : public oci::HttpSink {
  public:
    DownloadSink(cache::ContentStore& store, const DownloadRequest& request)
        : store_(store), request_(request), expected_(request.checksum), writer_(store.writer()) {
        if (expected_) checksum_.emplace(*expected_);
    }

    void begin(std::optional<std::uint64_t> size) override {
        if (request_.progress == nullptr) return;
        if (!status_) status_.emplace(*request_.progress, request_.vertex, "downloading");
        status_->expect(size.value_or(0));
    }
    void write(std::string_view data) override {
        if (checksum_) checksum_->write(data);
        writer_->write(data);
        received_ += data.size();
        if (status_) status_->update(received_);
    }
    void restart() override {
        writer_ = store_.writer();
        if (checksum_) checksum_->restart();
        received_ = 0;
    }
    cache::BlobWriter::Committed commit() {
        if (checksum_) {
            base::Checksum found = checksum_->checksum();
            if (found != *expected_) {
                throw fail(ErrorCode::Corrupt, "digest mismatch {}: expected {}", found.string(),
                           expected_->string())
                    .about(expected_->string())
                    .hint("the server has another file now, or the checksum is wrong");
            }
        }
        return writer_->commit();
    }

  private:
    cache::ContentStore& store_;
    const DownloadRequest& request_;
    std::optional<base::Checksum> expected_;
    std::optional<base::ChecksumSink> checksum_;
    std::unique_ptr<cache::BlobWriter> writer_;
    std::uint64_t received_ = 0;
    std::optional<Status> status_;
};

}  // namespace

// What was learned when the URL was last fetched.
struct Downloads::Known {
    base::Digest digest;
    std::uint64_t size = 0;
    std::string etag;
    std::string last_modified;  // as sent
    std::string checksum;       // in another algorithm than the digest's, if one was asked for

    Download download() const { return {digest, size, oci::parse_http_date(last_modified)}; }
    bool fulfils(const base::Checksum& wanted) const {
        return digest.string() == wanted.string() || checksum == wanted.string();
    }
};

std::optional<Downloads::Known> Downloads::known(const std::string& url) {
    auto record = state_.keys().find(record_key(url));
    if (!record) return {};
    try {
        base::Json json = base::parse_json(record->payload, "cache record");
        base::JsonView view(json, "cache record");
        if (view.at("type").string() != kRecordVersion) return {};
        Known known{base::Digest::parse(view.at("digest").string()), view.at("size").size(),
                    view.at("etag").string(), view.at("last_modified").string(),
                    view.at("checksum").string()};
        bool stored =
            state_.content().contains(known.digest) && state_.content().size_of(known.digest) == known.size;
        return stored ? std::optional(known) : std::nullopt;
    } catch (const base::Error& error) {
        base::log("worker").warn("unusable record of a download: {}", error.what());
        return {};
    }
}

void Downloads::remember(const std::string& url, const Known& known) {
    base::OrderedJson json;
    json["type"] = kRecordVersion;
    json["digest"] = known.digest.string();
    json["size"] = known.size;
    json["etag"] = known.etag;
    json["last_modified"] = known.last_modified;
    json["checksum"] = known.checksum;
    base::Digest key = record_key(url);
    state_.keys().save({key}, {key, json.dump()});
}

Download Downloads::fetch(const DownloadRequest& request, const base::CancelToken& cancel) {
    std::optional<Known> before = known(request.url);
    if (before && request.checksum && before->fulfils(*request.checksum)) return before->download();
    // What has another checksum than the one asked for needs no revalidation.
    if (request.checksum) before.reset();
    Known now = transfer(request, before, cancel);
    remember(request.url, now);
    return now.download();
}

Downloads::Known Downloads::transfer(const DownloadRequest& request, const std::optional<Known>& before,
                                     const base::CancelToken& cancel) {
    oci::HttpRequest get{.url = request.url, .max_body = kMaxDownload};
    if (request.authorization) get.headers.emplace_back("Authorization", *request.authorization);
    if (before && !before->etag.empty()) get.headers.emplace_back("If-None-Match", before->etag);
    if (before && before->etag.empty() && !before->last_modified.empty())
        get.headers.emplace_back("If-Modified-Since", before->last_modified);
    DownloadSink sink(state_.content(), request);
    oci::HttpResponse response = client_.send(get, &sink, cancel);
    if (before && response.status == 304) return *before;
    oci::require_success(response, "GET " + oci::redacted_url(request.url));
    auto committed = sink.commit();
    bool other = request.checksum && request.checksum->algorithm() != "sha256";
    return {committed.digest, committed.size, response.header("etag").value_or(""),
            response.header("last-modified").value_or(""), other ? request.checksum->string() : ""};
}

}  // namespace mullion::worker
