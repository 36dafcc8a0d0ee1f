// Studies and rollouts in the form that share/report/*.js reads. Depends on study_cards.h,
// rollout_cards.h. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "evaluation/rollout_cards.h"
#include "evaluation/study_cards.h"
#include "io/jsonl.h"

namespace unirg::evaluation {

/// Marks are [begin, end, statement, ...], see Mark; empty fields are left out.
io::Json studies_json(const std::vector<StudyCard>& studies);
io::Json rollouts_json(const std::vector<RolloutSet>& sets);

}  // namespace unirg::evaluation
