// What a box is made of, as the engine's messages said.
#pragma once

#include <string>
#include <vector>

namespace mullion::hcs::box {

struct Mapping {
    enum class Kind { Bind, Copy, Memory };

    Kind kind = Kind::Bind;
    std::string host;    // of Bind
    std::string target;  // relative to C:, or absolute in the box
    bool read_only = false;
    std::string size;  // of Memory, in bytes
    // Bind: O_PATH of `host`, opened while the host's files are still in sight. Copy: what to read.
    int fd = -1;
};

struct Plan {
    std::string root;
    std::vector<std::string> lowers;
    std::string upper;
    std::string work;
    std::string prefix;
    std::vector<Mapping> mappings;
    std::string hostname;
    std::string memory;  // bytes
    bool user_namespace = false;
    bool own_network = true;
};

// A set-up step that failed; `text` goes to the user.
struct Failure {
    std::string text;
};

[[noreturn]] void fail(const std::string& what);  // adds strerror(errno)
[[noreturn]] void fail_plainly(const std::string& what);

// The three steps of making a box, called by its first process in this order.
void set_up_mounts(Plan& plan);
void set_up_network(const Plan& plan);
void give_up_privileges();

}  // namespace mullion::hcs::box
