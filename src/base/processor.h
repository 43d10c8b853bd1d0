/// What this processor has beyond the least that it must have.
///
/// For functions that are worth compiling twice, measured one by one: of the whole library built
/// so, most gained nothing and some lost (docs/performance.md section 4). Such a function is a body
/// that is inlined by force into one without and one with the mark; who calls it asks first.
///
/// Relies on nothing; used where every instruction of a packet counts.
/// Threads   any.
#pragma once

#if defined(__x86_64__)
/// Compiled for x86-64 processors that have these: Intel's since 2013, AMD's since 2015.
#define UCT_FOR_AVX2_BMI2 [[gnu::target("avx2,bmi,bmi2")]]
#else
#define UCT_FOR_AVX2_BMI2
#endif

namespace uct::core {

/// Gives     whether functions marked UCT_FOR_AVX2_BMI2 may be called. Under the address sanitizer
///           of GCC they are not, so that the tests run the other ones there.
inline bool has_avx2_bmi2() {
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                          __builtin_cpu_supports("bmi2");
  return has;
#else
  return false;
#endif
}

}  // namespace uct::core
