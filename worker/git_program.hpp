// The `git` program, on a short leash: nobody's configuration but ours, no hooks, no templates, no prompts,
// only the transports we allow, no key of the user's, a time limit, bounded output. Arguments are passed as
// they are; no shell is involved.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/process.hpp"
#include "worker/secret_mask.hpp"

namespace mullion::worker {

struct GitOptions {
    // As git names them. "file" would let a Dockerfile read the host's repositories.
    std::vector<std::string> protocols = {"http", "https", "git", "ssh"};
    std::filesystem::path ca_file;    // PEM, instead of the system's certificates
    std::filesystem::path ssh_agent;  // socket of the agent that may be used; empty: none
    std::chrono::milliseconds time_limit = std::chrono::minutes(30);  // of one command
    // More configuration ("http.URL.extraHeader" and its value). In git's environment only: neither a file
    // nor a command line has it.
    std::vector<std::pair<std::string, std::string>> secret_configuration = {};
    // Kept out of what is said of git.
    std::vector<std::string> secrets = {};
};

class Git {
  public:
    // `home`: a directory of its own, where its configuration is put.
    Git(GitOptions options, std::filesystem::path home);

    // git ARGUMENTS, in `directory`; its standard output. Throws Process with what it said, and NotFound if
    // there is no git.
    std::string run(std::vector<std::string> arguments, const std::filesystem::path& directory,
                    const base::CancelToken& cancel) const;
    // The same; false if it fails, then `problem` is what it said.
    bool try_run(std::vector<std::string> arguments, const std::filesystem::path& directory,
                 const base::CancelToken& cancel, std::string& problem) const;

  private:
    base::ProcessOutput execute(std::vector<std::string> arguments, const std::filesystem::path& directory,
                                const base::CancelToken& cancel) const;

    GitOptions options_;
    SecretMask mask_;
    std::filesystem::path home_;
};

}  // namespace mullion::worker
