// Outcome: what happened to one invocation. Filled by the stages, reported once: an event, a progress line, a log line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/refusal.h"
#include "wrapper/build.h"
#include "wrapper/key_fields.h"

namespace kache {

enum class OutcomeKind : uint8_t { local_hit, prefetch_hit, remote_hit, dup, miss, error, passthrough, skipped };
std::string_view outcome_name(OutcomeKind kind);

struct Outcome {
  OutcomeKind kind = OutcomeKind::passthrough;
  std::string crate_name, crate_type, root;
  Build build;
  bool is_crate = true;  // else the unit is a source of C, a program or an archive
  std::string action_key, invocation_key;  // hex, "" where there is none
  int exit_code = 0;
  uint64_t compile_ms = 0;
  uint64_t size = 0;
  uint64_t remote_us = 0;                  // waiting for a remote
  std::string remote_problem;              // why it was of no help, where something is wrong
  uint64_t key_us = 0, lookup_us = 0, restore_us = 0, store_us = 0;
  uint32_t compiler_runs = 0, preprocessor_runs = 0;
  uint32_t linked = 0, cloned = 0, copied = 0;
  uint64_t linked_bytes = 0, cloned_bytes = 0, copied_bytes = 0;  // restored
  uint32_t stored_blobs = 0, new_blobs = 0;
  uint64_t stored_linked_bytes = 0, stored_cloned_bytes = 0, stored_copied_bytes = 0;  // of new blobs
  uint64_t digests_known = 0, digests_read = 0, digest_bytes = 0;  // of inputs: known from a stat, or read
  uint32_t probe_runs = 0;                // the self-test of a toolchain
  std::vector<KeyField> key_fields;
  Refused refused;                        // why nothing was looked up, or nothing stored
  std::string store_error;                // compiled, could not be stored
  std::string lookup_rejection;           // found, could not be used
  bool fallback = false;
  bool declared = false;                  // inputs by the compiler's own word, without a record
  bool is_trial = false;                  // trial.h
  bool checked = false;                   // a hit that was compiled as well (KACHE_CHECK_HITS)
  std::vector<std::string> wrong;         // what the fresh compile made otherwise
  std::vector<std::string> miss_reasons;  // what differed from the nearest candidate
};

}  // namespace kache
