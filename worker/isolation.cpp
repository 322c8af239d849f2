#include "worker/isolation.hpp"

#include "hcs/hcs_error.hpp"

namespace mullion::worker {

using oci::Isolation;

oci::IsolationChoice container_isolation(Isolation wanted, const std::string& os_version,
                                         const std::optional<oci::WindowsHost>& host) {
    if (host) return oci::choose_isolation(wanted, oci::OsVersion::parse(os_version), *host);
    if (wanted == Isolation::HyperV) {
        throw base::fail(base::ErrorCode::Unsupported,
                         "isolation=hyperv: Hyper-V isolation needs a Windows host; here containers are "
                         "process isolated")
            .hint("leave it out, or say isolation=process");
    }
    return {Isolation::Process, "all that there is here"};
}

oci::IsolationChoice step_isolation(const solver::StepSettings& settings, const std::string& os_version,
                                    const WorkerOptions& options) {
    Isolation wanted =
        settings.isolation.empty() ? options.isolation : oci::parse_isolation(settings.isolation);
    return container_isolation(wanted, os_version, options.host);
}

std::string describe(const oci::IsolationChoice& choice) {
    return fmt::format("{} isolation: {}", oci::to_string(choice.isolation), choice.reason);
}

std::optional<base::Error> explained_mismatch(const base::Error& failure, const std::string& os_version,
                                              const std::optional<oci::WindowsHost>& host) {
    std::optional<hcs::Hresult> result = hcs::hresult_of(failure);
    if (!host || !result || !result->is(hcs::HcsError::ImageMismatch)) return std::nullopt;
    std::optional<oci::OsVersion> image = oci::OsVersion::parse(os_version);
    base::Error error =
        base::fail(failure.code(), "{}: {}", oci::both_versions(image, *host), failure.what());
    error.system(failure.system());
    if (std::string hint = oci::after_mismatch(image, *host); !hint.empty()) error.hint(std::move(hint));
    return error;
}

}  // namespace mullion::worker
