// Tokenizer files, damaged or not: a tokenizer that encodes and decodes, or an error with exit
// status
// 65. The first byte says whether the rest is a tokenizer.json ('{') or a sentencepiece model.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <fstream>

#include "base/error.h"
#include "temp_folder.h"
#include "text/tokenizer.h"

namespace {

void use(const unirg::text::Tokenizer& t) {
  const std::string text =
      "  The heart\xc2\xa0is  mildly e\xcc\x81nlarged,\r\n\n T12-L1 \xe2\x96\x81 "
      "\xe8\x82\xba\xf0\x9f\x98\x80\xff [CLS]<s> don't";
  const std::vector<int64_t> ids = t.encode(text, {.add_special_tokens = true, .max_length = 40});
  for (const int64_t id : ids) UNIRG_ASSERT(id >= 0 && id < t.size(), "an id outside");
  unirg::text::StreamDecoder stream(t);
  for (const int64_t id : ids) (void)stream.push(id);
  (void)stream.finish();
  (void)t.decode(ids, /*skip_special=*/false);
  const std::vector<std::string> words{"The", "", "lungs", "."};
  const auto e = t.encode_words(words, {});
  UNIRG_ASSERT(e.ids.size() == e.words.size() && e.ids.size() == e.type_ids.size(), "lengths");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const unirg::testing::TempFolder folder;
  const bool json = size > 0 && data[0] == '{';
  const auto path = folder.path() / (json ? "tokenizer.json" : "spm.model");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    use(unirg::text::Tokenizer::load(path));
  } catch (const unirg::Error& error) {
    UNIRG_ASSERT(error.exit() == unirg::Exit::data, "a damaged file is bad data");
  }
  return 0;
}
