// tokenize_lines TOKENIZER [--special] [--time N] [--expect FILE] < TEXTS > IDS
//
// TEXTS: JSON Lines, each {"text": "..."} or {"words": ["...", ...]}. IDS: a line each,
// {"ids", "words", "decoded", "decoded_skip_special", "streamed"}. --special: with the tokenizer's
// template. --time N: encodes all texts N times and writes ids per second to standard error
// instead. --expect FILE: reads TEXTS from FILE, whose lines have "ids" too, and fails if ours
// differ.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/jsonl.h"
#include "text/tokenizer.h"

namespace {

using unirg::io::Json;
using unirg::text::Encoding;
using unirg::text::Tokenizer;
using Ids = std::vector<int64_t>;

struct Options {
  std::string tokenizer, expect;
  unirg::text::EncodeOptions encode{.add_special_tokens = false};
  int times = 0;
};

Options parse(const std::vector<std::string>& arguments) {
  Options o;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool more = i + 1 < arguments.size();
    if (arguments[i] == "--special")
      o.encode.add_special_tokens = true;
    else if (arguments[i] == "--time" && more)
      o.times = std::atoi(arguments[++i].c_str());
    else if (arguments[i] == "--expect" && more)
      o.expect = arguments[++i];
    else
      o.tokenizer = arguments[i];
  }
  return o;
}

std::vector<Json> read_lines(std::istream& in) {
  std::vector<Json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

Encoding encode(const Tokenizer& t, const Json& line, const Options& o) {
  if (line.contains("words"))
    return t.encode_words(line.at("words").get<std::vector<std::string>>(), o.encode);
  return {t.encode(line.at("text").get<std::string>(), o.encode), {}, {}};
}

std::string streamed(const Tokenizer& t, const Ids& ids) {
  unirg::text::StreamDecoder stream(t);
  std::string text;
  for (const int64_t id : ids) text += stream.push(id);
  return text + stream.finish();
}

void measure(const Tokenizer& t, const std::vector<Json>& lines, const Options& o) {
  std::vector<std::string> texts;
  for (const Json& line : lines) texts.push_back(line.at("text").get<std::string>());
  const auto start = std::chrono::steady_clock::now();
  size_t ids = 0;
  for (int i = 0; i < o.times; ++i) {
    for (const std::string& text : texts) ids += t.encode(text, o.encode).size();
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::fprintf(stderr, "%.0f ids per second\n", static_cast<double>(ids) / taken.count());
}

int compare(const Tokenizer& t, const Options& o) {
  std::ifstream in(o.expect);
  const std::vector<Json> lines = read_lines(in);
  int different = lines.empty() ? 1 : 0;
  for (const Json& line : lines) {
    if (encode(t, line, o).ids == line.at("ids").get<Ids>()) continue;
    ++different;
    std::cerr << "differs: " << line.dump() << '\n';
  }
  return different == 0 ? 0 : 1;
}

void write(const Tokenizer& t, const std::vector<Json>& lines, const Options& o) {
  for (const Json& line : lines) {
    const Encoding e = encode(t, line, o);
    std::cout << Json{{"ids", e.ids},
                      {"words", e.words},
                      {"decoded", t.decode(e.ids, /*skip_special=*/false)},
                      {"decoded_skip_special", t.decode(e.ids)},
                      {"streamed", streamed(t, e.ids)}}
                     .dump()
              << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const Options o = parse({argv + 1, argv + argc});
  const Tokenizer t = Tokenizer::load(o.tokenizer);
  if (!o.expect.empty()) return compare(t, o);
  const std::vector<Json> lines = read_lines(std::cin);
  if (o.times > 0)
    measure(t, lines, o);
  else
    write(t, lines, o);
  return std::cout.flush() ? 0 : static_cast<int>(unirg::Exit::io);
} catch (const unirg::Error& error) {
  std::cerr << "tokenize_lines: " << error.what() << '\n';
  return static_cast<int>(error.exit());
}
