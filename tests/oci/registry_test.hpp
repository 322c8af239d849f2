// What tests of the registry client have in common.
#pragma once

#include <gtest/gtest.h>

#include <chrono>

#include "oci/registry_client.hpp"
#include "support.hpp"
#include "tests/support/registry.hpp"

namespace mullion::oci::test {

class Collected final : public HttpSink {
  public:
    void write(std::string_view data) override { text += data; }
    void restart() override {
        text.clear();
        ++restarts;
    }
    std::string text;
    int restarts = 0;
};

// Patience of a few milliseconds.
inline RegistryOptions hasty() {
    RegistryOptions options;
    options.hosts.http.retry_delay = std::chrono::milliseconds(1);
    return options;
}

inline Reference reference(const std::string& host, const std::string& name) {
    return Reference::parse(host + "/" + name);
}

// Puts an image into a registry, whole.
inline void store(RegistryClient& client, MemoryBlobs& blobs, const TestImage& image, const Reference& as) {
    for (const Descriptor& layer : image.manifest.layers) client.put_blob(as, blobs, layer, {}, {});
    client.put_blob(as, blobs, image.manifest.config, {}, {});
    client.put_manifest(as, {image.root, blobs.bytes.at(image.root.digest)}, {});
}

}  // namespace mullion::oci::test
