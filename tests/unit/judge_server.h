// tests/judge/misbehaving_server.py for one test: started, asked what it saw, killed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "io/atomic_file.h"
#include "io/jsonl.h"
#include "temp_folder.h"

extern char** environ;

namespace unirg::testing {

class JudgeServer {
 public:
  /// \param faults of the requests in their order; then `rest`
  explicit JudgeServer(const std::string& faults = "", const std::string& rest = "ok",
                       const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{
        "python3",  UNIRG_SOURCE_DIR "/tests/judge/misbehaving_server.py",
        "--log",    log().string(),
        "--faults", faults,
        "--rest",   rest};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe[0]);
    if (::posix_spawnp(&pid_, "python3", &actions, nullptr, arguments.data(), environ) != 0)
      pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    std::string line;
    for (char c = 0; ::read(pipe[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(pipe[0]);
    if (line.starts_with("port ")) port_ = std::stoi(line.substr(5));
  }
  ~JudgeServer() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  JudgeServer(const JudgeServer&) = delete;
  JudgeServer& operator=(const JudgeServer&) = delete;

  [[nodiscard]] bool running() const { return port_ > 0; }
  [[nodiscard]] std::string url(const char* scheme = "http") const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port_);
  }
  /// The log so far, a request an entry.
  [[nodiscard]] std::vector<io::Json> requests() const {
    std::vector<io::Json> all;
    if (!std::filesystem::exists(log())) return all;
    io::JsonlReader reader(log());
    while (auto line = reader.next()) {
      if (*line) all.push_back((*line)->object);
    }
    return all;
  }
  /// Different bodies among them.
  [[nodiscard]] size_t questions() const {
    std::set<std::string> bodies;
    for (const io::Json& r : requests()) bodies.insert(r["sha256"].get<std::string>());
    return bodies.size();
  }
  [[nodiscard]] std::string log_text() const { return io::read_file(log()); }

 private:
  [[nodiscard]] std::filesystem::path log() const { return folder_.path() / "log.jsonl"; }

  TempFolder folder_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace unirg::testing

#define UNIRG_SKIP_WITHOUT_SERVER(server) \
  if (!(server).running()) GTEST_SKIP() << "needs python3 for tests/judge/misbehaving_server.py"
