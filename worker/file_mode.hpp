// `--chmod` (dockerfile.md §10): what it makes of permission bits, and of a Windows access list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tree/security_descriptor.hpp"

namespace mullion::worker {

// A mode as chmod(1) takes it: octal, or symbolic clauses that change the bits there are. A value.
class FileMode {
  public:
    // Throws Invalid for what is no mode.
    static FileMode parse(std::string_view text);

    // `bits`: permission bits the file has, no file type.
    std::uint32_t apply(std::uint32_t bits, bool is_directory) const;

  private:
    // One operator of a clause: which of user, group and others it is for, and what it does to them.
    struct Change {
        std::uint32_t who = 0;  // 0700, 0070, 0007 and the special bits of these
        char operation = '=';
        std::uint32_t bits = 0;       // of rwx in every class, and of s and t
        bool execute_if_any = false;  // X
        char copy_from = 0;           // u, g or o
    };

    bool octal_ = false;
    std::uint32_t octal_bits_ = 0;
    std::vector<Change> changes_;

    void parse_clause(std::string_view clause);
};

// Files of Windows images have no permission bits to change: symbolic modes start from these.
constexpr std::uint32_t kPlainFileMode = 0644;
constexpr std::uint32_t kPlainDirectoryMode = 0755;

// Replaces the access list by what `bits` mean (docs/decisions/0008-chmod-on-windows.md): SYSTEM and
// Administrators keep full control; the owner, the group if it is not SYSTEM, and Everyone get what their
// three bits say, where reading includes executing. A directory passes it on to what is made in it. Throws
// Unsupported for setuid, setgid and sticky bits, which Windows does not have.
void set_access(tree::SecurityDescriptor& descriptor, std::uint32_t bits, bool is_directory);

}  // namespace mullion::worker
