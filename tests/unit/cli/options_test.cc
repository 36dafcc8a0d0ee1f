// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <gtest/gtest.h>

#include "io/atomic_file.h"
#include "temp_folder.h"

namespace unirg::cli {
namespace {

struct Example {
  double temperature = 1.0;
  int64_t count = 4;
  bool loud = false;
  std::string mode = "fast";
  std::filesystem::path output = "-";
  std::vector<std::string> files;
  std::vector<std::string> config;
  std::vector<std::string> set;
  Weights weights{{"a", 0.5}};
};

OptionParser make_parser(Example& e) {
  return OptionParser(
      {"unirg-x", "does x", "[options] FILE...", "unirg-x a"},
      {{.name = "temperature",
        .target = &e.temperature,
        .metavar = "T",
        .help = "Heat.",
        .letter = 't',
        .min = 0,
        .max = 2},
       {.name = "count", .target = &e.count, .metavar = "N", .help = "How many."},
       {.name = "loud", .target = &e.loud, .help = "Noise."},
       {.name = "mode",
        .target = &e.mode,
        .metavar = "M",
        .help = "How.",
        .choices = {"fast", "slow"}},
       {.name = "output",
        .target = &e.output,
        .metavar = "FILE",
        .help = "Where to.",
        .letter = 'o'},
       {.name = "weights", .target = &e.weights, .metavar = "W", .help = "Weights."},
       {.name = "config",
        .target = &e.config,
        .metavar = "F",
        .help = "YAML.",
        .letter = 'c',
        .group = "About"},
       {.name = "set", .target = &e.set, .metavar = "K=V", .help = "One key.", .group = "About"},
       {.name = "files",
        .target = &e.files,
        .metavar = "FILE",
        .help = "Inputs.",
        .positional = true}});
}

Exit exit_of(const std::vector<std::string>& arguments, std::string* message = nullptr) {
  Example e;
  OptionParser parser = make_parser(e);
  try {
    parser.parse(arguments);
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.exit();
  }
  return Exit::ok;
}

TEST(OptionParser, reads_flags_letters_switches_lists_and_weights) {
  Example e;
  OptionParser parser = make_parser(e);
  parser.parse({"-t", "0.5", "--count=7", "--loud", "--weights", "x=1,y=-2.5", "f1", "--", "--f2"});
  EXPECT_EQ(e.temperature, 0.5);
  EXPECT_EQ(e.count, 7);
  EXPECT_TRUE(e.loud);
  EXPECT_EQ(e.weights, (Weights{{"x", 1.0}, {"y", -2.5}}));
  EXPECT_EQ(e.files, (std::vector<std::string>{"f1", "--f2"}));
}

TEST(OptionParser, refuses_what_it_does_not_know_and_suggests) {
  std::string message;
  EXPECT_EQ(exit_of({"--temprature", "1"}, &message), Exit::usage);
  EXPECT_NE(message.find("did you mean 'temperature'"), std::string::npos) << message;
  EXPECT_EQ(exit_of({"--temp", "1"}), Exit::usage) << "prefixes are not guessed";
  EXPECT_EQ(exit_of({"--temperature", "3"}), Exit::usage);
  EXPECT_EQ(exit_of({"--count", "1.5"}), Exit::usage);
  EXPECT_EQ(exit_of({"--mode", "medium"}), Exit::usage);
}

TEST(OptionParser, files_lose_to_set_and_set_loses_to_flags) {
  testing::TempFolder folder;
  const std::string file = (folder.path() / "c.yaml").string();
  io::write_file(file, "temperature: 0.25\ncount: 9\nmode: slow\nweights: {a: 2, b: 3}\n");
  Example e;
  OptionParser parser = make_parser(e);
  parser.parse({"--count", "1", "-c", file, "--set", "mode=fast", "--set", "weights.b=4"});
  EXPECT_EQ(e.temperature, 0.25);
  EXPECT_EQ(e.count, 1);
  EXPECT_EQ(e.mode, "fast");
  EXPECT_EQ(e.weights, (Weights{{"a", 2.0}, {"b", 4.0}}));
}

TEST(OptionParser, unknown_yaml_key_is_a_config_error_with_its_line) {
  testing::TempFolder folder;
  const std::string file = (folder.path() / "c.yaml").string();
  io::write_file(file, "count: 9\ntemprature: 1\n");
  std::string message;
  EXPECT_EQ(exit_of({"-c", file}, &message), Exit::config);
  EXPECT_NE(message.find("c.yaml:2: unknown key 'temprature' (hint: did you mean 'temperature'?)"),
            std::string::npos)
      << message;
}

TEST(OptionParser, unset_required_option_is_null_in_the_dump_and_still_missing_when_read_back) {
  testing::TempFolder folder;
  std::string action;
  std::vector<std::string> config;
  const Table table{{.name = "action",
                     .target = &action,
                     .metavar = "A",
                     .help = "What to do.",
                     .choices = {"go", "stay"},
                     .required = true},
                    {.name = "config", .target = &config, .metavar = "F", .help = "YAML."}};
  const std::string file = (folder.path() / "dump.yaml").string();
  io::write_file(file, "action: ~\n");
  OptionParser parser({"unirg-x", "does x", "[options]", "unirg-x"}, table);
  EXPECT_TRUE(parser.config().at("action").is_null());
  try {
    parser.parse({"--config", file});
    FAIL() << "a null counted as a value";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "missing option '--action'");
  }
}

TEST(OptionParser, dumped_config_is_a_config) {
  testing::TempFolder folder;
  Example e;
  OptionParser parser = make_parser(e);
  parser.parse({"-t", "0.1", "--weights", "x=1", "in.jsonl"});
  const std::string file = (folder.path() / "dump.yaml").string();
  io::write_file(file, parser.config_yaml());
  Example again;
  OptionParser second = make_parser(again);
  second.parse({"-c", file});
  EXPECT_EQ(second.config(), parser.config()) << parser.config_yaml();
}

TEST(OptionParser, help_and_man_page_name_every_option) {
  Example e;
  const OptionParser parser = make_parser(e);
  for (const Option& option : parser.table()) {
    if (option.positional) continue;
    EXPECT_NE(parser.help_text().find("--" + option.name), std::string::npos);
    EXPECT_NE(parser.man_options().find("Fl Fl " + option.name), std::string::npos);
    EXPECT_NE(parser.bash_completion().find("--" + option.name), std::string::npos);
  }
}

}  // namespace
}  // namespace unirg::cli
