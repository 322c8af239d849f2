#include "oci/registry_client.hpp"

#include <charconv>
#include <exception>

#include "base/error.hpp"
#include "oci/http_url.hpp"
#include "oci/memory_sink.hpp"
#include "oci/registry_exchange.hpp"
#include "oci/registry_parts.hpp"

namespace mullion::oci {
namespace {

using base::CancelToken;
using base::ErrorCode;
using base::fail;

constexpr std::uint64_t kMaxPart = 64 << 20;

// Of what we read; without it, some registries convert what they have to a format of long ago.
std::string accepted_types() {
    return fmt::format("{}, {}, {}, {}", media_type::kIndex, media_type::kManifest, media_type::kDockerIndex,
                       media_type::kDockerManifest);
}

std::string name_of(const Reference& reference) {
    if (reference.digest()) return reference.digest()->string();
    return reference.tag().value_or("latest");
}

// Registries do not say which of the two it is.
std::string missing_or_refused(const Reference& reference, const HttpResponse& response) {
    if (response.status != 404) return "manifest " + name_of(reference);
    return fmt::format("no such repository, or no {} {} in it", reference.digest() ? "manifest" : "tag",
                       name_of(reference));
}

// "text/plain; charset=utf-8" -> "text/plain"
std::string media_type_of(const HttpResponse& response) {
    std::string type = response.header("content-type").value_or("");
    type.erase(std::min(type.find(';'), type.size()));
    while (type.ends_with(' ')) type.pop_back();
    return type;
}

std::optional<base::Digest> digest_header(const HttpResponse& response) {
    auto text = response.header("docker-content-digest");
    return text ? base::Digest::try_parse(*text) : std::nullopt;
}

[[noreturn]] void unexpected_type(const std::string& type) {
    throw fail(type.find("manifest.v1+") == std::string::npos || type.find("oci") != std::string::npos
                   ? ErrorCode::Invalid
                   : ErrorCode::Unsupported,
               "the registry sends a \"{}\", which is neither a manifest nor an index", type);
}

// The document's own word about its type counts; the header must not contradict it.
std::string checked_type(const std::string& header, std::string_view bytes) {
    bool is_index = media_type::is_index(header);
    if (!is_index && !media_type::is_manifest(header)) unexpected_type(header);
    std::string own = is_index ? Index::parse(bytes).media_type : Manifest::parse(bytes).media_type;
    bool silent = bytes.find("\"mediaType\"") == std::string_view::npos;
    if (own != header && !silent) {
        throw fail(ErrorCode::Corrupt, "the registry calls it \"{}\", it calls itself \"{}\"", header, own);
    }
    return header;
}

void check_digest(const base::Digest& expected, const base::Digest& found) {
    if (expected == found) return;
    throw fail(ErrorCode::Corrupt, "the content has digest {} instead of {}", found.string(),
               expected.string())
        .hint("the registry, or a mirror or proxy before it, is damaged or deceives: nothing was stored");
}

// Looks at what passes; of what was restarted, at what came last.
class CheckedSink : public HttpSink {
  public:
    CheckedSink(HttpSink& next, std::uint64_t size) : next_(next), expected_(size) {}

    void write(std::string_view data) override {
        if (data.size() > expected_ - size_) {
            throw fail(ErrorCode::Corrupt, "the content has more than the {} bytes that were asked for",
                       expected_);
        }
        size_ += data.size();
        next_.write(data);
    }
    void restart() override {
        size_ = 0;
        next_.restart();
    }
    bool dirty() const { return size_ > 0; }
    // At the end.
    virtual void check() {
        if (size_ == expected_) return;
        throw fail(ErrorCode::Corrupt, "the content has {} bytes instead of {}", size_, expected_);
    }

  private:
    HttpSink& next_;
    std::uint64_t expected_;
    std::uint64_t size_ = 0;
};

class VerifiedSink final : public CheckedSink {
  public:
    VerifiedSink(HttpSink& next, const Descriptor& expected)
        : CheckedSink(next, expected.size), digest_(expected.digest) {}

    void write(std::string_view data) override {
        hasher_.update(data);
        CheckedSink::write(data);
    }
    void restart() override {
        hasher_ = base::Hasher();
        CheckedSink::restart();
    }
    void check() override {
        CheckedSink::check();
        check_digest(digest_, hasher_.finish());
    }

  private:
    const base::Digest digest_;
    base::Hasher hasher_;
};

}  // namespace

AuthScopes pull_scope(const Reference& repository) {
    return {"repository:" + repository.path() + ":pull"};
}

AuthScopes push_scope(const Reference& repository) {
    return {"repository:" + repository.path() + ":pull,push"};
}

// Asks the endpoints in turn. What one does not have, or cannot give now, another may; the last one's word,
// the registry's own, is what the user hears.
template <typename Ask>
auto RegistryClient::Parts::ask_all(const std::string& host, bool RegistryEndpoint::*able,
                                    const CancelToken& cancel, Ask&& ask) {
    std::exception_ptr error;
    for (const auto& route : exchange.routes(host, cancel)) {
        if (!(route->endpoint.*able)) continue;
        try {
            return ask(*route);
        } catch (const base::Error& failure) {
            if (failure.code() == ErrorCode::Canceled || failure.code() == ErrorCode::Exhausted) throw;
            error = std::current_exception();
        }
    }
    if (error) std::rethrow_exception(error);
    throw fail(ErrorCode::Unsupported, "no server is configured that may do this for {}", host)
        .hint("look at \"capabilities\" in its hosts.toml");
}

RegistryRoute& RegistryClient::Parts::push_route(const std::string& host, const CancelToken& cancel) {
    for (const auto& route : exchange.routes(host, cancel)) {
        if (route->endpoint.push) return *route;
    }
    throw fail(ErrorCode::Unsupported, "no server is configured that takes what is pushed to {}", host)
        .hint("look at \"capabilities\" in its hosts.toml");
}

RegistryClient::RegistryClient(RegistryOptions options, Keychain& keychain)
    : parts_(std::make_unique<Parts>(std::move(options), keychain)) {}

RegistryClient::~RegistryClient() = default;

void RegistryClient::ping(const std::string& host, const CancelToken& cancel) {
    base::with_context([&] { return host; },
                       [&] {
                           RegistryRoute& route = *parts_->exchange.routes(host, cancel).back();
                           HttpRequest request{.url = route.endpoint.base + "/"};
                           HttpResponse response = parts_->exchange.send(route, request, {}, nullptr, cancel);
                           if (response.success()) return;
                           parts_->exchange.refuse(route, response, "registry API", cancel);
                       });
}

std::optional<Descriptor> RegistryClient::find_manifest(const Reference& reference,
                                                        const CancelToken& cancel) {
    auto ask = [&](RegistryRoute& route) -> std::optional<Descriptor> {
        HttpRequest request{.method = "HEAD",
                            .url = route.url(reference, "manifests", name_of(reference)),
                            .headers = {{"Accept", accepted_types()}}};
        HttpResponse response = parts_->exchange.send(route, request, pull_scope(reference), nullptr, cancel);
        // A mirror that lacks it is no proof that it does not exist.
        if (response.status == 404 && route.endpoint.mirror_of.empty()) return {};
        if (!response.success()) {
            parts_->exchange.refuse(route, response, missing_or_refused(reference, response), cancel);
        }
        auto digest = reference.digest() ? reference.digest() : digest_header(response);
        std::string type = media_type_of(response);
        std::uint64_t size = 0;
        std::string length = response.header("content-length").value_or("");
        auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), size);
        bool known = media_type::is_index(type) || media_type::is_manifest(type);
        if (digest && known && error == std::errc() && end == length.data() + length.size() && size > 0) {
            return Descriptor{type, *digest, size, {}, {}, {}};
        }
        // The headers do not say it all: the document does.
        return fetch_document(route, reference, cancel).descriptor;
    };
    return base::with_context(
        [&] { return reference.string(); },
        [&] { return parts_->ask_all(reference.host(), &RegistryEndpoint::resolve, cancel, ask); });
}

RegistryDocument RegistryClient::fetch_document(RegistryRoute& route, const Reference& reference,
                                                const CancelToken& cancel) {
    HttpRequest request{.url = route.url(reference, "manifests", name_of(reference)),
                        .headers = {{"Accept", accepted_types()}},
                        .max_body = Manifest::kMaxSize};
    MemorySink body;
    HttpResponse response = parts_->exchange.send(route, request, pull_scope(reference), &body, cancel);
    if (!response.success()) {
        parts_->exchange.refuse(route, response, missing_or_refused(reference, response), cancel);
    }
    std::string bytes = body.take();
    base::Digest digest = base::Digest::of(bytes);
    auto promised = reference.digest() ? reference.digest() : digest_header(response);
    if (promised) check_digest(*promised, digest);
    std::string type = checked_type(media_type_of(response), bytes);
    std::uint64_t size = bytes.size();
    return {{std::move(type), digest, size, {}, {}, {}}, std::move(bytes)};
}

RegistryDocument RegistryClient::get_manifest(const Reference& reference, const CancelToken& cancel) {
    auto able = reference.digest() ? &RegistryEndpoint::pull : &RegistryEndpoint::resolve;
    return base::with_context([&] { return reference.string(); },
                              [&] {
                                  return parts_->ask_all(reference.host(), able, cancel,
                                                         [&](RegistryRoute& route) {
                                                             return fetch_document(route, reference, cancel);
                                                         });
                              });
}

void RegistryClient::put_manifest(const Reference& reference, const RegistryDocument& document,
                                  const CancelToken& cancel) {
    base::with_context(
        [&] { return reference.string(); },
        [&] {
            RegistryRoute& route = parts_->push_route(reference.host(), cancel);
            std::string name = reference.tag() ? *reference.tag() : document.descriptor.digest.string();
            HttpRequest request{.method = "PUT",
                                .url = route.url(reference, "manifests", name),
                                .headers = {{"Content-Type", document.descriptor.media_type}}};
            request.body = [&] { return std::make_unique<base::MemorySource>(document.bytes); };
            request.body_size = document.bytes.size();
            HttpResponse response =
                parts_->exchange.send(route, request, push_scope(reference), nullptr, cancel);
            if (!response.success()) {
                parts_->exchange.refuse(route, response, "storing manifest " + name, cancel);
            }
            if (auto digest = digest_header(response)) check_digest(document.descriptor.digest, *digest);
        });
}

bool RegistryClient::has_blob(const Reference& repository, const Descriptor& blob,
                              const CancelToken& cancel) {
    return base::with_context([&] { return repository.name(); },
                              [&] {
                                  return parts_->has_blob(parts_->push_route(repository.host(), cancel),
                                                          repository, blob, cancel);
                              });
}

bool RegistryClient::Parts::has_blob(RegistryRoute& route, const Reference& repository,
                                     const Descriptor& blob, const CancelToken& cancel) {
    HttpRequest request{.method = "HEAD", .url = route.url(repository, "blobs", blob.digest.string())};
    HttpResponse response = exchange.send(route, request, push_scope(repository), nullptr, cancel);
    if (response.status == 404) return false;
    if (!response.success()) exchange.refuse(route, response, "blob " + blob.digest.string(), cancel);
    return true;
}

namespace {

struct BlobRequest {
    const Reference& repository;
    const Descriptor& blob;
    std::optional<HttpRange> range;

    HttpRequest at(std::string url) const {
        return {.url = std::move(url), .range = range, .immutable = true};
    }
};

// Of a foreign layer (hcs.md §4.6), whose home is not the registry.
void fetch_from_urls(RegistryClient::Parts& parts, const BlobRequest& wanted, HttpSink& sink,
                     const CancelToken& cancel) {
    std::exception_ptr error;
    for (const std::string& url : wanted.blob.urls) {
        try {
            if (!is_http_url(url)) throw fail(ErrorCode::Invalid, "\"{}\" is no http(s) URL", url);
            HttpResponse response = parts.exchange.elsewhere().send(wanted.at(url), &sink, cancel);
            require_success(response, redacted_url(url));
            return;
        } catch (const base::Error& failure) {
            if (failure.code() == ErrorCode::Canceled) throw;
            error = std::current_exception();
            sink.restart();
        }
    }
    std::rethrow_exception(error);
}

void fetch(RegistryClient::Parts& parts, const BlobRequest& wanted, CheckedSink& sink,
           const CancelToken& cancel) {
    const auto& [repository, blob, range] = wanted;
    auto ask = [&](RegistryRoute& route) {
        if (sink.dirty()) sink.restart();
        HttpRequest request = wanted.at(route.url(repository, "blobs", blob.digest.string()));
        HttpResponse response = parts.exchange.send(route, request, pull_scope(repository), &sink, cancel);
        if (!response.success()) {
            parts.exchange.refuse(route, response, "blob " + blob.digest.string(), cancel);
        }
        sink.check();
    };
    base::with_context([&] { return fmt::format("{}: blob {}", repository.name(), blob.digest.string()); },
                       [&] {
                           try {
                               parts.ask_all(repository.host(), &RegistryEndpoint::pull, cancel, ask);
                           } catch (const base::Error& error) {
                               if (error.code() != ErrorCode::NotFound || blob.urls.empty()) throw;
                               if (sink.dirty()) sink.restart();
                               fetch_from_urls(parts, wanted, sink, cancel);
                               sink.check();
                           }
                       });
}

}  // namespace

void RegistryClient::get_blob(const Reference& repository, const Descriptor& blob, HttpSink& sink,
                              const CancelToken& cancel) {
    VerifiedSink verified(sink, blob);
    fetch(*parts_, {repository, blob, {}}, verified, cancel);
}

std::string RegistryClient::get_blob_part(const Reference& repository, const Descriptor& blob,
                                          const HttpRange& part, const CancelToken& cancel) {
    if (part.size > kMaxPart) throw fail(ErrorCode::Invalid, "a part of {} bytes of a blob", part.size);
    MemorySink bytes;
    CheckedSink checked(bytes, part.size);
    fetch(*parts_, {repository, blob, part}, checked, cancel);
    return bytes.take();
}

}  // namespace mullion::oci
