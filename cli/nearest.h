/// Which of some words somebody meant.
///
/// Included by main.cc and by the options, for errors that suggest.
/// Threads   pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace uct::cli {

/// Gives     the candidate that `word` was most likely meant to be; empty when none is near: about
///           a third of the word's letters changed, or the word being a candidate's start.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// Gives     the word between single quotes, as errors show what was typed.
std::string in_quotes(std::string_view word);

/// Gives     " (did you mean 'x'?)" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// Gives     the words with commas between.
std::string listed(std::span<const std::string_view> words);

}  // namespace uct::cli
