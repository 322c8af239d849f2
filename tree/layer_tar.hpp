// The layer tar codec: a Delta in OCI Windows layer form ("Files/", "Hives/", "UtilityVM/Files/", PAX records
// MSWINDOWS.*; hcs.md §4) or in plain OCI form for Linux images. Reading a layer we wrote and writing it
// again gives the same bytes; so does reading a layer made by Windows, unless it breaks the importer's rules.
#pragma once

#include <functional>
#include <vector>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "tree/delta.hpp"

namespace mullion::tree {

// Writes `delta` (canonical, see canonicalise) as a tar. Contents come from `provider`. Throws Invalid for
// what the format cannot carry (unknown reparse tags, a name no importer accepts).
void write_layer(const Delta& delta, ContentProvider& provider, base::Sink& sink,
                 const base::CancelToken& cancel);

// Reading buffers nothing but metadata. Rules that protect *us* are enforced here (bounded headers and names,
// no "..", no absolute names); rules that protect an importer are findings of verify_layer.
struct LayerReadOptions {
    Os os = Os::Windows;
    // Called for each file's bytes as they stream by (offset in the tar, size, bytes through the source);
    // optional.
    std::function<void(const std::string& path, std::uint64_t offset, std::uint64_t size, base::Source&)>
        on_content;
    std::uint64_t max_entries = 4'000'000;
};

// Contents of the Delta are LayerRanges; the diff ID, known only at the end, is filled in before read()
// returns.
class LayerReader {
  public:
    explicit LayerReader(LayerReadOptions options);
    ~LayerReader();
    // Reads the whole tar, digesting it on the way.
    Delta read(base::Source& tar, const base::CancelToken& cancel);
    // Valid after read().
    base::DiffId diff_id() const;
    std::uint64_t size() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Checks a layer tar against everything an importer enforces (hcs.md §4.4) and against canonical form.
// Findings are complete sentences naming the entry; empty means importable. Throws only if the tar cannot be
// read at all.
struct LayerFinding {
    std::string entry;
    std::string text;
};
std::vector<LayerFinding> verify_layer(base::Source& tar, bool is_base_layer, const Tree* lower,
                                       const base::CancelToken& cancel);

// A Delta as compact bytes without contents (names, metadata, offsets): the layer's index, stored beside the
// blob.
std::string serialise_index(const Delta& delta);
Delta parse_index(std::string_view bytes, const base::DiffId& diff_id);

}  // namespace mullion::tree
