// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_cache.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "io/atomic_file.h"

namespace unirg::scoring {
namespace {

constexpr const char* kSchema = "unirg.judge-answer/1";

/// \returns nullopt for what is no whole entry of this request
std::optional<JudgeAnswer> read_entry(const std::string& bytes, const std::string& digest) {
  const io::Json entry = io::Json::parse(bytes, nullptr, false);
  if (!entry.is_object()) return std::nullopt;
  const io::Fields fields(entry);
  const auto request = fields.string("request");
  const auto text = fields.string("text");
  const auto check = fields.string("text_sha256");
  const auto finish = fields.string("finish");
  const auto served = fields.string("served");
  const auto problem = fields.string("problem");
  const bool whole = fields.schema(kSchema) && request && *request == digest && text && check &&
                     *check == sha256_hex(*text) && finish && served && problem &&
                     entry.contains("usage");
  if (!whole) return std::nullopt;
  return JudgeAnswer{*text, *finish, *served, plain_usage(entry["usage"]), *problem};
}

}  // namespace

std::string judge_digest(const JudgePrompt& prompt, const io::Json& request) {
  // Broken UTF-8 of a report is sent as U+FFFD, see judge_http.cc.
  const std::string body = request.dump(-1, ' ', false, io::Json::error_handler_t::replace);
  return sha256_hex(fmt::format("unirg.judge/1\n{}\n{}", prompt.version, body));
}

std::filesystem::path judge_folder(const std::filesystem::path& folder, const std::string& place) {
  return folder.empty() || place.empty() ? folder : folder / sha256_hex(place).substr(0, 12);
}

JudgeCache::JudgeCache(std::filesystem::path folder, bool refresh,
                       std::function<void(const std::string&)> warn)
    : folder_(std::move(folder)), refresh_(refresh), warn_(std::move(warn)) {
  io::make_folders(folder_);
}

std::filesystem::path JudgeCache::file(const std::string& digest) const {
  return folder_ / digest.substr(0, 2) / (digest + ".json");
}

std::optional<JudgeAnswer> JudgeCache::find(const std::string& digest) const {
  if (folder_.empty()) return std::nullopt;
  if (refresh_) {
    const std::lock_guard lock(mutex_);
    if (!kept_.contains(digest)) return std::nullopt;
  }
  const std::filesystem::path path = file(digest);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  std::optional<JudgeAnswer> answer = read_entry(io::read_file(path), digest);
  if (!answer && warn_) {
    warn_(fmt::format("'{}' is no whole answer of a judge: it is asked for again", path.string()));
  }
  return answer;
}

void JudgeCache::keep(const std::string& digest, const JudgePrompt& prompt,
                      const JudgeAnswer& answer) {
  if (folder_.empty()) return;
  const io::Json entry = {{"schema", kSchema},
                          {"request", digest},
                          {"prompt", prompt.id()},
                          {"served", answer.served},
                          {"finish", answer.finish},
                          {"problem", answer.problem},
                          {"usage", answer.usage},
                          {"text", answer.text},
                          {"text_sha256", sha256_hex(answer.text)}};
  const std::filesystem::path path = file(digest);
  io::make_folders(path.parent_path());
  io::write_file(path, io::json_line(entry));
  if (!refresh_) return;
  const std::lock_guard lock(mutex_);
  kept_.insert(digest);
}

}  // namespace unirg::scoring
