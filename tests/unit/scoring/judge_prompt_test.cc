// SPDX-License-Identifier: Apache-2.0
#include "scoring/judge_prompt.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "metrics/chexprompt.h"

namespace unirg::scoring {
namespace {

const std::string kShare = std::string(UNIRG_SOURCE_DIR) + "/share/judges/";

const std::string kYaml = R"(schema: unirg.judge/1
name: green
version: t-1
reply: green
words: 2
generation: {temperature: 0.5, max-tokens: 9}
template: chatml
messages:
  - role: user
    content: "R={reference} C={candidate} {x, y}"
)";

std::string replaced(std::string yaml, const std::string& from, const std::string& to) {
  return yaml.replace(yaml.find(from), from.size(), to);
}

std::string refusal(const std::string& yaml) {
  try {
    (void)parse_judge_prompt(yaml, "p.yaml");
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::config);
    return e.what();
  }
}

TEST(JudgePrompt, the_installed_ones_are_read) {
  const JudgePrompt green = load_judge_prompt(kShare + "green.yaml");
  EXPECT_EQ(green.words, 300);
  EXPECT_EQ(green.generation.temperature, 0.0);
  EXPECT_EQ(green.chat_template, "radllama");
  const JudgePrompt chexprompt = load_judge_prompt(kShare + "chexprompt.yaml");
  EXPECT_EQ(chexprompt.messages.size(), 2u);
  EXPECT_EQ(chexprompt.generation.max_tokens, 128);
  EXPECT_TRUE(chexprompt.id().starts_with("chexprompt-1@"));
}

TEST(JudgePrompt, the_worked_examples_have_the_form_that_is_read) {
  const std::string text = load_judge_prompt(kShare + "chexprompt.yaml").messages[1].content;
  int examples = 0;
  for (size_t at = text.find("Example "); at != std::string::npos;
       at = text.find("Example ", at + 1)) {
    const size_t begin = text.find("Number of", at);
    const size_t end = text.find("\n\n", begin);
    const auto counts = metrics::chexprompt_counts(text.substr(begin, end - begin));
    EXPECT_TRUE(counts) << counts.error().reason;
    ++examples;
  }
  EXPECT_EQ(examples, 5);
}

TEST(JudgePrompt, texts_are_cut_and_put_in_once) {
  const JudgePrompt prompt = parse_judge_prompt(kYaml, "p.yaml");
  EXPECT_FALSE(prompt.generation.seed);
  const auto messages = fill_judge_prompt(prompt, "a  {candidate}\nc", "d");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].content, "R=a {candidate} C=d {x, y}");
}

TEST(JudgePrompt, refuses_with_file_line_and_hint) {
  EXPECT_EQ(refusal(kYaml), "");
  EXPECT_EQ(refusal(replaced(kYaml, "words: 2", "word: 2")),
            "'p.yaml:5': unknown key 'word' (hint: 'words')");
  EXPECT_EQ(refusal(replaced(kYaml, "max-tokens", "max-token")),
            "'p.yaml:6': unknown key 'max-token' (hint: 'max-tokens')");
  EXPECT_EQ(refusal(replaced(kYaml, "0.5", "warm")),
            "'p.yaml:6': 'temperature': expected a number from 0 to 2");
  EXPECT_EQ(refusal(replaced(kYaml, "0.5", "nan")),
            "'p.yaml:6': 'temperature': expected a number from 0 to 2");
  EXPECT_EQ(refusal(replaced(kYaml, "chatml", "vicuna")),
            "'p.yaml:7': 'template': unknown value 'vicuna' (hint: known are radllama, chatml, "
            "llama-3)");
  EXPECT_EQ(refusal(replaced(kYaml, "unirg.judge/1", "unirg.judge/2")),
            "'p.yaml:1': schema is not 'unirg.judge/1'");
  EXPECT_EQ(refusal(replaced(kYaml, "{candidate}", "")),
            "'p.yaml:9': 'messages': no placeholder '{candidate}'");
  EXPECT_EQ(refusal(replaced(kYaml, "{x, y}", "{input}")),
            "'p.yaml:9': unknown placeholder '{input}' (hint: '{reference}' and '{candidate}')");
  EXPECT_EQ(refusal(replaced(kYaml, "version: t-1\n", "")), "'p.yaml:1': key 'version' is missing");
  EXPECT_EQ(refusal(replaced(kYaml, "version: t-1", "name: x")),
            "'p.yaml:3': key 'name' stands twice");
  EXPECT_NE(refusal("a: ["), "");
  EXPECT_NE(refusal(""), "");
}

}  // namespace
}  // namespace unirg::scoring
