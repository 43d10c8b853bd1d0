/// Names for what clang's -Wthread-safety checks: which lock guards which member; and whether this
/// is a build under the thread sanitizer.
///
/// Included wherever a lock is declared or needed. Other compilers see nothing.
#pragma once

#if defined(__clang__)
#define UCT_ANNOTATION(x) __attribute__((x))
#else
#define UCT_ANNOTATION(x)
#endif

#define UCT_CAPABILITY(name) UCT_ANNOTATION(capability(name))
#define UCT_SCOPED_CAPABILITY UCT_ANNOTATION(scoped_lockable)
#define UCT_GUARDED_BY(lock) UCT_ANNOTATION(guarded_by(lock))
#define UCT_REQUIRES(lock) UCT_ANNOTATION(requires_capability(lock))
#define UCT_ACQUIRE(...) UCT_ANNOTATION(acquire_capability(__VA_ARGS__))
#define UCT_RELEASE(...) UCT_ANNOTATION(release_capability(__VA_ARGS__))
#define UCT_NO_THREAD_SAFETY_ANALYSIS UCT_ANNOTATION(no_thread_safety_analysis)

#if defined(__SANITIZE_THREAD__)
#define UCT_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UCT_THREAD_SANITIZER 1
#endif
#endif
