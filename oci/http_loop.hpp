// The thread that moves the bytes of all transfers of a client, and the connections they share. Internal to
// the room.
//
// libcurl's multi interface belongs to one thread, and that is ours: others hand their transfers in. What it
// calls on the way must not wait, for then all transfers wait.
#pragma once

#include <curl/curl.h>

#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

namespace mullion::oci {

// Thread-safe. No job may be left when it is destroyed.
class HttpLoop {
  public:
    class Job {
      public:
        virtual ~Job() = default;
        virtual CURL* easy() const = 0;
        // By the loop's thread: the handle is its maker's again, and nothing of the job is called any more.
        // CURLE_ABORTED_BY_CALLBACK: it was given up.
        virtual void finished(CURLcode code) noexcept = 0;
    };

    // Throws Exhausted, Internal.
    HttpLoop();
    ~HttpLoop();
    HttpLoop(const HttpLoop&) = delete;
    HttpLoop& operator=(const HttpLoop&) = delete;

    // Until finished() is called, the job must live, and its handle is the loop's alone.
    void start(Job& job) { post(Command::Start, job); }
    // A transfer that its callbacks have paused goes on.
    void resume(Job& job) { post(Command::Resume, job); }
    // finished() follows soon; if it has been called already, nothing happens.
    void give_up(Job& job) { post(Command::GiveUp, job); }

  private:
    enum class Command { Start, Resume, GiveUp };
    struct Order {
        Command command;
        Job* job;
    };

    void post(Command command, Job& job);
    void run();
    // False: it is time to end.
    bool obey();
    void obey(const Order& order);
    void step();
    void finish(Job& job, CURLcode code);
    void fail_all();

    CURLM* multi_;
    std::unordered_set<Job*> running_;  // the thread's own
    std::mutex mutex_;
    std::vector<Order> orders_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace mullion::oci
