// The layer tar codec: a Delta in OCI Windows layer form ("Files/", "Hives/", "UtilityVM/Files/", PAX records
// MSWINDOWS.*; hcs.md §4) or in plain OCI form for Linux images.
//
// Reading a layer we wrote and writing it again gives the same bytes. So does reading one made by Windows
// (hcsshim's tar form) or by BuildKit, within what a Delta holds. Not preserved, because it means nothing:
// padding behind the end marker, user and group names, device numbers, GNU and ustar-prefix forms of long
// names (whiteouts excepted), the order and spelling of PAX records, unknown records, and the sections in
// another order than Hives-Files-UtilityVM or Files-Hives-UtilityVM. Not preserved, because the model has no
// place for it: time digits below 100 ns (BuildKit's own top entries have them), metadata of whiteouts
// (BuildKit's have some), a hard link whose own times or attributes are not its file's, MSWINDOWS.sd (read,
// then written as MSWINDOWS.rawsd).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "tree/delta.hpp"

namespace mullion::tree {

// Writes `delta` (canonical, see canonicalise: nothing is reordered here) as a tar. Contents come from
// `provider`. Returns the offset in the tar of every content written, in order, for relocate(). A Windows
// layer starts with "Hives" and "Files"; where the Delta has no metadata for them they get time 0.
// Throws Invalid for what the format cannot carry (a name no importer accepts, ".wh." names, link targets no
// reparse point can hold), Corrupt if a content has not its size. Does not finish() the sink.
std::vector<std::uint64_t> write_layer(const Delta& delta, ContentProvider& provider, base::Sink& sink,
                                       const base::CancelToken& cancel);

// `delta` as it lies in the layer tar that write_layer made of it: contents become LayerRanges. Known digests
// are kept; hard links keep sharing their nodes.
Delta relocate(const Delta& delta, const std::vector<std::uint64_t>& offsets, const base::DiffId& diff_id);

// Reading buffers nothing but metadata. Rules that protect *us* are enforced here (bounded headers and names,
// no "..", no absolute names); rules that protect an importer are findings of verify_layer.
struct LayerReadOptions {
    Os os = Os::Windows;
    // Called for the bytes of each file ("path") and stream ("path:stream") below C: (or /) as they stream
    // by: offset in the tar, size, and a source limited to them, of which it may leave any part unread.
    // Optional.
    std::function<void(const std::string& path, std::uint64_t offset, std::uint64_t size, base::Source&)>
        on_content;
    // Digest every content on the way, so that the Delta's contents know theirs.
    bool digest_contents = false;
    DeltaLimits limits;
};

// Keeps the Delta as found: same order, missing parents stay missing (apply() and verify_layer judge that).
// Throws Corrupt for a damaged or truncated tar, Invalid for names that could leave the tree or that a Delta
// cannot hold (outside the three sections, a stream not directly behind its file) and beyond the limits,
// Unsupported for devices,
// sparse files and opaque whiteouts of Linux layers.
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

// Checks a layer tar against everything an importer enforces (hcs.md §4.4): names, parents before children,
// nothing twice, where whiteouts, streams and hard links may stand; and against what Windows would misread:
// attributes, descriptors, times and link targets that are malformed or do not fit their entry, records we do
// not know. Not the order of names, the digits of times and the like: layers that others made are importable
// without being in our canonical form. Findings are complete sentences, one per problem, in the order of the
// tar; empty means importable; beyond 1000 the rest is left out, and the last one says so. `lower`: the file
// system below, where it is known; without it hard links to files outside this tar are taken on trust, unless
// this is the base layer. Throws only if the tar cannot be read at all (see TarReader), and Invalid beyond
// `limits`.
struct LayerFinding {
    std::string entry;
    std::string text;
};
std::vector<LayerFinding> verify_layer(base::Source& tar, bool is_base_layer, const Tree* lower,
                                       const base::CancelToken& cancel, const DeltaLimits& limits = {});

// A Delta as compact bytes without contents (names, metadata, sizes, offsets, known digests): the layer's
// index, stored beside the blob. All contents must be LayerRanges (Internal otherwise). parse_index throws
// Corrupt for anything serialise_index does not write; it does not re-check names, since the bytes are ours
// and stored under a digest.
std::string serialise_index(const Delta& delta);
// What its bytes start with: the format's name and version.
inline constexpr std::string_view kLayerIndexFormat = "mullion layer index 1\n";
Delta parse_index(std::string_view bytes, const base::DiffId& diff_id);

}  // namespace mullion::tree
