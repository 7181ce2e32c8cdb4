#include "ops/text.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {

void text_rows(Rows& rows) {
  rows.row<StringConcat>("StringConcat", since(20));
  rows.row<StringSplit>("StringSplit", since(20),
                        {attr("delimiter", &StringSplit::delimiter), attr("maxsplit", &StringSplit::most)});
  rows.row<RegexMatch>("RegexFullMatch", since(20), {attr("pattern", &RegexMatch::pattern, Required{})});
  using Case = StringNormalize::Case;
  rows.row<StringNormalize>(
      "StringNormalizer", since(10),
      {choice("case_change_action", &StringNormalize::change,
              {{"NONE", int(Case::keep)}, {"LOWER", int(Case::lower)}, {"UPPER", int(Case::upper)}}, "NONE"),
       attr("is_case_sensitive", &StringNormalize::case_sensitive, int64_t{0}),
       attr("locale", &StringNormalize::locale), attr("stopwords", &StringNormalize::stop_words)});
  using Mode = TfIdf::Mode;
  rows.row<TfIdf>(
      "TfIdfVectorizer", since(9),
      {choice("mode", &TfIdf::mode,
              {{"TF", int(Mode::count)}, {"IDF", int(Mode::weight)}, {"TFIDF", int(Mode::product)}},
              Required{}),
       attr("min_gram_length", &TfIdf::min_length, Required{}),
       attr("max_gram_length", &TfIdf::max_length, Required{}),
       attr("max_skip_count", &TfIdf::max_skip, Required{}), attr("ngram_counts", &TfIdf::starts, Required{}),
       attr("ngram_indexes", &TfIdf::indexes, Required{}), attr("pool_int64s", &TfIdf::integers),
       attr("pool_strings", &TfIdf::texts), attr("weights", &TfIdf::weights)});
}

}  // namespace remodel::onnx
