#include "base/file.hpp"
#include "cli/container_backend.hpp"
#include "cli/doctor_posix.hpp"
#include "cli/emulation_options.hpp"
#include "cli/self_test.hpp"
#include "hcs/wine_runtime.hpp"

namespace mullion::cli {
namespace {

Finding wine(const base::CancelToken& cancel) {
    if (std::optional<std::string> problem = hcs::wine_problem()) {
        return {Health::Problem, *problem,
                "apt-get install wine64 libwine fonts-dejavu-core fontconfig-config libgnutls30"};
    }
    return {Health::Ok, hcs::wine_version(cancel), ""};
}

// Why nothing can be said of what lies on top; nullopt if something can.
std::optional<Finding> no_container(Context& context) {
    if (!usable_state(context)) return no_usable_state();
    if (!hcs::emulation_problem()) return std::nullopt;
    return Finding{Health::Skipped, "it needs namespaces and Wine, see above", ""};
}

bool is_prepared(Context& context) {
    return hcs::emulation_prepared(emulation_options(context.state_directory()));
}

Finding wine_layer(Context& context) {
    if (auto finding = no_container(context)) return *finding;
    if (is_prepared(context)) return {Health::Ok, "is prepared", ""};
    return {Health::Warning, "is not prepared yet: the first RUN takes about ten seconds longer",
            "mullion doctor --fix", [&context] { ContainerBackend(context).prepare(context.cancel); }};
}

Finding self_test(Context& context) {
    if (auto finding = no_container(context)) return *finding;
    if (!is_prepared(context)) {
        return {Health::Skipped, "it needs the Wine layer, see above", "mullion doctor --fix"};
    }
    ContainerBackend backend(context);
    base::TempDir directory(context.state().temporary_directory(), "self-test");
    run_self_test(backend.services(), directory.path(), context.cancel);
    return {Health::Ok, "a command in a container printed and returned what it should", ""};
}

}  // namespace

std::vector<Check> wine_checks(Context& context) {
    return {{"wine", [&context] { return wine(context.cancel); }},
            {"wine-layer", [&context] { return wine_layer(context); }},
            {"self-test", [&context] { return self_test(context); }}};
}

}  // namespace mullion::cli
