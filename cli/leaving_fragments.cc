#include "cli/leaving_fragments.h"

#include <utility>

namespace uct::cli {

void LeavingFragments::note_held(const capture::Frame& frame) {
  capture::Frame noted = frame;
  noted.bytes = {};  // they last until the next burst; the tracker has copied them
  held_.insert_or_assign(frame.number, noted);
}

void LeavingFragments::on_fragment(const HeldFragment& fragment) noexcept {
  LeavingFragment& leaving = leaving_.emplace_back();
  leaving.frame.number = fragment.packet.user;
  leaving.verdict = fragment.verdict;
  if (fragment.explanation != nullptr) leaving.explanation = *fragment.explanation;
  leaving.bytes.assign(fragment.packet.data, fragment.packet.data + fragment.packet.size);
  leaving.behind = fragment.behind;
}

/// A fragment may leave within the very call that held it, so that it is looked for only now.
LeavingFragment* LeavingFragments::front(const Packet* behind) {
  if (leaving_.empty() || leaving_.front().behind != behind) return nullptr;
  LeavingFragment& leaving = leaving_.front();
  if (const auto found = held_.find(leaving.frame.number); found != held_.end()) {
    leaving.frame = found->second;
    held_.erase(found);
  }
  leaving.frame.bytes = leaving.bytes;
  return &leaving;
}

}  // namespace uct::cli
