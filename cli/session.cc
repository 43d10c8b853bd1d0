#include "cli/session.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "cli/durations.h"

namespace uct::cli {

namespace {

Config config_for(const TrackOptions& options, EventSink& events, FragmentSink& fragments) {
  Config config;
  config.max_connections = options.max_connections;
  config.shards = 1;  // one thread: locks and cuts by shard would serve nobody
  config.timeouts = options.timeouts;
  config.fragments = &fragments;
  if (options.events) config.events = &events;
  return config;
}

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

/// Whether a gateway would not send the packet on: it was to be translated and could not be, or it
/// is a fragment of a datagram that cannot be judged.
bool is_kept_back(Reason reason) {
  if (reason >= Reason::fragment_without_first && reason <= Reason::fragment_no_room) return true;
  return reason == Reason::nat_impossible || reason == Reason::nat_tuple_side ||
         (is_refusal(reason) && reason >= Reason::nat_exhausted);
}

Packet packet_of(const capture::Frame& frame) {
  Packet packet;
  packet.data = const_cast<std::byte*>(frame.bytes.data());  // written only by translations
  packet.size = static_cast<std::uint32_t>(frame.bytes.size());
  packet.wire_size = frame.wire_size;
  packet.link = frame.link;
  packet.user = frame.number;
  return packet;
}

}  // namespace

Session::Session(const SessionParts& parts, const std::string& file)
    : options_(parts.options),
      reader_(parts.reader),
      filter_(parts.filter),
      out_(parts.out),
      packet_lines_(parts.options, parts.style),
      events_(parts.options.form == Form::json),
      progress_(file, parts.options.reports() || !is_terminal(STDOUT_FILENO)) {
  facts_.file = file;
  request_.zone = options_.zone;
  request_.commit = options_.commit;
  if (!options_.write.empty()) copy_.emplace(options_.write);
}

Result<std::unique_ptr<Session>> Session::start(const SessionParts& parts,
                                                const std::string& file) {
  std::unique_ptr<Session> session(new Session(parts, file));
  auto tracker = Tracker::create(config_for(parts.options, session->events_, session->leaving_));
  if (!tracker) return tracker.error();
  session->tracker_ = std::move(tracker.value());
  session->tracker_->set_default_sequence_check(parts.options.sequence_check);
  if (parts.options.nat) {
    const auto nat = session->tracker_->add_nat(*parts.options.nat);
    if (!nat) return nat.error();
    session->request_.nat = nat.value();
    session->request_.inside_view = true;
  }
  session->shortest_timeout_ =
      std::min(session->tracker_->shortest_timeout(), Config().fragment_timeout);
  return session;
}

RunFacts Session::run() {
  const auto started = std::chrono::steady_clock::now();
  while (!ended_ && !out_.closed()) {
    const std::size_t count = reader_.next_burst(frames_);
    if (count == 0) break;
    if (facts_.frames_read == 0) first_read_ = frames_[0].time;
    facts_.frames_read += count;
    track(keep_wanted(count));  // the frames' bytes last until the next call of the reader
    progress_.update({reader_.bytes_read(), reader_.size(), facts_.frames_read});
    // A burst that is not full means that a live source has no more for now.
    if (count < frames_.size()) out_.flush();
  }
  if (options_.clock == ClockMode::capture && facts_.frames_tracked != 0) sweep_all();
  flush_fragments();
  events_.take(out_.text());
  facts_.elapsed = std::chrono::steady_clock::now() - started;
  progress_.clear();
  return finish();
}

RunFacts Session::finish() {
  facts_.stats = tracker_->stats();
  facts_.last = now_;
  facts_.peak_memory_bytes = peak_memory_bytes();
  if (copy_) {
    copy_->close();
    facts_.written = copy_->packets();
    facts_.write_error = copy_->error();
  }
  if (const std::optional<capture::ReadError>& error = reader_.error()) {
    facts_.error = error->message;
    facts_.error_offset_bytes = error->offset;
  }
  return facts_;
}

bool Session::is_wanted(const capture::Frame& frame) {
  if (!options_.range.is_open()) {
    if (options_.range.ends_at(frame.number)) ended_ = true;
    if (!options_.range.contains(frame.number, frame.time, first_read_)) return false;
  }
  return filter_ == nullptr || filter_->matches(frame);
}

/// Moves the wanted ones of `count` frames to the front.
std::size_t Session::keep_wanted(std::size_t count) {
  if (filter_ == nullptr && options_.range.is_open()) return count;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (is_wanted(frames_[i])) frames_[kept++] = frames_[i];
  }
  return kept;
}

/// Ends a burst where another millisecond begins: a call of process() has one time, and promise E1
/// is to the millisecond. Packets that go back in time stay in the burst: the clock is held.
void Session::track(std::size_t count) {
  if (count == 0) return;
  if (facts_.frames_tracked == 0) facts_.first = frames_[0].time;
  facts_.frames_tracked += count;
  for (std::size_t i = 0; i < count; ++i) packets_[i] = packet_of(frames_[i]);
  std::size_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (frames_[i].time < burst_end_) continue;
    if (i != first) track_burst(first, i - first);
    advance_clock(frames_[i].time);
    first = i;
  }
  track_burst(first, count - first);
}

void Session::advance_clock(Timestamp time) {
  now_ = time;
  const bool frozen = options_.clock == ClockMode::frozen;
  burst_end_ = frozen ? Timestamp::max() : Timestamp(millisecond_of(time) + Duration(1));
}

void Session::track_burst(std::size_t first, std::size_t count) {
  if (options_.clock == ClockMode::capture) sweep_if_due();
  const std::span<Explanation> explanations(explanations_.data(), options_.explain ? count : 0);
  tracker_->process({packets_.data() + first, count}, request_, now_, {verdicts_.data(), count},
                    explanations);
  emit_burst(first, count);
}

/// Nothing opened or refreshed since the last sweep expires sooner than the shortest timeout.
void Session::sweep_if_due() {
  if (now_ >= sweep_due_) sweep_all();
}

void Session::sweep_all() {
  SweepResult swept;
  do {
    swept = tracker_->sweep(now_);
  } while (!swept.finished);
  sweep_due_ = std::min(swept.next, now_ + shortest_timeout_);
  emit_leaving(nullptr, now_);
}

/// The capture ends: what is held waits in vain.
void Session::flush_fragments() {
  tracker_->flush_fragments();
  emit_leaving(nullptr, now_);
}

/// Prints and writes a burst, and behind each packet the fragments that waited for it.
void Session::emit_burst(std::size_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const capture::Frame& frame = frames_[first + i];
    if (is_held(verdicts_[i].reason)) {
      leaving_.note_held(frame);
    } else {
      emit(frame, {frame.number, frame.time, &verdicts_[i],
                   options_.explain ? &explanations_[i] : nullptr});
    }
    emit_leaving(&packets_[first + i], frame.time);
  }
  if (options_.reports()) return;
  events_.take(out_.text());
  out_.flush_when_full();
}

/// Prints and writes what has left behind a packet, or with the time alone when it is null.
void Session::emit_leaving(const Packet* behind, Timestamp time) {
  while (LeavingFragment* const leaving = leaving_.front(behind)) {
    const Explanation none;
    const Explanation& why = leaving->explanation ? *leaving->explanation : none;
    const JudgedPacket judged{leaving->frame.number, leaving->frame.time, &leaving->verdict,
                              options_.explain ? &why : nullptr};
    leaving->frame.time = time;  // it is sent on now
    emit(leaving->frame, judged);
    leaving_.pop();
  }
}

/// Prints a packet, and writes it when a gateway would send it on.
void Session::emit(const capture::Frame& frame, const JudgedPacket& judged) {
  if (options_.packets) packet_lines_.append(out_.text(), judged);
  if (copy_ && !is_kept_back(judged.verdict->reason) && !copy_->write(frame)) ended_ = true;
}

}  // namespace uct::cli
