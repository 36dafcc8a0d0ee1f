// SPDX-License-Identifier: Apache-2.0
#include "io/tensorboard.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "io/atomic_file.h"
#include "scored.h"

namespace unirg {
namespace {

struct NamedFile {
  std::string name;
  std::filesystem::path file;
};

NamedFile parse(const std::string& word) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  if (equals == std::string::npos || equals + 1 == word.size() || name.empty() || name == "." ||
      name == ".." || name.find('/') != std::string::npos)
    throw Error(Exit::usage,
                fmt::format("bad argument '{}' of tensorboard: expected NAME=FILE", word));
  return {name, word.substr(equals + 1)};
}

}  // namespace

Exit write_events(const EvalToolOptions& o, cli::Context& context) {
  if (o.logdir.empty()) throw Error(Exit::usage, "tensorboard needs --logdir");
  if (o.words.size() < 2)
    throw Error(Exit::usage, "tensorboard needs a NAME=FILE for each metrics.jsonl");
  std::vector<std::pair<NamedFile, std::string>> all;  // read before anything is written
  for (size_t i = 1; i < o.words.size(); ++i) {
    const NamedFile named = parse(o.words[i]);
    if (std::any_of(all.begin(), all.end(),
                    [&](const auto& known) { return known.first.name == named.name; }))
      throw Error(Exit::usage, fmt::format("tensorboard got two files for run '{}'", named.name));
    all.emplace_back(named, io::tensorboard_events(named.file));
    context.record.add_input(named.file);
  }
  for (const auto& [named, events] : all) {
    const std::filesystem::path folder = o.logdir / named.name;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
      throw Error(Exit::cannot_create,
                  fmt::format("cannot create folder '{}': {}", folder.string(), error.message()));
    io::AtomicFile file(folder / "events.out.tfevents.0.unirg");
    file.write(events);
    file.commit();
    context.record.add_output(folder / "events.out.tfevents.0.unirg", file.sha256());
  }
  context.record.write(o.logdir / "unirg.run.json");
  context.log.info("{} runs in {}", all.size(), o.logdir.string());
  return Exit::ok;
}

}  // namespace unirg
