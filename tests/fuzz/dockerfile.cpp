// A Dockerfile, through everything the front end does with it: instructions, stages, expansion, lint,
// lowering. A target of its own, parser, does the text alone and many times faster.
#include "base/error.hpp"
#include "frontend/convert.hpp"
#include "tests/fuzz/target.hpp"

namespace mullion::test {
namespace {

// Every image exists: empty, but for triggers, which are Dockerfile text too.
class AnyImage final : public frontend::ImageResolver {
  public:
    frontend::ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                          const base::CancelToken&) override {
        return image(reference.string(), platform);
    }
    frontend::ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                           const base::CancelToken&) override {
        return image(std::string(layout), platform);
    }

  private:
    static frontend::ResolvedImage image(std::string name, const oci::Platform& platform) {
        oci::ImageConfig config;
        config.platform = platform;
        config.diff_ids = {base::DiffId{base::Digest::of("layer")}};
        config.config.env = {"Path=C:\\Windows"};
        config.config.on_build = {"RUN trigger", "COPY --from=0 a b"};
        base::Digest digest = base::Digest::of(name);
        return {std::move(name), digest, std::move(config), ""};
    }
};

void convert(std::string_view text, const char* platform) {
    AnyImage images;
    frontend::Options options;
    options.build_platform = oci::Platform::parse(platform);
    options.every_stage = true;
    options.build_args = {{"ARG", "value"}};
    try {
        frontend::convert(text, options, images, {});
    } catch (const base::Error&) {
    }
}

}  // namespace

// Nearly all the time goes into parsing, so that two conversions of every input would be half as many inputs.
void fuzz(std::string_view input) {
    convert(input, input.size() % 2 == 0 ? "windows/amd64" : "linux/amd64");
}

}  // namespace mullion::test
