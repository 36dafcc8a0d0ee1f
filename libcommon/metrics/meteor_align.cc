// SPDX-License-Identifier: Apache-2.0
#include "metrics/meteor_align.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace unirg::metrics {
namespace {

constexpr size_t kBeam = 40;
constexpr int32_t kNone = -1;

/// A match that a path took, and the one it took before.
struct Step {
  const MeteorMatch* match;
  int32_t before;
};

/// An alignment of the words before `next`. Small and flat: some thousand are made for a report.
struct Path {
  int64_t distance = 0;
  int32_t matched = 0;  ///< words, both sides
  int32_t chunks = 0;
  uint32_t next = 0;
  int32_t last_end = kNone;  ///< where the last match ends in the hypothesis; kNone after a gap
  int32_t steps = kNone;     ///< the last match, in Search::steps_
  uint32_t used = 0;         ///< where its words in use begin, in Search::used_
};

int64_t distance_of(const MeteorMatch& m) {
  return std::abs(static_cast<int64_t>(m.reference) - static_cast<int64_t>(m.hypothesis));
}

class Search {
 public:
  Search(const MeteorMatches& matches, size_t hypothesis_words)
      : matches_(matches),
        definite_(matches.size(), nullptr),
        blocks_((matches.size() + hypothesis_words + 63) / 64),
        used_(blocks_) {
    const Path start;
    take_definite(hypothesis_words, start);
    next_.push_back(start);
  }

  MeteorAlignment run() {
    for (size_t at = 0; at < matches_.size(); ++at) {
      select();
      for (const Path& path : paths_) advance(path, at);
      if (next_.empty()) next_.push_back(paths_.front());
    }
    select();  // before the last chunk is closed and once more after
    for (Path& path : paths_) path.chunks += path.last_end != kNone;
    next_.swap(paths_);
    select();
    return result(paths_.front());
  }

 private:
  /// Matches that no other one touches are part of every alignment.
  void take_definite(size_t hypothesis_words, const Path& start) {
    std::vector<int> hypothesis(hypothesis_words), reference(matches_.size());
    for (const auto& list : matches_) {
      for (const MeteorMatch& m : list) {
        for (size_t i = 0; i < m.hypothesis_length; ++i) ++hypothesis[m.hypothesis + i];
        for (size_t i = 0; i < m.reference_length; ++i) ++reference[m.reference + i];
      }
    }
    for (const auto& list : matches_) {
      if (list.size() != 1) continue;
      const MeteorMatch& m = list.front();
      bool alone = true;
      for (size_t i = 0; i < m.hypothesis_length; ++i) alone &= hypothesis[m.hypothesis + i] == 1;
      for (size_t i = 0; i < m.reference_length; ++i) alone &= reference[m.reference + i] == 1;
      if (!alone) continue;
      definite_[m.reference] = &m;
      use(start, m);
    }
  }

  // Words in use are bits: the reference's words first, then the hypothesis's.
  [[nodiscard]] bool in_use(const Path& path, size_t begin, size_t length) const {
    for (size_t i = begin; i < begin + length; ++i) {
      if ((used_[path.used + i / 64] >> (i % 64) & 1) != 0) return true;
    }
    return false;
  }
  [[nodiscard]] bool in_use(const Path& path, const MeteorMatch& m) const {
    return in_use(path, m.reference, m.reference_length) ||
           in_use(path, matches_.size() + m.hypothesis, m.hypothesis_length);
  }
  void use(const Path& path, const MeteorMatch& m) {
    const auto add = [&](size_t begin, size_t length) {
      for (size_t i = begin; i < begin + length; ++i)
        used_[path.used + i / 64] |= uint64_t{1} << (i % 64);
    };
    add(m.reference, m.reference_length);
    add(matches_.size() + m.hypothesis, m.hypothesis_length);
  }
  [[nodiscard]] Path copied(const Path& path) {
    Path copy = path;
    copy.used = static_cast<uint32_t>(used_.size());
    for (size_t b = 0; b < blocks_; ++b) used_.push_back(used_[path.used + b]);
    return copy;
  }

  /// Takes the best kBeam of next_ into paths_, in order; equal ones stay as they came, as the
  /// program's sort has it. What they have in use moves with them, the rest is forgotten.
  void select() {
    constexpr int kPlaces = 20;  // bits for a path's place, above them its distance
    keys_.clear();
    for (const Path& p : next_)
      keys_.emplace_back(-int64_t{p.matched} * (int64_t{1} << 32) + p.chunks,
                         (p.distance << kPlaces) + static_cast<int64_t>(keys_.size()));
    if (keys_.size() > kBeam) {
      std::nth_element(keys_.begin(), keys_.begin() + kBeam, keys_.end());
      keys_.resize(kBeam);
    }
    std::sort(keys_.begin(), keys_.end());
    paths_.clear();
    kept_.clear();
    for (const auto& key : keys_) {
      paths_.push_back(next_[static_cast<size_t>(key.second & ((1 << kPlaces) - 1))]);
      const auto bits = used_.begin() + paths_.back().used;
      paths_.back().used = static_cast<uint32_t>(kept_.size());
      kept_.insert(kept_.end(), bits, bits + static_cast<int64_t>(blocks_));
    }
    used_.swap(kept_);
    next_.clear();
  }

  /// What follows a match. Matches that are not exact count half, and the program cuts halves off.
  void follow(Path& path, const MeteorMatch& m) {
    const size_t divisor = m.module == 0 ? 1 : 2;
    path.matched +=
        static_cast<int32_t>(m.hypothesis_length / divisor + m.reference_length / divisor);
    if (path.last_end != kNone && static_cast<int32_t>(m.hypothesis) != path.last_end)
      ++path.chunks;
    path.next = static_cast<uint32_t>(m.reference + m.reference_length);
    path.last_end = static_cast<int32_t>(m.hypothesis + m.hypothesis_length);
    steps_.push_back({&m, path.steps});
    path.steps = static_cast<int32_t>(steps_.size()) - 1;
  }

  /// Every way on from a path at the reference's word `at`.
  void advance(Path path, size_t at) {
    if (in_use(path, at, 1)) {
      if (at >= path.next) {
        const MeteorMatch* m = definite_[path.next];
        if (m == nullptr) return;
        follow(path, *m);
        path.distance += distance_of(*m);
      }
      next_.push_back(path);
      return;
    }
    for (const MeteorMatch& m : matches_[at]) {
      if (in_use(path, m)) continue;
      Path taken = copied(path);
      use(taken, m);
      follow(taken, m);
      // The program adds the distance to the path it came from: it counts for the ways tried later.
      path.distance += distance_of(m);
      next_.push_back(taken);
    }
    if (path.last_end != kNone) {
      ++path.chunks;
      path.last_end = kNone;
    }
    ++path.next;
    next_.push_back(path);
  }

  [[nodiscard]] MeteorAlignment result(const Path& best) const {
    MeteorAlignment alignment;
    for (int32_t i = best.steps; i != kNone; i = steps_[static_cast<size_t>(i)].before)
      alignment.matches.push_back(*steps_[static_cast<size_t>(i)].match);
    std::reverse(alignment.matches.begin(), alignment.matches.end());
    const MeteorMatch* before = nullptr;
    for (const MeteorMatch& m : alignment.matches) {
      const bool joined = before != nullptr &&
                          before->reference + before->reference_length == m.reference &&
                          before->hypothesis + before->hypothesis_length == m.hypothesis;
      alignment.chunks += !joined;
      before = &m;
    }
    return alignment;
  }

  const MeteorMatches& matches_;
  std::vector<const MeteorMatch*> definite_;
  size_t blocks_;                      ///< 64-bit blocks of a path's words in use
  std::vector<uint64_t> used_, kept_;  ///< of all paths; the next of those kept
  std::vector<std::pair<int64_t, int64_t>> keys_;
  std::vector<Path> paths_, next_;
  std::vector<Step> steps_;
};

}  // namespace

MeteorAlignment meteor_align(const MeteorMatches& matches, size_t hypothesis_words) {
  return Search(matches, hypothesis_words).run();
}

}  // namespace unirg::metrics
