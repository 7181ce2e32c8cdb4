// Text formatting: the one place that chooses the library.
#pragma once

#include <fmt/core.h>
