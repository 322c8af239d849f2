#include "base/process.hpp"

#include <algorithm>

namespace mullion::base {

ProcessOutput run_and_capture(ProcessOptions options, const CancelToken& cancel, std::size_t limit) {
    ProcessOutput output;
    auto collect = [limit](std::string& into) {
        return [&into, limit](std::string_view data) {
            into += data.substr(0, limit - std::min(limit, into.size()));
        };
    };
    options.on_stdout = collect(output.out);
    options.on_stderr = collect(output.err);
    output.exit_code = run_process(options, cancel);
    return output;
}

}  // namespace mullion::base
