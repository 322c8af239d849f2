#include "cli/secret_option.hpp"

#include "base/ascii.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/key_values.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

struct SecretSource {
    std::string id;
    std::string file;
    std::string variable;
};

SecretSource parse(const std::string& option) {
    SecretSource secret;
    std::string type;
    for (auto& [name, value] : parse_key_value_csv(option, "--secret")) {
        std::string key = base::lower_ascii(name);
        if (key == "type") {
            if (value != "file" && value != "env") {
                throw fail(ErrorCode::Invalid, "--secret: unsupported secret type \"{}\"", value);
            }
            type = value;
        } else if (key == "id") {
            secret.id = value;
        } else if (key == "source" || key == "src") {
            secret.file = value;
        } else if (key == "env") {
            secret.variable = value;
        } else {
            throw fail(ErrorCode::Invalid, "--secret: unexpected key '{}' in '{}={}'", key, name, value)
                .hint("keys are id, src, env and type");
        }
    }
    if (secret.id.empty()) throw fail(ErrorCode::Invalid, "--secret: secret missing ID");
    if (type == "env" && secret.variable.empty()) secret.variable = std::exchange(secret.file, {});
    if (!secret.variable.empty() && !secret.file.empty()) {
        throw fail(ErrorCode::Invalid, "--secret id={}: src and env exclude one another", secret.id);
    }
    if (secret.variable.empty() && secret.file.empty()) {
        bool is_variable = type != "file" && base::environment(secret.id).has_value();
        (is_variable || type == "env" ? secret.variable : secret.file) = secret.id;
    }
    return secret;
}

}  // namespace

std::pair<std::string, std::string> read_secret(const std::string& option) {
    SecretSource secret = parse(option);
    if (!secret.variable.empty()) {
        std::optional<std::string> value = base::environment(secret.variable);
        if (!value) {
            throw fail(ErrorCode::NotFound, "--secret id={}: there is no environment variable {}", secret.id,
                       secret.variable);
        }
        return {secret.id, *value};
    }
    return base::with_context(
        [&] { return fmt::format("--secret id={}", secret.id); },
        [&] { return std::pair(secret.id, base::read_file(base::to_path(secret.file), kMaxSecret)); });
}

}  // namespace mullion::cli
