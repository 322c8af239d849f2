#include "oci/registry_upload.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "oci/http_url.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::uint64_t kDefaultChunk = 16 << 20;
constexpr std::uint64_t kLargestChunk = 256 << 20;  // held in memory
constexpr std::chrono::milliseconds kLongestDelay{10'000};

bool may_pass(const base::Error& error) {
    return error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::TimedOut;
}

std::uint64_t parse_number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// Nothing leaves that is not what its descriptor says: the end of the body comes only if it is.
class CheckedBody final : public base::Source {
  public:
    CheckedBody(std::unique_ptr<base::Source> source, const Descriptor& blob)
        : source_(std::move(source)), verified_(*source_, blob.size), blob_(blob) {}

    std::size_t read(char* buffer, std::size_t size) override {
        std::size_t got = verified_.read(buffer, size);
        if (verified_.size() == blob_.size && !checked_) {
            checked_ = true;
            if (base::Digest digest = verified_.digest(); digest != blob_.digest) {
                throw fail(ErrorCode::Corrupt, "the content has digest {}", digest.string());
            }
        } else if (got == 0 && size > 0 && !checked_) {
            throw fail(ErrorCode::Corrupt, "{} bytes instead of {}", verified_.size(), blob_.size);
        }
        return got;
    }

  private:
    std::unique_ptr<base::Source> source_;
    base::VerifyingSource verified_;
    const Descriptor& blob_;
    bool checked_ = false;
};

}  // namespace

HttpResponse BlobUpload::send(HttpRequest request) {
    return parts_.exchange.send(route_, std::move(request), push_scope(repository_), nullptr, cancel_);
}

void BlobUpload::refuse(const HttpResponse& response) {
    parts_.exchange.refuse(route_, response, "storing blob " + blob_.digest.string(), cancel_);
}

void BlobUpload::take_session(const HttpResponse& response) {
    auto location = response.header("location");
    if (!location) throw fail(ErrorCode::Invalid, "the registry does not say where to upload to");
    session_ = resolved_url(response.url, *location);
    if (route_.server.origin.starts_with("https:") && !session_.starts_with("https:")) {
        throw fail(ErrorCode::Denied, "the registry wants the upload without encryption, at {}",
                   redacted_url(session_));
    }
}

bool BlobUpload::mount(const Reference& from) {
    HttpRequest request{.method = "POST", .url = route_.url(repository_, "blobs", "uploads/")};
    request.url = url_with_parameter(request.url, "mount", blob_.digest.string());
    request.url = url_with_parameter(request.url, "from", from.path());
    AuthScopes scopes = push_scope(repository_);
    scopes.merge(pull_scope(from));
    HttpResponse response = parts_.exchange.send(route_, request, scopes, nullptr, cancel_);
    if (response.status == 201) return true;
    // Not mounted: whoever may not read there, or a registry that cannot, opens a session instead, or none.
    if (response.status == 202) take_session(response);
    return false;
}

void BlobUpload::open_session() {
    if (!session_.empty()) return;
    HttpResponse response =
        send({.method = "POST", .url = route_.url(repository_, "blobs", "uploads/"), .headers = {}});
    if (!response.success()) refuse(response);
    min_chunk_ = parse_number(response.header("oci-chunk-min-length").value_or(""));
    take_session(response);
}

BlobUpload::Outcome BlobUpload::outcome_of(const std::function<HttpResponse()>& send) {
    try {
        return {send(), {}};
    } catch (const base::Error& error) {
        if (!may_pass(error)) throw;
        return {{}, error};
    }
}

void BlobUpload::wait(int attempt, const Outcome& outcome) {
    const HttpOptions& options = route_.endpoint.http;
    auto asked = outcome.response ? retry_after(*outcome.response) : std::nullopt;
    if (attempt >= options.max_attempts || (asked && *asked > options.max_retry_after)) {
        if (outcome.response) refuse(*outcome.response);
        throw base::Error(*outcome.error);
    }
    auto delay = std::min<std::chrono::milliseconds>(options.retry_delay * (1 << std::min(attempt - 1, 8)),
                                                     kLongestDelay);
    if (asked) delay = *asked;
    base::log("registry").info("{}: upload broke off, trying again", repository_.name());
    if (cancel_.wait_for(delay)) cancel_.check();
}

void BlobUpload::upload() {
    if (parts_.options.chunk_size > 0) return upload_chunks(parts_.options.chunk_size);
    for (int attempt = 1;; ++attempt) {
        // What broke off may have arrived all the same.
        if (attempt > 1 && parts_.has_blob(route_, repository_, blob_, cancel_)) return;
        Outcome outcome = outcome_of([this] { return send_whole(); });
        if (outcome.response) {
            int status = outcome.response->status;
            if (outcome.response->success()) return;
            if (status == 413) return upload_chunks(kDefaultChunk);
            // A session that is gone is replaced, as one that broke.
            if (!oci::may_pass(status) && !(status == 404 && attempt > 1)) refuse(*outcome.response);
        }
        wait(attempt, outcome);
        session_.clear();
    }
}

HttpResponse BlobUpload::send_whole() {
    open_session();
    HttpRequest request{.method = "PUT",
                        .url = url_with_parameter(session_, "digest", blob_.digest.string()),
                        .headers = {{"Content-Type", "application/octet-stream"}},
                        .repeatable = false,
                        .single_attempt = true};
    request.body = [this] { return std::make_unique<CheckedBody>(source_.open(blob_, cancel_), blob_); };
    request.body_size = blob_.size;
    return send(std::move(request));
}

void BlobUpload::upload_chunks(std::uint64_t chunk_size) {
    for (int attempt = 1;; ++attempt) {
        if (attempt > 1 && parts_.has_blob(route_, repository_, blob_, cancel_)) return;
        Outcome outcome = outcome_of([&] { return send_chunks(chunk_size); });
        if (outcome.response) return;
        wait(attempt, outcome);
    }
}

HttpResponse BlobUpload::send_chunks(std::uint64_t chunk_size) {
    session_.clear();
    open_session();
    CheckedBody body(source_.open(blob_, cancel_), blob_);
    std::uint64_t size = std::min(std::max(chunk_size, min_chunk_), kLargestChunk);
    std::vector<char> buffer(std::min(size, blob_.size));
    for (std::uint64_t offset = 0; offset < blob_.size;) {
        std::size_t piece = std::min<std::uint64_t>(buffer.size(), blob_.size - offset);
        body.read_exactly(buffer.data(), piece, "the blob");
        send_chunk({buffer.data(), piece}, offset);
        offset += piece;
    }
    return finish_session();
}

void BlobUpload::send_chunk(std::string_view data, std::uint64_t offset) {
    const std::uint64_t end = offset + data.size();
    for (int attempt = 1;; ++attempt) {
        HttpRequest request{.method = "PATCH",
                            .url = session_,
                            .headers = {{"Content-Type", "application/octet-stream"},
                                        {"Content-Range", fmt::format("{}-{}", offset, end - 1)}},
                            .repeatable = false,
                            .single_attempt = true};
        request.body = [data] { return std::make_unique<base::MemorySource>(data); };
        request.body_size = data.size();
        Outcome outcome = outcome_of([&] { return send(request); });
        if (outcome.response) {
            if (outcome.response->success()) return take_session(*outcome.response);
            // 416: the registry has another part of it than we thought.
            int status = outcome.response->status;
            if (status != 416 && !oci::may_pass(status)) refuse(*outcome.response);
        }
        wait(attempt, outcome);
        std::uint64_t there = received();
        if (there == end) return;
        if (there < offset || there > end) {
            throw fail(ErrorCode::Unavailable, "the registry lost its place: it has {} bytes of {}", there,
                       offset);
        }
        data.remove_prefix(there - offset);
        offset = there;
    }
}

std::uint64_t BlobUpload::received() {
    HttpResponse response = send({.method = "GET", .url = session_, .headers = {}});
    if (!response.success()) {
        // Docker's registry keeps the place in the URL: with an answer, the session itself is lost.
        throw fail(ErrorCode::Unavailable, "the upload cannot go on (status {})", response.status);
    }
    if (response.header("location")) take_session(response);
    // "0-N", N included; "0-0" is what Docker's registry says for nothing as well.
    std::string range = response.header("range").value_or("0-0");
    std::uint64_t last =
        parse_number(std::string_view(range).substr(std::min(range.find('-') + 1, range.size())));
    return last == 0 ? 0 : last + 1;
}

HttpResponse BlobUpload::finish_session() {
    HttpRequest request{.method = "PUT",
                        .url = url_with_parameter(session_, "digest", blob_.digest.string()),
                        .headers = {{"Content-Type", "application/octet-stream"}}};
    request.body = [] { return std::make_unique<base::MemorySource>(""); };
    HttpResponse response = send(std::move(request));
    // Sent twice because the first answer was lost: then it is there.
    bool there = response.success() || parts_.has_blob(route_, repository_, blob_, cancel_);
    if (!there) refuse(response);
    return response;
}

PushedBlob RegistryClient::put_blob(const Reference& repository, BlobSource& source, const Descriptor& blob,
                                    const std::optional<Reference>& mount_from,
                                    const base::CancelToken& cancel) {
    return base::with_context(
        [&] { return fmt::format("{}: blob {}", repository.name(), blob.digest.string()); },
        [&] {
            RegistryRoute& route = parts_->push_route(repository.host(), cancel);
            if (parts_->has_blob(route, repository, blob, cancel)) return PushedBlob::Present;
            BlobUpload upload(*parts_, route, repository, source, blob, cancel);
            bool other = mount_from && mount_from->host() == repository.host() &&
                         mount_from->path() != repository.path();
            if (other && upload.mount(*mount_from)) return PushedBlob::Mounted;
            upload.upload();
            return PushedBlob::Uploaded;
        });
}

}  // namespace mullion::oci
