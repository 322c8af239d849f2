// A place that blobs come from, with what is read of it shown.
#pragma once

#include "oci/blob_source.hpp"
#include "oci/transfer_status.hpp"

namespace mullion::oci {

// For one blob: what was read of it moves its status on. Opened again, after a failure, it starts again.
// Keeps references.
class ShownSource final : public BlobSource {
  public:
    ShownSource(BlobSource& next, TransferStatus& status) : next_(next), status_(status) {}

    std::unique_ptr<base::Source> open(const Descriptor& descriptor,
                                       const base::CancelToken& cancel) override;

  private:
    BlobSource& next_;
    TransferStatus& status_;
};

}  // namespace mullion::oci
