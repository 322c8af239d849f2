// Compute systems and processes of the double. A process is a real one, started in the layer's directory on
// the host: C: of a container is the directory its volume stands for, of one in a utility VM the directory
// "C" beside the disk that the VM has for it. What a VM hosts goes with it without a word.
//
// Faults: "ProcessExited" and "SystemExited" keep that event from being delivered (the value does not
// matter).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_hcs/events.hpp"
#include "tests/support/fake_hcs/host.hpp"
#include "tests/support/fake_hcs/machine.hpp"

namespace mullion::fake {

// An object with handles, each of which may have a callback.
class Observed {
  public:
    void add(std::weak_ptr<EventTarget> target);
    void tell(HCS_EVENT_TYPE type, const std::string& data);

  private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<EventTarget>> targets_;
};

class FakeProcess : public Observed {
  public:
    FakeProcess(const fs::path& root, const Json& parameters);
    ~FakeProcess();

    DWORD id() const { return information_.ProcessId; }
    // Its id and our ends of its pipes, which are then the caller's; a second time without them.
    HCS_PROCESS_INFORMATION take_information();
    bool ended() const;
    std::string status() const;  // ProcessStatus
    // False if it has ended.
    bool terminate(DWORD exit_code);
    // A second CloseHandle of its input, or one after its end, is refused.
    bool close_input();

  private:
    void watch();

    HANDLE process_ = nullptr;
    HANDLE job_ = nullptr;
    HCS_PROCESS_INFORMATION information_ = {};
    bool input_open_ = false;
    mutable std::mutex mutex_;
    std::thread watcher_;
};

class FakeSystem : public Observed {
  public:
    enum class State { Created, Running, Stopped };

    // `host`: the VM that a HostedSystem names, else null.
    FakeSystem(std::string id, Json document, std::shared_ptr<FakeSystem> host);
    ~FakeSystem();

    const std::string& id() const { return id_; }
    bool stopped() const;
    // What throws Refusal leaves the system as it was.
    void start();
    void modify(const Json& request);
    void add_guest(std::weak_ptr<FakeSystem> guest);
    std::shared_ptr<FakeProcess> create_process(const Json& parameters);
    std::shared_ptr<FakeProcess> find_process(DWORD id) const;
    // With the statistics that the test chose (host.hpp).
    std::string properties() const;
    // Ends all processes, then reports the end of the system with this SystemExitStatus.
    void stop(const char* exit_type, HRESULT status);

  private:
    bool end();
    void check_network(const Json& container) const;
    fs::path guest_root(const std::string& path, const Json& layers) const;

    std::string id_;
    Json document_;
    std::weak_ptr<FakeSystem> host_;
    std::vector<std::weak_ptr<FakeSystem>> guests_;
    std::unique_ptr<FakeMachine> machine_;  // of a VM
    fs::path root_;
    mutable std::mutex mutex_;
    State state_ = State::Created;
    std::vector<std::shared_ptr<FakeProcess>> processes_;
};

// What HcsCreateComputeSystem and HcsCreateProcess take, for parse_strictly().
const Json& system_shape();
const Json& process_shape();
// Rules that no shape tells: required members, what excludes one another, the newest schema of the host.
void check_system(const Json& document);

}  // namespace mullion::fake
