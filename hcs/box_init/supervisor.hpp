// Process 1 of a box: runs wineserver, starts processes for the engine, reaps, and ends the box in order.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "hcs/box_protocol.hpp"

namespace mullion::hcs::box {

class Supervisor {
  public:
    // Serves the engine until it says stop or is gone; the exit code of process 1.
    int run();

  private:
    void start_server();
    void handle(const Message& message, std::vector<int>& descriptors);
    void spawn(const Message& message, const std::vector<int>& descriptors);
    void reap();
    void report_exit(const std::string& id, int status);
    void stop();
    bool kill_clients();

    pid_t server_ = 0;  // 0: not running
    bool stopping_ = false;
    std::map<pid_t, std::string> processes_;  // started for the engine -> its name for them
};

}  // namespace mullion::hcs::box
