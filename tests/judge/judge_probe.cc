// judge_probe: the judge metrics from a shell, for scripts/test-judge-server and whoever looks into
// a judge. Reads {"reference": TEXT, "hypotheses": [TEXT, ...]} a line from standard input, writes
// a JSON line {"values": {...}, "judge": {...}} for each hypothesis.
//
//   judge_probe [url=URL model=NAME | checkpoint=DIR] [metrics=NAME,...] [prompts=DIR] [cache=DIR]
//               [concurrency=N] [timeout=S] [retries=N] [rate=N] [key-variable=NAME] [refresh=1]
//
// SIGTERM ends it with status 75. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <map>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "io/jsonl.h"
#include "scoring/judge_family.h"

namespace {

using unirg::Error;
using unirg::Exit;
using unirg::io::Json;
namespace scoring = unirg::scoring;

volatile std::sig_atomic_t g_stopped = 0;

std::map<std::string, std::string> parse(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t at = word.find('=');
    if (at == std::string::npos)
      throw Error(Exit::usage, fmt::format("'{}' is not of the form name=value", word));
    options[word.substr(0, at)] = word.substr(at + 1);
  }
  return options;
}

std::vector<std::string> names(const std::string& list) {
  std::vector<std::string> all(1);
  for (const char c : list) {
    if (c == ',') {
      all.emplace_back();
    } else {
      all.back() += c;
    }
  }
  return all;
}

scoring::JudgeOptions judge_options(std::map<std::string, std::string>& given, unirg::Logger& log) {
  const auto take = [&](const char* name, const std::string& otherwise) {
    const auto node = given.extract(name);
    return node ? node.mapped() : otherwise;
  };
  scoring::JudgeOptions o;
  o.url = take("url", "");
  o.model = take("model", "");
  o.checkpoint = take("checkpoint", "");
  o.backend = o.checkpoint.empty() ? "http" : "local";
  o.prompts = take("prompts", UNIRG_SOURCE_DIR "/share/judges");
  o.cache = take("cache", "");
  o.concurrency = std::stoll(take("concurrency", "8"));
  o.timeout_s = std::stod(take("timeout", "60"));
  o.retries = std::stoll(take("retries", "5"));
  o.requests_per_minute = std::stod(take("rate", "0"));
  o.key_variable = take("key-variable", o.key_variable);
  o.refresh = take("refresh", "0") == "1";
  o.stopped = [] { return g_stopped != 0; };
  o.warn = [&log](const std::string& text) { log.write(unirg::LogLevel::warning, text); };
  return o;
}

void probe(int argc, char** argv, unirg::Logger& log) {
  auto given = parse(argc, argv);
  const auto chosen = given.extract("metrics");
  const scoring::JudgeOptions options = judge_options(given, log);
  if (!given.empty())
    throw Error(Exit::usage, fmt::format("unknown option '{}'", given.begin()->first));
  const auto family = scoring::judge_family(
      names(chosen ? chosen.mapped() : "green,chexprompt-errors,chexprompt-significant"), options);
  for (const scoring::MetricInfo& metric : family->metrics()) log.info("{}", metric.signature);
  unirg::io::JsonlReader reader("-");
  while (const auto line = reader.next()) {
    if (!*line) throw Error(Exit::data, line->error().reason);
    const Json& object = (*line)->object;
    const auto scored = family->score({object.at("reference").get<std::string>(),
                                       object.at("hypotheses").get<std::vector<std::string>>()});
    for (const scoring::Scored& s : scored) {
      Json values = Json::object();
      for (size_t m = 0; m < s.values.size(); ++m)
        values[family->metrics()[m].name] = s.values[m] ? Json(*s.values[m]) : Json(nullptr);
      const std::string text =
          unirg::io::json_line({{"values", values}, {"judge", s.details["judge"]}});
      std::fputs(text.c_str(), stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGTERM, [](int) { g_stopped = 1; });
  std::signal(SIGPIPE, SIG_IGN);
  unirg::Logger log("judge_probe");
  try {
    probe(argc, argv, log);
    return std::fflush(stdout) == 0 ? 0 : static_cast<int>(Exit::io);
  } catch (const Error& e) {
    log.error("{}", e.what());
    return static_cast<int>(e.exit());
  } catch (const std::exception& e) {
    log.error("{}", e.what());
    return static_cast<int>(Exit::internal);
  }
}
