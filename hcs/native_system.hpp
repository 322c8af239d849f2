// A compute system of computecore.dll.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "hcs/compute_system.hpp"
#include "hcs/native.hpp"
#include "hcs/native_events.hpp"
#include "hcs/native_network.hpp"

namespace mullion::hcs {

class NativeVm;

class NativeSystem final : public ComputeSystem {
  public:
    // Created when constructed. `network` is what the document's namespace names, null for none; `vm` is what
    // hosts it, null for the host itself.
    NativeSystem(std::shared_ptr<const ComputeCore> core, const NativeOptions& options, std::string id,
                 const std::string& document, std::unique_ptr<ContainerNetwork> network,
                 const base::CancelToken& cancel, std::unique_ptr<NativeVm> vm);
    ~NativeSystem() override;

    const std::string& id() const override { return id_; }
    SystemState state() const override;
    void start(const base::CancelToken& cancel) override;
    std::unique_ptr<Process> create_process(const ProcessParameters& parameters,
                                            const ProcessStreams& streams,
                                            const base::CancelToken& cancel) override;
    Statistics statistics() override;
    SystemExitStatus shut_down(const base::CancelToken& cancel) override;
    void terminate() override;
    // Changes it while it runs (HcsModifyComputeSystem).
    void modify(const std::string& request, const base::CancelToken& cancel);
    // `system` ends when this one does.
    void carry(std::weak_ptr<Watch> system) { watch_->carry(std::move(system)); }

  private:
    std::string named(const char* verb) const;
    void create(const std::string& document, const base::CancelToken& cancel);
    void enter(SystemState from, SystemState to);
    bool ask_to_shut_down();
    SystemExitStatus exit_status(bool forced) const;
    void request_termination();
    void end_now();

    std::shared_ptr<const ComputeCore> core_;
    NativeOptions options_;
    std::string id_;
    std::unique_ptr<ContainerNetwork> network_;  // goes after the system
    std::unique_ptr<NativeVm> vm_;               // the same
    mutable std::mutex mutex_;
    SystemState state_ = SystemState::Created;
    std::shared_ptr<Watch> watch_ = std::make_shared<Watch>();
    Subscription subscription_{watch_};
    UniqueSystem system_;
};

}  // namespace mullion::hcs
