// What `dockerfile check|outline|targets` and `build --call` print, as text and as JSON (dockerfile.md §16,
// §21).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/source_range.hpp"
#include "frontend/check.hpp"
#include "frontend/outline.hpp"

namespace mullion::cli {

// A Dockerfile and how messages name it.
struct DockerfileText {
    std::string name;
    std::string text;
};

// "Check complete, ...", then each warning with the lines it is about. Of an error only what came before it.
std::string check_text(const DockerfileText& file, const frontend::CheckResult& result);
// {"warnings":[{"rule","line","message"}],"error":null|{"message","line"}}, one line.
std::string check_json(const frontend::CheckResult& result);
// The reference's lint result, as `docker buildx build --call=check,format=json` prints it.
std::string lint_result_json(const DockerfileText& file, const frontend::CheckResult& result);

std::string outline_text(const frontend::Outline& outline);
std::string outline_json(const DockerfileText& file, const frontend::Outline& outline);

std::string targets_text(const std::vector<frontend::Target>& targets);
std::string targets_json(const DockerfileText& file, const std::vector<frontend::Target>& targets);

}  // namespace mullion::cli
