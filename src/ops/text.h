// Text.
#pragma once

#include "ir/op.h"

namespace remodel {

// (a, b): each b after its a, with broadcasting.
struct StringConcat {
  static constexpr const char* name = "string_concat";
  void infer(Infer& in) const;
};

// (x): the parts of each text along a new last axis, filled with "" behind the last part, and the number of
// parts. An empty delimiter splits at whitespace, of which runs count as one and none stands at the ends.
struct StringSplit {
  static constexpr const char* name = "string_split";
  std::string delimiter;
  int64_t most = -1;  // splits, so parts less one; -1: no limit
  void describe(Fields& v) {
    v("delimiter", delimiter);
    v("most", most);
  }
  void infer(Infer& in) const;
};

// (x): whether the whole text matches the expression, in RE2's syntax.
struct RegexMatch {
  static constexpr const char* name = "regex_match";
  std::string pattern;
  void describe(Fields& v) { v("pattern", pattern); }
  void infer(Infer& in) const;
};

// (x [n] or [1, n]): without the stop words, and in another case. One empty text where nothing remains. Stop
// words meet texts that differ in case unless `case_sensitive`.
struct StringNormalize {
  static constexpr const char* name = "string_normalize";
  enum class Case : uint8_t { keep, lower, upper } change = Case::keep;
  bool case_sensitive = false;
  std::string locale;  // kept, but case follows Unicode alone
  std::vector<std::string> stop_words;
  void describe(Fields& v) {
    v.choice("change", change, {"keep", "lower", "upper"});
    v("case_sensitive", case_sensitive);
    v("locale", locale);
    v("stop_words", stop_words);
  }
  void infer(Infer& in) const;
};

// (x [n] or [rows, n] of integers or texts): how often each n-gram of the pool stands in a row, at the
// n-gram's index of the last axis. An n-gram's items may stand 1 to max_skip + 1 apart, all the same
// distance.
struct TfIdf {
  static constexpr const char* name = "tf_idf";
  enum class Mode : uint8_t { count, weight, product } mode = Mode::count;  // weight: where it occurs at all
  int64_t min_length = 1, max_length = 1, max_skip = 0;
  std::vector<int64_t> starts;     // in the pool, of the 1-grams, 2-grams, ...
  std::vector<int64_t> indexes;    // of each n-gram in the result
  std::vector<int64_t> integers;   // the pool, or ...
  std::vector<std::string> texts;  // ... the pool
  std::vector<double> weights;     // of each n-gram; 1 where there are none
  void describe(Fields& v) {
    v.choice("mode", mode, {"count", "weight", "product"});
    v("min_length", min_length);
    v("max_length", max_length);
    v("max_skip", max_skip);
    v("starts", starts);
    v("indexes", indexes);
    v("integers", integers);
    v("texts", texts);
    v("weights", weights);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
