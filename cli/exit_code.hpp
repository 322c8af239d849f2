// The exit codes of mullion: few, documented in docs/cli.md, tested.
#pragma once

namespace mullion::cli {

enum ExitCode : int {
    kSuccess = 0,
    kFailure = 1,        // a diagnosed failure: the build failed, the image has findings, ...
    kUsage = 2,          // unknown option, missing argument, malformed value
    kRunFailed = 125,    // `run` could not start the container; otherwise it exits as the process did
    kInterrupted = 130,  // Ctrl-C or SIGTERM
};

}  // namespace mullion::cli
