// What a judge is asked: a YAML file (share/judges) with messages, settings of generation and the
// way the answer is read; and what a judge answers through. yaml-cpp stays in the source. Depends
// on io (JSON). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/jsonl.h"

namespace unirg::scoring {

struct JudgeMessage {
  std::string role;  ///< system, user, assistant
  std::string content;
};

/// Settings a request carries; what is not set is not sent.
struct JudgeGeneration {
  std::optional<double> temperature;  ///< 0..2
  std::optional<double> top_p;        ///< above 0, at most 1
  std::optional<int64_t> max_tokens;  ///< of the answer
  std::optional<int64_t> seed;
};

enum class ReplyForm : uint8_t { green, chexprompt };

struct JudgePrompt {
  std::string name;
  std::string version;  ///< the author's name for this wording
  std::string digest;   ///< SHA-256 of the file
  ReplyForm reply = ReplyForm::green;
  int64_t words = 0;  ///< texts are cut to their first words; 0: whole
  JudgeGeneration generation;
  std::string chat_template;  ///< backend local: radllama, chatml, llama-3
  int64_t total_tokens = 0;   ///< backend local: prompt and answer; 0: the checkpoint's limit
  std::vector<JudgeMessage> messages;

  /// version@first digits of the digest, for signatures and records; judge_digest() takes the
  /// version alone, as the request holds the words.
  [[nodiscard]] std::string id() const;
};

/// \param name stands in messages as the file's name
/// \throws Error(Exit::config) naming file, line and key: unknown, missing or ill-typed keys, no
/// {reference} or {candidate}, another placeholder
JudgePrompt parse_judge_prompt(const std::string& yaml, const std::string& name);
/// \throws also Error(Exit::no_input) without the file
JudgePrompt load_judge_prompt(const std::filesystem::path& file);

/// The messages with both texts in place, cut to the prompt's words. A text that itself says
/// "{candidate}" stays as it is.
std::vector<JudgeMessage> fill_judge_prompt(const JudgePrompt& prompt, const std::string& reference,
                                            const std::string& candidate);

/// What a judge said to one request.
struct JudgeAnswer {
  std::string text;
  std::string finish;        ///< why it ended: stop, length, or as the server says
  std::string served;        ///< the model the server names
  io::Json usage = nullptr;  ///< tokens, as the server counts them: see plain_usage()
  std::string problem = {};  ///< why there is no answer to read (a text the judge cannot be given)
  bool refused = false;      ///< the problem is the request's: asking again is idle
  bool lasting = true;       ///< whether a cache may keep it
};

/// Of what a server says of usage, the whole numbers "prompt_tokens", "completion_tokens" and
/// "total_tokens"; null if there is none. Nothing else is kept: it could be anything, of any depth.
io::Json plain_usage(const io::Json& usage);

/// Who answers. Thread-safe.
class JudgeBackend {
 public:
  JudgeBackend() = default;
  JudgeBackend(const JudgeBackend&) = delete;
  JudgeBackend& operator=(const JudgeBackend&) = delete;
  virtual ~JudgeBackend() = default;

  /// The whole request, key order fixed: what ask() needs, and the name of its answer in the cache.
  /// Holds no secret, no address and nothing that changes from run to run.
  [[nodiscard]] virtual io::Json request(const JudgePrompt& prompt,
                                         const std::vector<JudgeMessage>& messages) const = 0;
  /// \throws Error(Exit::unavailable) when there is no answer to be had, Error(Exit::interrupted)
  /// when the run is asked to stop
  virtual JudgeAnswer ask(const io::Json& request) = 0;
  /// Requests that may be under way at once, over all threads.
  [[nodiscard]] virtual int64_t concurrency() const = 0;
  /// Whether the same request always gets the same answer, so that asking again is idle.
  [[nodiscard]] virtual bool deterministic() const = 0;
  /// Who answers, as far as requests do not say it (a server's address): answers of one place are
  /// never taken for those of another. Holds no secret.
  [[nodiscard]] virtual std::string place() const { return ""; }
};

}  // namespace unirg::scoring
