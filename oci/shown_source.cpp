#include "oci/shown_source.hpp"

namespace mullion::oci {
namespace {

class Reader final : public base::Source {
  public:
    Reader(std::unique_ptr<base::Source> source, TransferStatus& status)
        : source_(std::move(source)), status_(status) {}
    std::size_t read(char* buffer, std::size_t size) override {
        std::size_t got = source_->read(buffer, size);
        status_.advance(got);
        return got;
    }

  private:
    std::unique_ptr<base::Source> source_;
    TransferStatus& status_;
};

}  // namespace

std::unique_ptr<base::Source> ShownSource::open(const Descriptor& descriptor,
                                                const base::CancelToken& cancel) {
    status_.move_to(0);
    return std::make_unique<Reader>(next_.open(descriptor, cancel), status_);
}

}  // namespace mullion::oci
