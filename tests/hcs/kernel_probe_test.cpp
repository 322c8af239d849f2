#include "hcs/kernel_probe.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

#include "base/file.hpp"
#include "hcs/box.hpp"
#include "tests/support/as_nobody.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

class KernelProbe : public testing::Test {
  protected:
    void SetUp() override {
        if (auto problem = box_problem()) GTEST_SKIP() << *problem;
    }
};

TEST_F(KernelProbe, FindsWhatABoxFinds) {
    EXPECT_TRUE(refused_namespaces().empty());
    EXPECT_EQ(call_filter_problem(), std::nullopt);
}

TEST_F(KernelProbe, AnOverlayIsTriedAndNothingOfItIsLeft) {
    base::TempDir directory(fs::temp_directory_path());
    EXPECT_EQ(overlay_problem(directory.path()), std::nullopt);
    EXPECT_TRUE(fs::is_empty(directory.path()));
}

// As a kernel that forbids it would.
bool forbid_unshare() {
    sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                             BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
                             BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                             BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    sock_fprog filter{4, program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(KernelProbe, WhatTheKernelRefusesIsTold) {
    base::TempDir directory(fs::temp_directory_path());
    fs::permissions(directory.path(), fs::perms::all);
    test::expect_as_nobody([&] {
        return forbid_unshare() && refused_namespaces() == std::vector<std::string>{"user"} &&
               overlay_problem(directory.path()) == "Operation not permitted";
    });
}

TEST_F(KernelProbe, OrdinaryUsersAreTriedInAUserNamespace) {
    base::TempDir directory(fs::temp_directory_path());
    fs::permissions(directory.path(), fs::perms::all);
    test::expect_as_nobody([&] {
        // Giving up root cleared it; a program started by an ordinary user has it.
        ::prctl(PR_SET_DUMPABLE, 1);
        return refused_namespaces().empty() && !overlay_problem(directory.path());
    });
}

}  // namespace
}  // namespace mullion::hcs
