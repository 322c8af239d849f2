// Fixture of tests that start containers.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/mullion.hpp"

namespace mullion::test {

class ContainerTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string reason;
        if (!can_run_containers(reason)) GTEST_SKIP() << reason;
    }

    // Builds `dockerfile` (context: the workspace's "context" folder) on the stand-in base.
    base::ProcessOutput build(std::string_view dockerfile, std::vector<std::string> more = {}) {
        workspace.write("context/Dockerfile", dockerfile);
        std::vector<std::string> args = {"build", "--progress", "plain", "--build-context",
                                         workspace.base_context()};
        args.insert(args.end(), more.begin(), more.end());
        args.push_back(workspace.path("context").string());
        return workspace.run(std::move(args));
    }

    Workspace workspace;
};

}  // namespace mullion::test
