// A utility VM of the double (hcs.md §2.2): what its document and the requests that modify it say is there.
// The order is enforced: a disk is attached only after the VM was given access to it, layers are combined on
// a disk that is there out of shares that are there, an adapter is announced to a guest that has a network
// namespace; nothing is taken away that is in use.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/support/fake_hcs/host.hpp"

namespace mullion::fake {

class FakeMachine {
  public:
    FakeMachine(std::string id, const Json& document);

    void start() const;
    // `in_use`: a container runs in it.
    void modify(const Json& request, bool in_use);
    // The directory of the host that the guest has at `path`, where just these layers must be combined.
    fs::path root(const std::string& path, const Json& layers) const;
    bool has_network(const std::string& name) const { return networks_.count(name) != 0; }

  private:
    struct Disk {
        fs::path file;
        std::string guest_path;  // "" for the VM's own
    };

    void change_shares(const Json& request);
    void change_disks(const Json& request);
    void change_adapters(const Json& request);
    void combine(const Json& request, bool in_use);
    void require_access(const fs::path& disk) const;
    const Disk* disk_at(const std::string& guest_path) const;

    std::string id_;
    std::map<std::string, fs::path> shares_;  // by what the guest calls them
    std::map<std::string, Disk> disks_;       // by "CONTROLLER/LUN"
    std::set<std::string> controllers_;
    std::map<std::string, Json> combined_;  // layers, by their root
    std::set<std::string> networks_;
    std::set<std::string> announced_;
    std::set<std::string> adapters_;
};

const Json& machine_shape();
void check_machine(const Json& machine);
// A ModifySettingRequest, strictly.
Json parse_modification(const wchar_t* text);

// False if there is no such file.
bool grant_access(const std::string& vm, const fs::path& file);

}  // namespace mullion::fake
