// SPDX-License-Identifier: Apache-2.0
#include "scoring/net_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace unirg::scoring {
namespace {

namespace fs = std::filesystem;

/// The command that makes the folder.
std::string how_to_make(const fs::path& folder, const std::string& name) {
  struct Source {
    const char *name, *source, *encoder;
  };
  static constexpr Source kSources[] = {
      {"chexbert", "chexbert.pth", "bert-base-uncased/"},
      {"radgraph", "radgraph.tar.gz", "BiomedNLP-PubMedBERT-base-uncased-abstract-fulltext/"},
      {"radgraph-xl", "radgraph-xl.tar.gz", "BiomedVLP-CXR-BERT/"},
      {"rate-ner-deberta", "RaTE-NER-Deberta/", nullptr},
      {"biolord-2023-c", "BioLORD-2023-C/", nullptr}};
  std::string source = name + "/";
  for (const Source& s : kSources) {
    if (s.name != name) continue;
    source = s.source;
    if (s.encoder)
      return fmt::format("scripts/convert-weights {} '{}' --encoder {}", source, folder.string(),
                         s.encoder);
  }
  return fmt::format(
      "scripts/convert-weights {} '{}', or the Hugging Face folder itself if it has "
      "model.safetensors",
      source, folder.string());
}

bool has_any(const fs::path& folder, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const char* name) { return fs::exists(folder / name); });
}

}  // namespace

fs::path net_folder(const fs::path& models, const std::string& name) {
  const fs::path folder = models / name;
  const auto refuse = [&](const std::string& what) {
    throw Error(Exit::no_input, fmt::format("{} (hint: {})", what, how_to_make(folder, name)));
  };
  if (models.empty()) refuse(fmt::format("--models names no folder; it must hold '{}'", name));
  if (!fs::is_directory(folder)) refuse(fmt::format("no folder '{}'", folder.string()));
  const auto lacks = [&](const char* what) {
    refuse(fmt::format("folder '{}' holds no {}", folder.string(), what));
  };
  if (!has_any(folder, {"config.json"})) lacks("config.json");
  if (!has_any(folder, {"model.safetensors", "model.safetensors.index.json"}))
    lacks("model.safetensors");
  if (!has_any(folder, {"tokenizer.json", "vocab.json", "vocab.txt", "spm.model", "spiece.model",
                        "tokenizer.model"}))
    lacks("tokenizer.json or vocabulary");
  return folder;
}

std::string weights_digest(const fs::path& folder) {
  constexpr size_t kDigits = 12;
  if (fs::exists(folder / "model.safetensors"))
    return sha256_file(folder / "model.safetensors").substr(0, kDigits);
  std::vector<fs::path> shards;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") shards.push_back(entry.path());
  }
  std::sort(shards.begin(), shards.end());
  Sha256 sha;
  for (const fs::path& shard : shards) sha.update(sha256_file(shard));
  return sha.hex().substr(0, kDigits);
}

}  // namespace unirg::scoring
