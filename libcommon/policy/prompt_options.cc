// SPDX-License-Identifier: Apache-2.0
#include "policy/prompt_options.h"

namespace unirg::policy {

void add_prompt_options(cli::Table& table, PromptOptions& o) {
  table.push_back({.name = "prompt",
                   .target = &o.prompt,
                   .metavar = "TEMPLATE",
                   .help = "Prompt: paper (the two templates of arXiv 2601.17151, chosen by the "
                           "sections of the reference), short, or a text of your own in which "
                           "{input} stands for images and context.",
                   .group = "Prompt"});
  table.push_back({.name = "images",
                   .target = &o.images,
                   .metavar = "N",
                   .help = "Images of a study shown at most, the key image first; 0 shows none.",
                   .min = 0,
                   .max = 64,
                   .group = "Prompt"});
  table.push_back({.name = "max-pixels",
                   .target = &o.max_pixels,
                   .metavar = "N",
                   .help = "Caps the pixels of an image after scaling (262144 for 512 x 512); 0 "
                           "keeps the checkpoint's own cap.",
                   .min = 0,
                   .max = 1e9,
                   .group = "Prompt"});
  table.push_back({.name = "prior-report",
                   .target = &o.prior_report,
                   .help = "Puts the report of the patient's prior study into the context.",
                   .group = "Prompt"});
  table.push_back({.name = "prior-image",
                   .target = &o.prior_image,
                   .help = "Shows the key image of the patient's prior study first.",
                   .group = "Prompt"});
  table.push_back({.name = "target",
                   .target = &o.target,
                   .metavar = "WHICH",
                   .help = "Sections the reply is made of, where the reference has them.",
                   .choices = {"both", "findings", "impression"},
                   .group = "Prompt"});
  table.push_back(
      {.name = "given-findings",
       .target = &o.given_findings,
       .help = "Puts the study's own findings into the context, for a writer of impressions.",
       .group = "Prompt"});
}

}  // namespace unirg::policy
