#include "oci/transfer_status.hpp"

namespace mullion::oci {
namespace {

constexpr std::chrono::milliseconds kInterval{100};

}  // namespace

TransferStatus::TransferStatus(const TransferReport& report, std::string id, std::uint64_t total)
    : progress_(report.progress),
      event_{
          report.vertex, std::move(id), 0, static_cast<std::int64_t>(total), base::FileTime::now(), {}, {}} {
    event_.started = event_.timestamp;
    emit();
}

void TransferStatus::move_to(std::uint64_t bytes) {
    event_.current = static_cast<std::int64_t>(bytes);
    if (Clock::now() - shown_ >= kInterval) emit();
}

void TransferStatus::done_as(std::string name) {
    if (event_.completed) return;
    event_.name = std::move(name);
    event_.completed = base::FileTime::now();
    emit();
}

void TransferStatus::emit() {
    event_.timestamp = base::FileTime::now();
    progress_.emit(event_);
    shown_ = Clock::now();
}

}  // namespace mullion::oci
