// SPDX-License-Identifier: Apache-2.0
#include "metrics/meteor_align.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>
#include <utility>

#include "base/error.h"

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
};

/// A way on from a path: only the best become paths.
struct Way {
  int64_t distance = 0;
  const MeteorMatch* match = nullptr;  ///< that it takes; none if it leaves the word out
  uint32_t from = 0;                   ///< in Search::paths_
};

/// The largest values that paths of one pair of texts can have.
struct Bounds {
  uint64_t matched = 0, chunks = 0, distance = 0, ways = 0;
};
Bounds bounds_of(const MeteorMatches& matches, size_t hypothesis_words) {
  const size_t words = matches.reference_words();
  Bounds b{.matched = words + hypothesis_words, .chunks = words + 1};
  size_t longest = 0;
  for (size_t at = 0; at < words; ++at) longest = std::max(longest, matches.at(at).size());
  for (const MeteorMatch& m : matches.all()) b.distance += m.distance();
  b.ways = kBeam * (longest + 1);
  return b;
}

/// What paths are sorted by, in one number: most matched words, then fewest chunks, then the
/// shortest distance, then as they came, as the program's stable sort has it.
template <typename Bits>
class Order {
 public:
  explicit Order(const Bounds& b)
      : most_(b.matched),
        place_(std::bit_width(b.ways)),
        chunks_(place_ + std::bit_width(b.distance)),
        matched_(chunks_ + std::bit_width(b.chunks)) {}
  static bool fits(const Bounds& b) {
    return std::bit_width(b.ways) + std::bit_width(b.distance) + std::bit_width(b.chunks) +
               std::bit_width(b.matched) <=
           static_cast<int>(8 * sizeof(Bits));
  }
  /// Without the place, which is added.
  [[nodiscard]] Bits key(const Path& path) const {
    return (static_cast<Bits>(most_) << matched_) - words(path.matched) +
           static_cast<Bits>(path.chunks) * chunk() + distance(path.distance);
  }
  // What changes of a path add to its key; words are taken off it.
  [[nodiscard]] Bits words(int64_t matched) const { return static_cast<Bits>(matched) << matched_; }
  [[nodiscard]] Bits chunk() const { return Bits{1} << chunks_; }
  [[nodiscard]] Bits distance(int64_t distance) const {
    return static_cast<Bits>(distance) << place_;
  }
  [[nodiscard]] size_t place(Bits key) const {
    return static_cast<size_t>(key) & ((size_t{1} << place_) - 1);
  }

 private:
  uint64_t most_;
  int place_, chunks_, matched_;  ///< bits below the distance, the chunks, the matched words
};

// A path's ways on are written field by field: whole values would be copied in pieces of another
// size, and wait for it.

/// `to` becomes `from` past a word without a match.
void leave_out(const Path& from, Path& to) {
  to.distance = from.distance;
  to.matched = from.matched;
  to.chunks = from.chunks + static_cast<int32_t>(from.last_end != kNone);
  to.next = from.next + 1;
  to.last_end = kNone;
  to.steps = from.steps;
}

/// What a match counts, both sides: one that is not exact half, and the program cuts halves off.
int32_t matched_words(const MeteorMatch& m) {
  const uint32_t shift = m.module == 0 ? 0 : 1;
  return static_cast<int32_t>((m.hypothesis_length >> shift) + (m.reference_length >> shift));
}

/// `to` becomes `from` past a match.
void follow(const Path& from, const MeteorMatch& m, Path& to) {
  const bool breaks = from.last_end != kNone && static_cast<int32_t>(m.hypothesis) != from.last_end;
  to.distance = from.distance;
  to.matched = from.matched + matched_words(m);
  to.chunks = from.chunks + static_cast<int32_t>(breaks);
  to.next = m.reference + m.reference_length;
  to.last_end = static_cast<int32_t>(m.hypothesis + m.hypothesis_length);
  to.steps = from.steps;
}

template <typename Key>
class Search {
 public:
  Search(const MeteorMatches& matches, size_t hypothesis_words, const Bounds& bounds)
      : matches_(matches),
        order_(bounds),
        words_(matches.reference_words()),
        definite_(words_, nullptr),
        blocks_((words_ + hypothesis_words + 63) / 64),
        start_(blocks_) {
    take_definite(hypothesis_words);
    used_ = start_;
    paths_.reserve(kBeam);
    steps_.reserve(12 * words_);
    paths_.emplace_back();
  }

  MeteorAlignment run() {
    for (size_t at = 0; at < words_; ++at) {
      const bool definite = has(start_.data(), at);
      if (definite || matches_.at(at).empty()) {
        pass(at, definite);
      } else {
        branch(at);
        select(at);
      }
    }
    for (Path& path : paths_) path.chunks += path.last_end != kNone;
    return result(*std::min_element(
        paths_.begin(), paths_.end(),
        [&](const Path& a, const Path& b) { return order_.key(a) < order_.key(b); }));
  }

 private:
  /// Matches that no other one touches are part of every alignment.
  void take_definite(size_t hypothesis_words) {
    std::vector<int> hypothesis(hypothesis_words), reference(words_);
    for (const MeteorMatch& m : matches_.all()) {
      for (size_t i = 0; i < m.hypothesis_length; ++i) ++hypothesis[m.hypothesis + i];
      for (size_t i = 0; i < m.reference_length; ++i) ++reference[m.reference + i];
    }
    for (const MeteorMatch& m : matches_.all()) {
      bool alone = true;
      for (size_t i = 0; i < m.hypothesis_length; ++i) alone &= hypothesis[m.hypothesis + i] == 1;
      for (size_t i = 0; i < m.reference_length; ++i) alone &= reference[m.reference + i] == 1;
      if (!alone) continue;
      definite_[m.reference] = &m;
      use(start_.data(), m);
    }
  }

  // Words in use are bits: the reference's words first, then the hypothesis's.
  static bool has(const uint64_t* used, size_t word) {
    return (used[word / 64] >> (word % 64) & 1) != 0;
  }
  static bool has(const uint64_t* used, size_t begin, size_t length) {
    for (size_t i = begin; i < begin + length; ++i) {
      if (has(used, i)) return true;
    }
    return false;
  }
  /// Whether a match collides; its first reference word is known to be free.
  [[nodiscard]] bool in_use(const uint64_t* used, const MeteorMatch& m) const {
    if (m.hypothesis_length == 1 && m.reference_length == 1) [[likely]]
      return has(used, words_ + m.hypothesis);
    return has(used, words_ + m.hypothesis, m.hypothesis_length) ||
           has(used, m.reference + 1, m.reference_length - 1);
  }
  void use(uint64_t* used, const MeteorMatch& m) const {
    const auto add = [&](size_t begin, size_t length) {
      for (size_t i = begin; i < begin + length; ++i) used[i / 64] |= uint64_t{1} << (i % 64);
    };
    add(m.reference, m.reference_length);
    add(words_ + m.hypothesis, m.hypothesis_length);
  }

  /// Takes all paths the one way past a word that has no match to choose. What they gain is the
  /// same but for a chunk, so without that their order stays.
  void pass(size_t at, bool definite) {
    size_t new_chunks = 0;
    for (Path& path : paths_) {
      const int32_t before = path.chunks;
      pass(path, at, definite);
      new_chunks += path.chunks != before;
    }
    if (new_chunks != 0 && new_chunks != paths_.size()) sort_paths();
  }
  void pass(Path& path, size_t at, bool definite) {
    if (path.next > at) return;  // inside a longer match
    if (!definite) return leave_out(path, path);
    const MeteorMatch* m = definite_[at];
    UNIRG_ASSERT(m != nullptr, "a definite match has a path inside it");
    follow(path, *m, path);
    path.distance += m->distance();
    remember(path, *m);
  }
  void remember(Path& path, const MeteorMatch& m) {
    steps_.push_back({&m, path.steps});
    path.steps = static_cast<int32_t>(steps_.size()) - 1;
  }

  /// Every way on from every path at the reference's word `at`, in the program's order. Only their
  /// keys are worked out: most are not taken.
  void branch(size_t at) {
    const std::span<const MeteorMatch> matches = matches_.at(at);
    const size_t most = paths_.size() * (matches.size() + 1);
    worst_ = 0;
    if (ways_.size() < most) ways_.resize(most);
    keys_.resize(most);
    size_t count = 0;
    for (uint32_t i = 0; i < paths_.size(); ++i) {
      const uint64_t* used = &used_[i * blocks_];
      const Path& path = paths_[i];
      Key best = ~Key{0};
      const bool open = path.last_end != kNone;
      int64_t distance = path.distance;
      Key key = order_.key(path);
      if (!has(used, at)) {
        for (const MeteorMatch& m : matches) {
          // Which collide is hard to foretell: a match is written down, and then kept or not.
          const bool free = !in_use(used, m);
          const bool breaks = open && static_cast<int32_t>(m.hypothesis) != path.last_end;
          ways_[count] = {distance, &m, i};
          keys_[count] = key - order_.words(matched_words(m)) + (breaks ? order_.chunk() : Key{0}) +
                         static_cast<Key>(count);
          best = free ? std::min(best, keys_[count]) : best;
          count += static_cast<size_t>(free);
          // The program adds the distance to the path it came from: it counts for the ways tried
          // later.
          const int64_t added = free ? m.distance() : 0;
          distance += added;
          key += order_.distance(added);
        }
        if (open) key += order_.chunk();
      }
      ways_[count] = {distance, nullptr, i};
      keys_[count] = key + static_cast<Key>(count);
      worst_ = std::max(worst_, std::min(best, keys_[count]));
      ++count;
    }
    keys_.resize(count);
  }

  /// Leaves out what is behind the best way of every one of kBeam paths: most, and found without
  /// a branch that is hard to foretell.
  void leave_out_worst() {
    size_t count = 0;
    for (const Key key : keys_) {
      keys_[count] = key;
      count += static_cast<size_t>(key <= worst_);
    }
    keys_.resize(count);
  }

  /// Makes the best kBeam ways the next paths, in order.
  void select(size_t at) {
    if (paths_.size() == kBeam) leave_out_worst();
    if (keys_.size() > kBeam) {
      std::nth_element(keys_.begin(), keys_.begin() + kBeam, keys_.end());
      keys_.resize(kBeam);
    }
    std::sort(keys_.begin(), keys_.end());
    sorted_.resize(keys_.size());
    other_.resize(keys_.size() * blocks_);
    for (size_t i = 0; i < keys_.size(); ++i) {
      const Way& way = ways_[order_.place(keys_[i])];
      const uint64_t* used = &used_[way.from * blocks_];
      std::copy_n(used, blocks_, &other_[i * blocks_]);
      const Path& from = paths_[way.from];
      Path& to = sorted_[i];
      if (way.match != nullptr) {
        follow(from, *way.match, to);
        use(&other_[i * blocks_], *way.match);
        remember(to, *way.match);
      } else if (has(used, at)) {
        to = from;
      } else {
        leave_out(from, to);
      }
      to.distance = way.distance;
    }
    paths_.swap(sorted_);
    used_.swap(other_);
  }

  /// Puts the paths in order again; mostly they are.
  void sort_paths() {
    keys_.clear();
    for (size_t i = 0; i < paths_.size(); ++i)
      keys_.push_back(order_.key(paths_[i]) + static_cast<Key>(i));
    if (std::is_sorted(keys_.begin(), keys_.end())) return;
    std::sort(keys_.begin(), keys_.end());
    sorted_.clear();
    other_.resize(used_.size());
    for (size_t i = 0; i < keys_.size(); ++i) {
      const size_t place = order_.place(keys_[i]);
      sorted_.push_back(paths_[place]);
      std::copy_n(&used_[place * blocks_], blocks_, &other_[i * blocks_]);
    }
    paths_.swap(sorted_);
    used_.swap(other_);
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
  Order<Key> order_;
  size_t words_;                              ///< of the reference
  std::vector<const MeteorMatch*> definite_;  ///< by the reference's word they begin at
  size_t blocks_;                             ///< 64-bit blocks of a path's words in use
  std::vector<uint64_t> start_;               ///< words that definite matches use
  std::vector<uint64_t> used_, other_;        ///< of all paths; scratch
  std::vector<Path> paths_, sorted_;          ///< the beam, in order; scratch
  std::vector<Way> ways_;
  std::vector<Key> keys_;
  Key worst_ = 0;  ///< of the paths' best keys
  std::vector<Step> steps_;
};

}  // namespace

MeteorMatches::MeteorMatches(std::vector<MeteorMatch> matches, size_t reference_words)
    : matches_(std::move(matches)), begin_(reference_words + 1) {
  const auto by_word = [](const MeteorMatch& a, const MeteorMatch& b) {
    return a.reference < b.reference;
  };
  if (!std::is_sorted(matches_.begin(), matches_.end(), by_word))
    std::stable_sort(matches_.begin(), matches_.end(), by_word);
  for (const MeteorMatch& m : matches_) ++begin_[m.reference + 1];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
}

MeteorAlignment meteor_align(const MeteorMatches& matches, size_t hypothesis_words) {
  __extension__ using Wide = unsigned __int128;  // enough for any texts that fit in memory
  const Bounds bounds = bounds_of(matches, hypothesis_words);
  if (Order<uint64_t>::fits(bounds))
    return Search<uint64_t>(matches, hypothesis_words, bounds).run();
  return Search<Wide>(matches, hypothesis_words, bounds).run();
}

}  // namespace unirg::metrics
