#include "base/error.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

// An image of the local store or of an OCI layout. Its key is what it consists of, not its name: renamed or
// recompressed, it is the same (dockerfile.md §18). Nothing but manifest and config is read here.
class ImageOp final : public solver::Op {
  public:
    ImageOp(OpSetting setting, const solver::ImageSource& source)
        : setting_(std::move(setting)), source_(source) {}

    solver::Category category() const override { return solver::Category::Cpu; }
    bool cheap() const override { return true; }

    solver::CacheMap cache_map(const solver::ExecContext& context) override {
        base::Hasher hasher;
        hasher.field("image 1").field(image(context.cancel).config.platform.string());
        for (const base::DiffId& layer : image_->config.diff_ids) hasher.field(layer.digest.string());
        return {hasher.finish(), false, {}};
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>&,
                                        const solver::ExecContext& context) override {
        const oci::Image& found = image(context.cancel);
        return {setting_.parts.blobs.stack(found.config.platform, layers_of(found))};
    }

    std::string save(const solver::ResultRef&, std::size_t) override { return {}; }
    solver::ResultRef load(const std::string&, std::size_t) override { return nullptr; }

  private:
    const oci::Image& image(const base::CancelToken& cancel) {
        if (image_) return *image_;
        return base::with_context([&] { return "image " + source_.reference; },
                                  [&]() -> const oci::Image& {
                                      base::Digest manifest = base::Digest::parse(source_.manifest_digest);
                                      oci::Image found =
                                          setting_.parts.blobs.read_image(source_.store, manifest, cancel);
                                      check_platform(found.config.platform);
                                      setting_.parts.blobs.add_image(layers_of(found));
                                      return image_.emplace(std::move(found));
                                  });
    }

    void check_platform(const oci::Platform& found) const {
        oci::Platform wanted = oci::Platform::parse(source_.platform);
        if (oci::satisfies(found, wanted)) return;
        throw base::fail(base::ErrorCode::Invalid, "it is for {}, not for {}", found.string(),
                         wanted.string());
    }

    OpSetting setting_;
    solver::ImageSource source_;
    std::optional<oci::Image> image_;
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::ImageSource& operation) {
    return std::make_unique<ImageOp>(std::move(setting), operation);
}

}  // namespace mullion::worker
