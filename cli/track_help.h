/// The words of `uct track --help`.
///
/// Included by track_options.cc. Written by hand, in groups and within 80 columns; a test checks
/// that every option stands in them.
/// Threads   a constant.
#pragma once

#include <string_view>

namespace uct::cli {

std::string_view track_help();

}  // namespace uct::cli
