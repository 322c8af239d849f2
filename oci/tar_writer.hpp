// Writes the tar that an image travels in: ustar headers with fixed owner (0), mode and time (0), so that
// equal contents give equal bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/stream.hpp"

namespace mullion::oci {

// Entries appear in the order of the calls. A file is begun with its size, then write() must get exactly so
// many bytes before the next call; anything else is Internal. `to` is not owned.
class TarWriter {
  public:
    explicit TarWriter(base::Sink& to) : to_(to) {}

    void directory(const std::string& name);  // "blobs/"
    void begin_file(const std::string& name, std::uint64_t size);
    void write(std::string_view data);
    void file(const std::string& name, std::string_view data);
    // Writes the end marker; finishing the sink is the owner's.
    void finish();

  private:
    void header(const std::string& name, char type, std::uint64_t size);
    void end_entry();

    base::Sink& to_;
    std::uint64_t missing_ = 0;  // bytes of the current file that have not come yet
    std::uint64_t padding_ = 0;
};

}  // namespace mullion::oci
