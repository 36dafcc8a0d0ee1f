// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "policy/prompt_options.h"
#include "train/optimizer_options.h"
#include "train/trainable.h"

namespace unirg {

cli::Table sft_table(SftToolOptions& o) {
  train::SftOptions& s = o.sft;
  cli::Table table{
      {.name = "studies",
       .target = &o.studies,
       .metavar = "FILE",
       .help = "Study records (studies.jsonl of unirg-ingest); images lie beside it.",
       .required = true},
      {.name = "model",
       .target = &o.model,
       .metavar = "DIR",
       .help = "Base checkpoint in Hugging Face layout.",
       .letter = 'm',
       .required = true},
      {.name = "output",
       .target = &o.output,
       .metavar = "DIR",
       .help = "Folder for best/, last/ and metrics.jsonl; DIR.partial holds an unfinished run.",
       .letter = 'o',
       .required = true},
      {.name = "objective",
       .target = &s.objective,
       .metavar = "NAME",
       .help = "What is learned: reports (cross-entropy of the reply), or labels (the vision tower "
               "learns to see conditions through a linear head that is thrown away).",
       .choices = {"reports", "labels"}},
      {.name = "split", .target = &o.splits, .metavar = "NAME,...", .help = "Split to train on."},
      {.name = "validation-split",
       .target = &o.validation_splits,
       .metavar = "NAME,...",
       .help = "Split whose loss chooses the best checkpoint."},
      {.name = "lexicon",
       .target = &o.lexicon,
       .metavar = "FILE",
       .help =
           "Lexicon of the rule labeler, for the labels objective; empty takes the installed one."},
      {.name = "epochs",
       .target = &s.epochs,
       .metavar = "N",
       .help = "Passes over the training split.",
       .min = 0,
       .max = 1e6,
       .group = "Training"},
      {.name = "batch-size",
       .target = &s.batch_size,
       .metavar = "N",
       .help = "Studies of one optimiser step.",
       .min = 1,
       .max = 1e6,
       .group = "Training"},
      {.name = "micro-batch",
       .target = &s.micro_batch,
       .metavar = "N",
       .help = "Studies of one forward and backward, the unit given to a thread; changes low bits, "
               "not the loss.",
       .min = 1,
       .max = 1e6,
       .group = "Training"},
      {.name = "brightness",
       .target = &s.brightness,
       .metavar = "S",
       .help = "Augmentation: gain 1 + S z and offset S/2 z of each picture, z standard normal, "
               "anew each epoch; 0 is off.",
       .min = 0,
       .max = 1,
       .group = "Training"},
      {.name = "evaluate-every",
       .target = &s.evaluate_every,
       .metavar = "N",
       .help = "Optimiser steps between validations; 0 validates after each epoch.",
       .min = 0,
       .max = 1e9,
       .group = "Training"},
      {.name = "patience",
       .target = &s.patience,
       .metavar = "N",
       .help = "Stops after N validations without improvement; 0 never stops early.",
       .min = 0,
       .max = 1e9,
       .group = "Training"},
      {.name = "save-every",
       .target = &s.save_every,
       .metavar = "N",
       .help = "Optimiser steps between saves of the unfinished run; 0 saves at validations only.",
       .min = 0,
       .max = 1e9,
       .group = "Training"},
      {.name = "max-steps",
       .target = &s.max_steps,
       .metavar = "N",
       .help = "Ends after N optimiser steps in all; 0 is no limit.",
       .min = 0,
       .max = 1e12,
       .group = "Training"},
  };
  train::add_optimizer_options(table, s.schedule, s.adamw, s.max_grad_norm);
  train::add_trainable_options(table, s.trainable);
  train::add_rank_options(table, s.ranks);
  policy::add_prompt_options(table, o.prompt);
  cli::add_seed(table, o.common);
  cli::add_threads(table, o.common);
  cli::add_device(table, o.common);
  cli::add_on_error(table, o.common);
  cli::add_dry_run(table, o.common);
  policy::add_training_machine_options(table, o.machine);
  return table;
}

}  // namespace unirg
