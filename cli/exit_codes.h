/// How programs end, for scripts. Codes 3 (a daemon is not reachable) and 4 (refused) are kept for
/// commands to come.
///
/// Included by the commands.
/// Threads   constants.
#pragma once

namespace uct::cli::exit_code {

inline constexpr int kDone = 0;
inline constexpr int kNothingMatched = 1;
inline constexpr int kUsage = 2;
inline constexpr int kUnreadable = 5;  ///< input that cannot be read, or output not written

}  // namespace uct::cli::exit_code
