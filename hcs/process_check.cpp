// What every backend demands of a process before it starts one.
#include "base/error.hpp"
#include "hcs/compute_system.hpp"
#include "tree/utf8.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;

// Windows' own text is UTF-16: what is no Unicode would have to be guessed.
void check_utf8(const char* member, std::string_view text) {
    while (!text.empty()) {
        tree::CodePoint point = tree::decode_utf8(text);
        if (!point.valid) throw base::fail(ErrorCode::Invalid, "$.{}: is not UTF-8", member);
        text.remove_prefix(point.length);
    }
}

void check_stream(const char* member, bool flag, bool given) {
    if (flag == given) return;
    throw base::fail(ErrorCode::Invalid, "$.{}: {}", member,
                     flag ? "no stream is given for it" : "a stream is given without it");
}

}  // namespace

void check_process(const ProcessParameters& parameters, const ProcessStreams& streams) {
    validate(parameters);
    check_utf8("CommandLine", parameters.CommandLine);
    check_utf8("WorkingDirectory", parameters.WorkingDirectory);
    for (const auto& [name, value] : parameters.Environment) check_utf8("Environment", name + value);
    check_stream("CreateStdInPipe", parameters.CreateStdInPipe, streams.standard_input != nullptr);
    check_stream("CreateStdOutPipe", parameters.CreateStdOutPipe, streams.standard_output != nullptr);
    check_stream("CreateStdErrPipe", parameters.CreateStdErrPipe, streams.standard_error != nullptr);
}

}  // namespace mullion::hcs
