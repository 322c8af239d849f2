#include "base/copy.hpp"

namespace mullion::base {
namespace {

class CancelableSource final : public Source {
  public:
    CancelableSource(Source& from, const CancelToken& cancel) : from_(from), cancel_(cancel) {}
    std::size_t read(char* buffer, std::size_t size) override {
        cancel_.check();
        return from_.read(buffer, size);
    }

  private:
    Source& from_;
    const CancelToken& cancel_;
};

}  // namespace

std::uint64_t copy(Source& from, Sink& to, const CancelToken& cancel) {
    CancelableSource source(from, cancel);
    return copy(source, to);
}

}  // namespace mullion::base
