// The command `remodel score`: how often a classifier is right.
#pragma once

#include <string>

#include "app/verify.h"
#include "wire/json.h"

namespace remodel {

class Console;

struct ScoreCommand {
  RunCommand run;      // its outputs are not stored
  std::string labels;  // the array in the file of inputs that has the right classes
};

struct Score {
  std::string output, labels;
  int64_t count = 0, right = 0;
  double seconds = 0;  // of running
};

// Runs the model on the arrays of an npz file and compares one output with the labels: an integer for each,
// or the largest along the last axis. That is the first output that has as many of these.
Score score(const ScoreCommand& command);

std::string text_of(const Score& score, const Console& console);
Json json_of(const Score& score);

}  // namespace remodel
