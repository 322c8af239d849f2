// Blobs on their way into a layout or an archive.
#pragma once

#include <filesystem>
#include <vector>

#include "oci/layout.hpp"
#include "oci/transfer_status.hpp"

namespace mullion::oci {

// Puts `blobs` into `writer`, each shown as a status. A writer that allows it gets four at a time. One that
// does not, an archive, gets them in their order; if `waiting_room` names a directory, up to three later ones
// are fetched at the same time and wait there for their turn: worth it where `source` is far away, not where
// it is another file. Throws what ImageWriter::put does.
void put_blobs(ImageWriter& writer, BlobSource& source, const std::vector<Descriptor>& blobs,
               const std::filesystem::path& waiting_room, const TransferReport& report,
               const base::CancelToken& cancel);

}  // namespace mullion::oci
